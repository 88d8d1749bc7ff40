"""What reviewers take out: the record of a conversation, and rated replies for training and evaluation. Reads only."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from django.db.models import QuerySet

from conversations.models import Attachment, Conversation, Message, Part, Piece, ProviderCall, Rating
from conversations.models.message import Kind, Role
from conversations.models.work import Value
from conversations.services.masking import Mask

FORMAT = "chatsite-record-1"
COUNTS = (
    *("attempt", "model", "status_code", "outcome", "reply_shape", "first_byte_ms", "total_ms"),
    *("prompt_tokens", "output_tokens", "reasoning_tokens", "cached_tokens"),
)


def record(conversation: Conversation, messages: Iterable[Message], *, is_masked: bool) -> dict[str, Any]:
    """Everything there is about a conversation; `messages` with their parts, pieces and calls."""
    found = list(messages)
    uuids = {message.pk: str(message.uuid) for message in found}
    whole = {
        "format": FORMAT,
        "conversation": str(conversation.uuid),
        "owner": conversation.owner.get_username(),
        "title": conversation.title,
        "model": conversation.model,
        "system_prompt": conversation.system_prompt,
        "parameters": conversation.parameters,
        "created_at": _moment(conversation.created_at),
        "deleted_at": _moment(conversation.deleted_at),
        "messages": [_message(message, uuids.get(message.parent_id or 0)) for message in found],
    }
    return Mask([whole]).value(whole) if is_masked else whole


def rated(ratings: QuerySet[Rating], *, is_masked: bool) -> Iterator[str]:
    """A line of JSON for each rated reply, in the form that trainers of preferences read ("unpaired preference", KTO):
    `prompt` and `completion` as chat messages, `label` true for good; comment, model and moment beside them."""
    for rating in ratings.select_related("message__conversation").iterator(chunk_size=100):
        line = _rated(rating)
        yield json.dumps(Mask([line]).value(line) if is_masked else line, ensure_ascii=False) + "\n"


def _rated(rating: Rating) -> dict[str, Any]:
    reply = rating.message
    before = Message.objects.line_to(reply.parent_id).prefetch_related("parts")
    system = reply.conversation.system_prompt
    prompt = [{"role": "system", "content": system}] if system else []
    return {
        "prompt": prompt + [_turn(message) for message in before],
        "completion": [_turn(reply)],
        "label": rating.value == Value.GOOD,
        "comment": rating.comment,
        "model": reply.model,
        "rated_at": _moment(rating.changed_at),
        "reply": str(reply.uuid),
    }


def _turn(message: Message) -> dict[str, str]:
    texts = (part.text if part.kind == Kind.TEXT else "[picture]" for part in message.parts.all() if _counts(part))
    return {"role": "assistant" if message.role == Role.ASSISTANT else "user", "content": "\n\n".join(texts)}


def _counts(part: Part) -> bool:
    return part.kind != Kind.REASONING


def _message(message: Message, parent: str | None) -> dict[str, Any]:
    pieces: list[Part | Piece] = [*message.parts.all(), *message.pieces.all()]
    return {
        "uuid": str(message.uuid),
        "parent": parent,
        "role": str(message.role),
        "status": str(message.status),
        "on_show": message.on_path,
        "model": message.model,
        "created_at": _moment(message.created_at),
        "ended_at": _moment(message.ended_at),
        "error_code": message.error_code,
        "error_detail": message.error_detail,
        "finish_reason": message.finish_reason,
        "notices": message.notices,
        "parts": [_part(piece) for piece in pieces],
        "calls": [_call(call) for call in message.calls.all()],
    }


def _part(part: Part | Piece) -> dict[str, Any]:
    picture = _picture(part.attachment) if part.attachment else None
    return {"kind": str(part.kind), "text": part.text, "name": getattr(part, "name", ""), "picture": picture}


def _picture(attachment: Attachment) -> dict[str, Any]:
    names = ("origin", "name", "alt", "sha256", "media_type", "width", "height", "bytes")
    return {name: getattr(attachment, name) for name in names}


def _call(call: ProviderCall) -> dict[str, Any]:
    amounts = ("cost_usd", "credits_used", "remaining_credits")
    found = {name: getattr(call, name) for name in COUNTS}
    found |= {name: None if getattr(call, name) is None else str(getattr(call, name)) for name in amounts}
    return found | {"started_at": _moment(call.started_at), "request": call.request}


def _moment(moment: Any) -> str | None:
    return moment.isoformat() if moment else None
