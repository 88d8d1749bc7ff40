"""A person's own settings, and the language in which every page speaks to them."""

from django.conf import settings as site
from django.contrib import messages as flash
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import translation
from django.utils.deprecation import MiddlewareMixin
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from conversations.forms import PreferencesForm
from conversations.models import Conversation, Look, User
from conversations.services import catalog, notices, people
from conversations.views.http import HtmxHttpRequest, SeeOther, member_required

LOOKS_ON_PAGE = 100


@member_required
@require_http_methods(["GET", "HEAD", "POST"])
def settings(request: HtmxHttpRequest) -> HttpResponse:
    """One plain form; what it changes is seen from the next page on, in the new language."""
    posted = request.POST if request.method == "POST" else None
    models = catalog.choices(request.user.default_model, request.user.pk)
    form = PreferencesForm(posted, initial=_preferences(request.user), models=models)
    if not form.is_valid():
        return render(request, "people/settings.html", {"form": form}, status=422 if posted is not None else 200)
    people.configure(request.user, **form.cleaned_data)
    with translation.override(language_for(request)):
        flash.success(request, _("Your settings are saved."))
    return SeeOther("/settings/")


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def terms(request: HtmxHttpRequest) -> HttpResponse:
    """What everybody accepts before anything else; then on to where they wanted."""
    told, wanted = notices.current(), request.GET.get("next", "")
    if not told.terms:
        raise Http404
    if request.method == "POST":
        notices.accept(request.user)
        is_ours = url_has_allowed_host_and_scheme(wanted, {request.get_host()}, request.is_secure())
        return SeeOther(wanted if is_ours else "/")
    context = {"terms": told.terms, "is_accepted": not notices.must_accept(request.user)}
    return render(request, "people/terms.html", context)


@member_required
@require_safe
def shortcuts(request: HtmxHttpRequest) -> HttpResponse:
    """What keys do: a dialog of the conversation, or a page."""
    return render(request, "people/_shortcuts_dialog.html" if request.htmx else "people/shortcuts.html")


@member_required
@require_safe
def looks(request: HtmxHttpRequest) -> HttpResponse:
    """Who of the staff saw what of this person's, where the organisation lets people see that."""
    if not site.CHATSITE_SHOW_LOOKS:
        raise Http404
    page = Paginator(Look.objects.concerning(request.user), LOOKS_ON_PAGE).get_page(request.GET.get("page"))
    uuids = {look.conversation for look in page if look.conversation}
    titles = dict(Conversation.objects.visible_to(request.user).filter(uuid__in=uuids).values_list("uuid", "title"))
    context = {"page": page, "looks": [(look, look.conversation and titles.get(look.conversation)) for look in page]}
    return render(request, "people/looks.html", context)


def _preferences(user: User) -> dict[str, object]:
    return {field: getattr(user, field) for field in PreferencesForm.base_fields}


def language_for(request: HttpRequest) -> str:
    """What this person chose, else what the cookie or the browser asks for."""
    chosen: str = getattr(request.user, "language", "")
    return chosen if chosen in dict(site.LANGUAGES) else translation.get_language_from_request(request)


class LanguageMiddleware(MiddlewareMixin):
    """Lets a person's own choice win over the browser's; stands behind the authentication. Nobody is loaded for it
    who would not be loaded anyway: without a session there is no query."""

    def process_request(self, request: HttpRequest) -> None:
        if getattr(request.user, "language", ""):
            translation.activate(language_for(request))
            request.LANGUAGE_CODE = translation.get_language()
