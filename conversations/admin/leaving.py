"""How a person leaves: an export first, for them, then everything of theirs is deleted. For administrators."""

from django import forms
from django.contrib import admin, messages
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from conversations.models import Conversation, User
from conversations.services import people, review, takeout
from conversations.services.errors import NotNow
from conversations.views.leaving import download

LIST = "admin:conversations_user_changelist"


class ExportForm(forms.Form):
    """Whoever makes an export could read it: it is a look."""

    reason = forms.CharField(label=gettext_lazy("Reason"), max_length=500)


def view(request: HttpRequest, pk: int) -> HttpResponseBase:
    person = User.objects.filter(pk=pk).first()
    me = request.user
    if person is None or not isinstance(me, User) or not me.is_superuser or person == me:
        raise Http404
    act = request.POST.get("act") if request.method == "POST" else None
    form = ExportForm(request.POST if act == "export" else None)
    if act == "export" and me.may_review and form.is_valid():
        theirs = Conversation.objects.existing().filter(owner=person)
        review.record_listing(me, theirs, "export", form.cleaned_data["reason"])
        return download(person)
    is_taken = takeout.is_taken(person)
    if act == "delete" and (is_taken or request.POST.get("without_export")):
        try:
            name = person.get_username()
            people.delete(person)
            messages.success(request, _("%(name)s and everything of theirs is deleted.") % {"name": name})
            return redirect(LIST)
        except NotNow as refusal:
            messages.error(request, str(refusal.sentence))
    context = {
        **admin.site.each_context(request),
        "title": _("Delete %(name)s") % {"name": person.get_username()},
        "opts": User._meta,
        "person": person,
        "form": form,
        "may_export": me.may_review,
        "is_taken": is_taken,
        "is_missing": act == "delete" and not is_taken,
        "conversations": Conversation.objects.filter(owner=person).count(),
        "pictures": person.attachments.count(),
    }
    return TemplateResponse(request, "admin/conversations/user/leaving.html", context)
