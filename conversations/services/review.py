"""Looks of reviewers into other people's conversations: each one leaves a record, chained to the one before."""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone

from conversations.models import Conversation, Look, User
from conversations.services import chain

logger = logging.getLogger(__name__)

END = 0x6C6F6F6B  # "look": the number of PostgreSQL's advisory lock on the end of the chain


@dataclass(frozen=True, slots=True)
class Seen:
    """Whose content it was and, where it was one conversation, which; `detail` says more."""

    owner: User | None
    conversation: UUID | None = None
    detail: str = ""


def record_look(reviewer: User, conversation: Conversation, what: str, reason: str, detail: str = "") -> Look:
    """`what`: which page was opened, such as "thread"."""
    (look,) = record(reviewer, what, reason, [Seen(conversation.owner, conversation.uuid, detail)])
    return look


def record_listing(
    reviewer: User, conversations: Iterable[Conversation], what: str, reason: str, detail: str = ""
) -> list[Look]:
    """One record for each person of whom something was listed, with what it was; one without where nothing was.

    `detail` says what was looked for.
    """
    by_owner = sorted(conversations, key=lambda one: one.owner_id)
    seen = []
    for _owner, group in groupby(by_owner, key=lambda one: one.owner_id):
        theirs = list(group)
        listed = " ".join(str(one.uuid) for one in theirs)
        seen.append(Seen(theirs[0].owner, detail=f"{detail}\n{listed}".strip()))
    return record(reviewer, what, reason, seen or [Seen(None, detail=detail)])


@transaction.atomic
def record(reviewer: User, what: str, reason: str, seen: Sequence[Seen]) -> list[Look]:
    """Add records to the end of the chain. Writers of all processes come one after the other."""
    _hold_end()
    before = chain.head()
    looks = []
    for one in seen:
        look = Look(
            number=before.number + 1,
            reviewer_id=reviewer.pk,
            reviewer_name=reviewer.get_username(),
            owner_id=one.owner.pk if one.owner else None,
            owner_name=one.owner.get_username() if one.owner else "",
            conversation=one.conversation,
            what=what,
            detail=one.detail,
            reason=reason,
            created_at=timezone.now(),
            previous=before.digest,
        )
        look.digest = chain.digest_of(look)
        before = chain.Head(look.number, look.digest)
        looks.append(look)
    Look.objects.bulk_create(looks)
    # A witness beside the database: logs are often kept elsewhere.
    transaction.on_commit(lambda: logger.info("record of a look: head %s", before))
    return looks


def _hold_end() -> None:
    """Until the transaction ends. SQLite has one writer at a time anyway."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [END])
