"""Stepping through the versions of a message, answering anew beside a reply, forking."""

from dataclasses import replace
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_http_methods, require_POST
from django_htmx.http import HttpResponseClientRedirect

from conversations import queries
from conversations.models import Message
from conversations.services import branches, catalog
from conversations.views.http import HtmxHttpRequest, SeeOther, member_required


@member_required
@require_POST
def show(request: HtmxHttpRequest, message_uuid: UUID) -> HttpResponse:
    """Put another version of a message on show, with what followed it."""
    message = _find(request, message_uuid)
    branches.show(message)
    return from_here(request, message, f"?message={message.uuid}")


@member_required
@require_http_methods(["GET", "HEAD", "POST"])
def retry(request: HtmxHttpRequest, reply_uuid: UUID) -> HttpResponse:
    """Answer anew beside a reply. GET: the choice of another model for it."""
    reply = _find(request, reply_uuid, is_reply=True)
    if request.method != "POST":
        template = "conversations/_retry.html" if request.htmx else "conversations/retry.html"
        return render(request, template, {"reply": reply, "offers": catalog.offers(request.user.pk)})
    fresh = branches.regenerate(reply, request.POST.get("model", ""))
    if request.htmx and fresh.column is not None:
        return render(request, "conversations/_message.html", {"shown": queries.single(fresh)})
    return from_here(request, fresh)


@member_required
@require_POST
def fork(request: HtmxHttpRequest, message_uuid: UUID) -> HttpResponse:
    """A new conversation with everything up to and including this message."""
    copy = branches.fork(_find(request, message_uuid))
    address = f"/c/{copy.uuid}/"
    return HttpResponseClientRedirect(address) if request.htmx else SeeOther(address)


def from_here(request: HtmxHttpRequest, message: Message, part: str = "") -> HttpResponse:
    """What is on show from this message on, for the place of the one that stood there and of all that followed it."""
    if not request.htmx:
        return SeeOther(f"/c/{message.conversation.uuid}/{part}#message-{message.uuid}")
    window = replace(queries.window_after(message.conversation, message.depth - 1), before=None)
    context: dict[str, Any] = {"window": window, "is_added": True, "address": f"/c/{message.conversation.uuid}/"}
    context["memory_from"] = queries.memory_of(message.conversation)
    response = render(request, "conversations/_below.html", context)
    response.headers["X-Branch"] = str(message.uuid)  # the script takes away what followed, and keeps the place
    response.headers["HX-Reswap"] = "outerHTML settle:0ms"
    return response


def _find(request: HtmxHttpRequest, uuid: UUID, *, is_reply: bool = False) -> Message:
    mine = Message.objects.visible_to(request.user).select_related("conversation")
    return get_object_or_404(mine.replies() if is_reply else mine, uuid=uuid)
