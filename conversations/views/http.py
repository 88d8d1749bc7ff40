"""Typing of requests, who may come in, how refusals are answered, and the headers every answer carries."""

from collections.abc import Callable
from functools import cache, wraps
from typing import Any, Concatenate
from urllib.parse import urlencode

from csp.utils import build_policy
from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.middleware.gzip import GZipMiddleware
from django.shortcuts import render
from django.urls import reverse
from django.utils.deprecation import MiddlewareMixin
from django_htmx.http import reswap, retarget
from django_htmx.middleware import HtmxDetails

from conversations.models import User
from conversations.services import notices
from conversations.services.errors import Refusal, Sentence
from conversations.views import again

# Of a browser whose person has left: pictures, which it may keep for a day. Drafts are forgotten by our own script;
# "storage" would also forget that somebody wants no shortcuts.
FORGET = '"cache"'
PERMISSIONS_POLICY = "camera=(), geolocation=(), microphone=(), payment=(), usb=(), interest-cohort=()"


class HtmxHttpRequest(HttpRequest):
    """A request after all middleware: a known person, htmx details."""

    htmx: HtmxDetails
    user: User


class SeeOther(HttpResponseRedirect):
    """A redirect that is always followed with GET."""

    status_code = 303


type_of_view = Callable[Concatenate[Any, ...], HttpResponseBase]


def member_required(view: Callable[Concatenate[HtmxHttpRequest, ...], HttpResponseBase]) -> type_of_view:
    """Only for people who are logged in. A fragment request gets a sentence where the person is looking, not a page.

    What a service refuses is answered the same way, unless the view has a better place for it.
    """

    @wraps(view)
    def guarded(request: HtmxHttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.user.is_authenticated:
            if notices.must_accept(request.user) and (asking := _asks_to_accept(request)):
                return asking
            try:
                return view(request, *args, **kwargs)
            except Refusal as refusal:
                return refused(request, refusal)
        if request.htmx:
            return in_notice(render(request, "conversations/_logged_out.html", status=401))
        if request.POST.get("text"):
            return again.written(request, 401)
        return redirect_to_login(request.get_full_path())

    return guarded


def _asks_to_accept(request: HtmxHttpRequest) -> HttpResponseBase | None:
    """Terms come before anything else. What was written meanwhile on a page from before is not lost."""
    if request.htmx:
        return in_notice(render(request, "conversations/_terms.html", status=409))
    if request.POST.get("text"):
        return None
    return HttpResponseRedirect(f"{reverse('terms')}?{urlencode({'next': request.get_full_path()})}")


def refused(request: HtmxHttpRequest, refusal: Refusal) -> HttpResponse:
    """The sentence of a refusal as a fragment beside the composer, or as a page of its own."""
    if request.htmx:
        return notice(request, refusal.sentence, refusal.status)
    return render(request, "conversations/refused.html", {"refusal": refusal}, status=refusal.status)


def notice(request: HttpRequest, sentence: Sentence, status: int) -> HttpResponse:
    return in_notice(render(request, "conversations/_notice.html", {"sentence": sentence}, status=status))


def in_notice(response: HttpResponse) -> HttpResponse:
    """Shown beside the composer, whatever asked."""
    return reswap(retarget(response, "#composer-notice"), "innerHTML")


class PageCompressionMiddleware(GZipMiddleware):
    """Whole pages are compressed; fragments are small, and streams must not be held back.

    Django adds a random number of bytes and masks its tokens, so that lengths give no secret away (BREACH).
    """

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        is_page = response.headers.get("Content-Type", "").startswith("text/html") and not response.streaming
        if not is_page or "HX-Request" in request.headers:
            return response
        return super().process_response(request, response)


class PrivateMiddleware(MiddlewareMixin):
    """Headers of every answer. What is not static belongs to one person: no cache may keep it."""

    async_capable = sync_capable = True

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        is_drawn_by_django = settings.DEBUG and response.status_code in (404, 500)
        if not is_drawn_by_django:
            response.headers.setdefault("Content-Security-Policy", _policy())
        response.headers.setdefault("Cache-Control", "private, no-store")
        response.headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        response.headers.setdefault("Permissions-Policy", PERMISSIONS_POLICY)
        response.headers.setdefault("X-DNS-Prefetch-Control", "off")
        if getattr(request, "is_left", False):
            response.headers["Clear-Site-Data"] = FORGET
        return response


@cache
def _policy() -> str:
    """Composed once: the library's own middleware does it twice for each answer."""
    return build_policy()
