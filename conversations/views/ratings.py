"""Rating a reply and reporting it: one form, under the reply or on a page of its own."""

from uuid import UUID

from django.conf import settings
from django.contrib import messages as flash
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from conversations.forms import RatingForm
from conversations.models import Message
from conversations.services import cases, ratings
from conversations.views.http import HtmxHttpRequest, SeeOther, member_required


@member_required
@require_http_methods(["GET", "HEAD", "POST"])
def rate(request: HtmxHttpRequest, reply_uuid: UUID) -> HttpResponse:
    """What the owner thinks of a reply that has ended; not where nobody would read it."""
    mine = Message.objects.visible_to(request.user).replies().select_related("conversation", "rating")
    reply = get_object_or_404(mine, uuid=reply_uuid)
    if reply.is_running or not settings.CHATSITE_REVIEW:
        raise Http404
    form = RatingForm(request.POST if request.method == "POST" else None, initial=_said(reply))
    if not form.is_valid():
        template = "conversations/_rate.html" if request.htmx else "conversations/rate.html"
        context = {"reply": reply, "form": form, "is_reported": cases.is_reported(reply)}
        return render(request, template, context, status=422 if form.is_bound else 200)
    ratings.rate(reply, form.cleaned_data["value"], form.cleaned_data["comment"])
    if form.cleaned_data["report"]:
        cases.report(reply, form.cleaned_data["comment"])
    if request.htmx:
        return render(request, "conversations/_rated.html", {"is_reported": form.cleaned_data["report"]})
    flash.success(request, _("Thank you. Your rating is stored."))
    return SeeOther(f"/c/{reply.conversation.uuid}/?message={reply.uuid}#message-{reply.uuid}")


def _said(reply: Message) -> dict[str, object]:
    rating = getattr(reply, "rating", None)
    return {"value": rating.value, "comment": rating.comment} if rating else {}
