"""Stored rows -> the finished request of one reply, in no provider's format yet."""

from conversations.models import Message, Part
from conversations.models.message import Kind, Status
from conversations.providers.turns import ChatRequest, ImagePart, Parameters, TextPart, Turn

GO_ON = "Go on exactly where your last message ended. Repeat nothing of it, and do not introduce what follows."
"""What a model is asked when a reply is continued. Not for people's eyes, and stored nowhere."""


def request_for(reply: Message) -> ChatRequest:
    """What the model of this reply is asked: the system prompt and its branch up to the reply.

    Without the reply, unless it is continued: then what there is of it, and the wish to go on.
    """
    conversation = reply.conversation
    return ChatRequest(
        turns=turns_before(reply) + (_so_far(reply) if reply.runs > 1 else ()),
        system=conversation.system_prompt,
        parameters=Parameters(temperature=conversation.temperature, max_tokens=conversation.max_tokens),
    )


def turns_before(reply: Message) -> tuple[Turn, ...]:
    # Not the branch on show: a person may have switched to another one since the reply was asked for.
    line = Message.objects.line_to(reply.parent_id).prefetch_related("parts__attachment")
    return tuple(_turn(message, keep_signatures=message.model == reply.model) for message in line)


def _so_far(reply: Message) -> tuple[Turn, ...]:
    return _turn(reply, keep_signatures=True), Turn("user", (TextPart(GO_ON),))


def _turn(message: Message, *, keep_signatures: bool) -> Turn:
    """One message as a turn. A thought signature means something to the model it came from alone."""
    parts = [_part(part, keep_signatures) for part in message.parts.all() if part.kind != Kind.REASONING]
    return Turn(
        role="assistant" if message.is_reply else "user",
        parts=tuple(parts),
        failed=message.status == Status.FAILED,
    )


def _part(part: Part, keep_signatures: bool) -> TextPart | ImagePart:
    signature = part.signature if keep_signatures else ""
    match part.kind:
        case Kind.TEXT:
            return TextPart(part.text, signature)
        case Kind.IMAGE:
            assert part.attachment is not None
            return ImagePart(part.attachment.media_type, part.attachment.read(), signature)
    raise ValueError(f"a part of unknown kind: {part.kind}")
