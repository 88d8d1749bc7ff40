"""Making, changing, deleting and restoring conversations."""

import datetime as dt
import re
from collections.abc import Iterable, Mapping
from typing import Any

from django.db import transaction
from django.utils import timezone

from conversations import queries
from conversations.models import Conversation, Message, User, rows
from conversations.services import attachments, holds, ledger, replies

UNDO_WINDOW = dt.timedelta(hours=1)
TEMPORARY_FOR = dt.timedelta(hours=24)
TITLE_LENGTH = 60  # characters
UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def create(
    owner: User,
    *,
    model: str,
    title: str = "",
    system_prompt: str = "",
    parameters: Mapping[str, Any] | None = None,
    is_temporary: bool = False,
) -> Conversation:
    now = timezone.now()
    return rows.insert(
        Conversation(
            owner=owner,
            title=title,
            model=model,
            system_prompt=clean(system_prompt),
            parameters=dict(parameters or {}),
            active_at=now,
            expires_at=now + TEMPORARY_FOR if is_temporary else None,
        )
    )


def configure(conversation: Conversation, **changes: Any) -> None:
    """Change title, model, system prompt or parameters; only what is given."""
    for field, value in changes.items():
        setattr(conversation, field, clean(value) if isinstance(value, str) else value)
    conversation.save(update_fields=list(changes))


@transaction.atomic
def delete(conversation: Conversation) -> None:
    """Take it off every page at once and stop what runs in it; rows and files go when the time for undo is over."""
    Conversation.objects.filter(pk=conversation.pk, deleted_at=None).update(deleted_at=timezone.now())
    for reply in Message.objects.filter(conversation=conversation).replies().running():
        replies.stop(reply)


def restore(conversation: Conversation) -> None:
    Conversation.objects.filter(pk=conversation.pk).update(deleted_at=None)


def purge_expired() -> int:
    """Remove rows and files of temporary conversations whose time is over; returns how many went."""
    return purge_all(Conversation.objects.filter(expires_at__lte=timezone.now()))


def purge_all(doomed: Iterable[Conversation]) -> int:
    return sum(purge(conversation) for conversation in doomed)


@transaction.atomic
def purge(conversation: Conversation) -> bool:
    """Remove a conversation, its messages, and the pictures that nothing else holds; False where a hold keeps it."""
    if holds.is_held(conversation):
        return False
    pictures = list(queries.pictures_of(conversation))
    ledger.close_calls_in(conversation)
    conversation.delete()
    attachments.discard(pictures)
    return True


def title_from(text: str, fallback: str) -> str:
    """A title out of the first message: its first line, cut at a word."""
    lines = (line.lstrip(" #*_`>-").rstrip(" #*_`") for line in text.splitlines())
    line = next((line for line in lines if line), "")
    if len(line) <= TITLE_LENGTH:
        return line or fallback
    return line[:TITLE_LENGTH].rsplit(" ", 1)[0].rstrip(",;:.") + "…"


def clean(text: str) -> str:
    """Text that every database can store: no NUL, no lone surrogates, lines ended by \\n."""
    return UNSTORABLE.sub("\ufffd", text.replace("\r\n", "\n").replace("\r", "\n"))
