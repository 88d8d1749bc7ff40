"""What was written when a login had run out or nothing could be stored: it comes back, ready to be sent again."""

from typing import TYPE_CHECKING

from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.shortcuts import render
from django.views.csrf import csrf_failure as plain_failure
from django_htmx.http import trigger_client_event

from conversations.services import texts

if TYPE_CHECKING:
    from conversations.views.http import HtmxHttpRequest


def outdated(request: "HtmxHttpRequest", reason: str = "") -> HttpResponse:
    """A form without a valid token, which changes with every login. Only a page of ours is helped on."""
    if request.headers.get("Origin") != f"{request.scheme}://{request.get_host()}":
        return plain_failure(request, reason)
    if request.htmx:
        return trigger_client_event(HttpResponse(status=403), "renewed", {"value": get_token(request)})
    return written(request, 403) if request.POST.get("text") else plain_failure(request, reason)


def written(request: HttpRequest, status: int) -> HttpResponse:
    """The message that was sent in vain, in a form of its own: without JavaScript a browser would forget it."""
    read, pictures = texts.sort_out(request.FILES.getlist("images"))
    names = [name for name in request.POST if name not in ("csrfmiddlewaretoken", "text")]
    context = {
        "text": request.POST.get("text", ""),
        "fields": [(name, value) for name in names for value in request.POST.getlist(name)],
        "read": read,
        "had_pictures": bool(pictures),
        "is_unstored": status == 503,
    }
    return render(request, "conversations/again.html", context, status=status)
