"""A message that waits for the reply before it: what became of it, sending it now, taking it back."""

from uuid import UUID

from django.contrib import messages as flash
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from conversations import queries
from conversations.forms import SendForm
from conversations.models import Message
from conversations.models.message import Role, Status
from conversations.services import waiting
from conversations.views import chat
from conversations.views.http import HtmxHttpRequest, SeeOther, member_required


@member_required
@require_safe
def look(request: HtmxHttpRequest, message_uuid: UUID) -> HttpResponse:
    """The message and the reply to it, once it was sent; nothing while it waits, so that its buttons stay."""
    message = _message(request, message_uuid)
    if request.htmx and message.status == Status.WAITING:
        return HttpResponse(status=204)
    return _turn(request, message)


@member_required
@require_POST
def send_now(request: HtmxHttpRequest, message_uuid: UUID) -> HttpResponse:
    """Send a message that still waits although the reply before it has ended."""
    message = _message(request, message_uuid)
    waiting.send_now(message)
    message.refresh_from_db()
    return _turn(request, message)


@member_required
@require_POST
def withdraw(request: HtmxHttpRequest, message_uuid: UUID) -> HttpResponse:
    """Take a message back that was not sent yet; its text goes into the composer, before what is written there."""
    message = _message(request, message_uuid)
    withdrawn = waiting.withdraw(message)
    text = "\n\n".join(filter(None, (withdrawn.text, request.POST.get("text"))))
    form = SendForm({"text": text, "model": withdrawn.model})
    if request.htmx:
        return render(request, "conversations/_withdrawn.html", {"withdrawn": withdrawn, "form": form})
    if withdrawn.had_pictures:
        flash.info(request, _("Attach the pictures again before you send this."))
    return chat.page(request, message.conversation, form=form)


def _message(request: HtmxHttpRequest, message_uuid: UUID) -> Message:
    mine = Message.objects.visible_to(request.user).filter(role=Role.USER).select_related("conversation")
    return get_object_or_404(mine, uuid=message_uuid)


def _turn(request: HtmxHttpRequest, message: Message) -> HttpResponse:
    if not request.htmx:
        return SeeOther(f"/c/{message.conversation.uuid}/")
    return render(request, "conversations/_turns.html", {"articles": queries.turn(message)})
