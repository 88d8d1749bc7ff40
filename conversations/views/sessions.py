"""The sessions of a person: noted as they are used, seen on a page, and ended there."""

from typing import Any

from allauth.core.internal.httpkit import get_client_ip
from django.contrib import messages as flash
from django.contrib.auth import logout
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.deprecation import MiddlewareMixin
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from conversations.models import User
from conversations.services import sessions
from conversations.views.http import HtmxHttpRequest, SeeOther, member_required
from conversations.views.viewers import expected


def note(request: HttpRequest, user: User) -> None:
    if key := request.session.session_key:
        sessions.note(user, key, get_client_ip(request) or "", request.META.get("HTTP_USER_AGENT", ""))


def on_login(*, request: HttpRequest, user: Any, **_more: Any) -> None:
    note(request, user)


def on_logout(*, request: HttpRequest, **_more: Any) -> None:
    """What was promised to this session is not kept, and its browser is asked to forget what it keeps."""
    request.is_left = True  # type: ignore[attr-defined]
    if key := request.session.session_key:
        expected.forget(key)


class SessionsMiddleware(MiddlewareMixin):
    """Notes a session that is in use, once in five minutes and never on the way of a send."""

    def process_request(self, request: HttpRequest) -> None:
        if request.method != "GET" or not isinstance(request.user, User):
            return
        if request.session.session_key and not sessions.is_noted(request.session.session_key):
            note(request, request.user)


@member_required
@require_http_methods(["GET", "HEAD", "POST"])
def listed(request: HtmxHttpRequest) -> HttpResponse:
    """Without a choice, POST ends all but this one."""
    found = list(sessions.of(request.user))
    if request.method != "POST":
        return render(request, "people/sessions.html", {"sessions": [described(request, one) for one in found]})
    here = request.session.session_key
    if chosen := request.POST.get("session"):
        doomed = [one for one in found if str(one.pk) == chosen]
        if not doomed:
            raise Http404
    else:
        doomed = [one for one in found if one.session_key != here]
        sessions.end_all(request.user, keep=here)
    sessions.end(request.user, doomed)
    if any(one.session_key == here for one in doomed):
        logout(request)
        return redirect("account_login")
    flash.success(request, _("Ended: what was open there is closed."))
    return SeeOther(request.path)


def described(request: HttpRequest, session: Any) -> dict[str, Any]:
    """A session as the page shows it."""
    browser, system = sessions.browser_of(session.user_agent)
    return {
        "session": session,
        "browser": browser,
        "system": system,
        "network": "" if session.ip == sessions.UNKNOWN else session.ip,
        "is_here": session.session_key == request.session.session_key,
    }
