"""Messages that wait for the end of the reply before them: taken back, or sent at a person's wish.

They are held by `messages.send` and sent by `replies` when that reply has ended well.
"""

from dataclasses import dataclass

from django.db import transaction
from django.utils.translation import gettext as _

from conversations.models import Conversation, Message
from conversations.models.message import Kind, Status
from conversations.services import attachments, replies
from conversations.services.errors import Busy, NotNow


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """What a message held that was taken back; its pictures are gone."""

    text: str
    model: str
    had_pictures: bool


@transaction.atomic
def withdraw(message: Message) -> Withdrawn:
    """Remove a message that was not sent yet. Raises NotNow where it was."""
    held = _held(message)
    parts = list(held.parts.select_related("attachment"))
    pictures = [part.attachment for part in parts if part.attachment]
    held.delete()
    attachments.discard(pictures)
    text = "\n\n".join(part.text for part in parts if part.kind == Kind.TEXT)
    return Withdrawn(text, held.model, bool(pictures))


@transaction.atomic
def send_now(message: Message) -> Message:
    """Send it although the reply before it ended badly; the new reply. Raises Busy while that runs, NotNow."""
    held = _held(message)
    if held.parent and held.parent.is_running:
        raise Busy()
    reply = replies.release(held)
    if reply is None:
        raise NotNow(_("This conversation was deleted. Start a new one."))
    return reply


def _held(message: Message) -> Message:
    """The message as it is now, nobody else being able to send it or take it back."""
    Conversation.objects.held().get(pk=message.conversation_id)
    held = Message.objects.filter(pk=message.pk, status=Status.WAITING).select_related("parent").first()
    if held is None:
        raise NotNow(_("This message has been sent already."))
    return held
