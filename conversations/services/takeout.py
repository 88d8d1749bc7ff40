"""Everything of a person, for that person: a zip of JSON and pictures, made while it is read."""

import json
import zipfile
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.utils import timezone

from conversations.models import Attachment, Conversation, LedgerEntry, Message, Preset, Prompt, User
from conversations.models.attachment import SUFFIX
from conversations.models.message import Kind

FORMAT = "chatsite-person-1"
PREFERENCES = ("language", "theme", "density", "default_model", "enter_sends", "notifies")

Member = tuple[str, bytes]


class _Collected:
    """What was written to it since it was last asked; it cannot seek, so that nothing goes back."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def write(self, data: bytes) -> int:
        self._pieces.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        pass

    def take(self) -> bytes:
        whole = b"".join(self._pieces)
        self._pieces.clear()
        return whole


def stream(user: User) -> Iterator[bytes]:
    """The zip, piece by piece; each is read from the database by statements of its own, in any thread."""
    out = _Collected()
    with zipfile.ZipFile(out, "w") as archive:  # type: ignore[call-overload]
        for name, data in members(user):
            kind = zipfile.ZIP_DEFLATED if name.endswith(".json") else zipfile.ZIP_STORED
            archive.writestr(name, data, kind)
            yield out.take()
    User.objects.filter(pk=user.pk).update(exported_at=timezone.now())
    yield out.take()


def write(user: User, path: Path) -> None:
    """Raises FileExistsError: an older export is never overwritten."""
    with path.open("xb") as file:
        file.writelines(stream(user))


def is_taken(user: User) -> bool:
    """Whether the person has an export that is newer than anything they wrote."""
    last = Conversation.objects.filter(owner=user).order_by("-active_at").values_list("active_at", flat=True).first()
    return user.exported_at is not None and (last is None or user.exported_at > last)


def members(user: User) -> Iterator[Member]:
    yield "account.json", _json(_account(user))
    for model, name in ((Prompt, "prompts.json"), (Preset, "presets.json")):
        fields = [field.name for field in model._meta.fields if field.name not in ("id", "owner")]
        yield name, _json(list(model._default_manager.filter(owner=user).values(*fields)))
    yield "usage.json", _json([_usage(entry) for entry in LedgerEntry.objects.of(user).order_by("pk")])
    conversations = Conversation.objects.existing().filter(owner=user)
    for number in list(conversations.order_by("pk").values_list("pk", flat=True)):
        if conversation := conversations.filter(pk=number).first():
            yield f"conversations/{conversation.uuid}.json", _json(_conversation(conversation))
    lost = []
    for number in list(Attachment.objects.filter(owner=user).order_by("pk").values_list("pk", flat=True)):
        if picture := Attachment.objects.filter(pk=number).first():
            try:
                yield _name(picture), picture.read()
            except OSError:
                lost.append(_name(picture))
    if lost:
        yield "lost.json", _json(lost)


def _account(user: User) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "user_name": user.get_username(),
        "email": user.email,
        "role": user.role,
        "groups": list(user.groups.values_list("name", flat=True)),
        "joined_at": user.date_joined,
        "preferences": {name: getattr(user, name) for name in PREFERENCES},
    }


def _usage(entry: LedgerEntry) -> dict[str, Any]:
    """A call to a provider; null is what nobody knows."""
    names = (
        "at",
        "model",
        "outcome",
        "prompt_tokens",
        "output_tokens",
        "reasoning_tokens",
        "cached_tokens",
        "pictures",
    )
    credits = None if entry.credits is None else Decimal(entry.credits).scaleb(-8)
    cost = {"credits": credits, "money": entry.money, "currency": entry.currency, "own_key": entry.is_own_key}
    return {name: getattr(entry, name) for name in names} | cost


def _conversation(conversation: Conversation) -> dict[str, Any]:
    messages = conversation.messages.select_related("rating").prefetch_related(
        "parts__attachment", "pieces__attachment"
    )
    found = list(messages.order_by("depth", "pk"))
    uuids = {message.pk: message.uuid for message in found}
    return {
        "uuid": conversation.uuid,
        "title": conversation.title,
        "model": conversation.model,
        "system_prompt": conversation.system_prompt,
        "parameters": conversation.parameters,
        "created_at": conversation.created_at,
        "pinned": conversation.pinned,
        "archived": conversation.archived,
        "messages": [_message(message, uuids.get(message.parent_id or 0)) for message in found],
    }


def _message(message: Message, parent: Any) -> dict[str, Any]:
    rating = getattr(message, "rating", None)
    return {
        "uuid": message.uuid,
        "parent": parent,
        "on_show": message.on_path,
        "role": message.role,
        "status": message.status,
        "model": message.model,
        "created_at": message.created_at,
        "content": [_part(part) for part in [*message.parts.all(), *message.pieces.all()]],
        "rating": rating and {"value": rating.value, "comment": rating.comment},
    }


def _part(part: Any) -> dict[str, Any]:
    if part.kind == Kind.IMAGE and part.attachment:
        return {
            "kind": part.kind,
            "file": _name(part.attachment),
            "name": part.attachment.name,
            "alt": part.attachment.alt,
        }
    return {"kind": part.kind, "text": part.text}


def _name(picture: Attachment) -> str:
    return f"pictures/{picture.uuid}.{SUFFIX[picture.media_type]}"


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, indent=1, default=_plain).encode()


def _plain(value: object) -> str:
    """Decimals with all their digits and without an exponent; moments and ids as they are read."""
    return f"{value:f}" if isinstance(value, Decimal) else str(value)
