"""The only state machine: each change of a reply's status is in here, a conditional UPDATE or of a row that is held.

PENDING --claim--> STREAMING --finish--> COMPLETE | STOPPED | FAILED | INTERRUPTED; stop and sweep end both. Of several
ends that race exactly one wins. The only way out of an end is `go_on`, back to PENDING, which counts the reply's runs.
A message that waits for a reply is sent in the transaction that ends it well: WAITING --release--> COMPLETE.
"""

import copy
import datetime as dt
import json
import uuid
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, fields
from decimal import Decimal
from typing import Any, NamedTuple

from django.db import connection, transaction
from django.db.models import F, Value
from django.db.models.functions import Coalesce
from django.utils import timezone

from conversations.models import Conversation, Message, Part, rows
from conversations.models.message import RUNNING, Kind, MessageQuerySet, Role, Status
from conversations.services import budgets, dispatch, folding, ledger
from conversations.services.budgets import OverBudget
from conversations.services.folding import Render

LEASE = dt.timedelta(seconds=20)
UNCLAIMED_AFTER = dt.timedelta(seconds=10)
RELEASING = (Status.COMPLETE, Status.STOPPED)
"""After these ends of a reply, the message that waited for it is sent."""
ADDED_UP = ("prompt_tokens", "output_tokens", "reasoning_tokens", "cost_usd")


class NewPiece(NamedTuple):
    """What arrived since the last flush of one reply: `message` is its primary key, `claim` the writer's token."""

    message: int
    claim: str
    sequence: int
    kind: str
    text: str = ""
    attachment: int | None = None
    signature: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a reply ended and what is known about it. `retry_after` in seconds, `first_token_ms` in milliseconds."""

    status: Status
    error_code: str = ""
    error_detail: str = ""
    retry_after: int | None = None
    finish_reason: str = ""
    notices: list[str] = field(default_factory=list)
    first_token_ms: int | None = None
    prompt_tokens: int | None = None
    output_tokens: int | None = None
    reasoning_tokens: int | None = None
    remaining_credits: Decimal | None = None
    cost_usd: Decimal | None = None


OUTCOME = tuple(one.name for one in fields(Outcome))


@dataclass(frozen=True, slots=True)
class Ended:
    """A reply as it is stored at its end, with all its parts."""

    reply: Message
    parts: Sequence[Part]


def begin(
    parent: Message,
    model: str,
    *,
    column: int | None = None,
    on_path: bool = True,
    asked: Sequence[Part] | None = None,
) -> Message:
    """A PENDING reply to this message, handed to the engine after the commit.

    `on_path`: whether it is the one on show, where the message is. `asked`: the message's parts, where it is new.
    Raises OverBudget.
    """
    reply = rows.insert(
        Message(
            conversation=parent.conversation,
            parent=parent,
            depth=parent.depth + 1,
            on_path=parent.on_path and on_path,
            column=column,
            role=Role.ASSISTANT,
            status=Status.PENDING,
            model=model,
        )
    )
    budgets.reserve(reply, parent.conversation.owner_id)
    dispatch.start(reply, asked)
    return reply


def claim(primary_key: int, fresh: Message | None = None) -> Message | None:
    """Take a PENDING reply: the caller, and nobody else, may write it from now on. None where somebody was quicker.

    `fresh`: its row as it was stored a moment ago, which then need not be read.
    """
    now, token = timezone.now(), uuid.uuid4().hex
    reply = fresh or _pending(primary_key)
    # Whoever deletes or deactivates later than this line ends the reply, too, whatever it is then.
    if reply is None or not _has_reader(reply):
        return None
    changes = {
        "status": Status.STREAMING,
        "claim": token,
        "started_at": reply.started_at or now,
        "leased_until": now + LEASE,
    }
    if not rows.update(Message, {"pk": primary_key, "status": Status.PENDING}, changes):
        return None
    for name, value in changes.items():
        setattr(reply, name, value)
    return reply


def _pending(primary_key: int) -> Message | None:
    found = Message.objects.select_related("conversation__owner").filter(pk=primary_key, status=Status.PENDING)
    return found.first()


def renew(primary_keys: Iterable[int]) -> None:
    """Hold running replies for another lease."""
    running = Message.objects.filter(pk__in=list(primary_keys), status=Status.STREAMING)
    with transaction.atomic():
        if connection.features.has_select_for_update:
            # In the order in which `write` takes them, or the two could wait for each other in a circle.
            list(running.select_for_update(no_key=True).order_by("pk").values_list("pk"))
        running.update(leased_until=timezone.now() + LEASE)


def note_memory(reply: Message, memory_from: int) -> None:
    """Store, for the reply the caller has claimed, from which depth on its model was sent the conversation."""
    Message.objects.filter(pk=reply.pk, claim=reply.claim).update(memory_from=memory_from)
    reply.memory_from = memory_from


def write(pieces: Sequence[NewPiece]) -> set[tuple[int, int]]:
    """Append pieces of any number of replies by one statement; returns (message, sequence) of those that were stored.

    A piece whose writer lost its claim, because the reply was stopped, swept or deleted, is left out.
    """
    values = json.dumps([piece._asdict() for piece in pieces])
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_WRITE[connection.vendor], [values])
        return {(message, sequence) for message, sequence in cursor.fetchall()}


_WRITE = {}
_WRITE["sqlite"] = """
    INSERT INTO conversations_piece (message_id, sequence, kind, text, attachment_id, signature)
    SELECT m.id, json_extract(j.value, '$.sequence'), json_extract(j.value, '$.kind'),
           json_extract(j.value, '$.text'), json_extract(j.value, '$.attachment'), json_extract(j.value, '$.signature')
    FROM json_each(%s) AS j
    JOIN conversations_message AS m ON m.id = json_extract(j.value, '$.message')
    WHERE m.status = 'streaming' AND m.claim = json_extract(j.value, '$.claim')
    RETURNING message_id, sequence
"""
# The rows are held, so that no stop can fold the pieces of a reply while some of them are still on their way.
_WRITE["postgresql"] = """
    INSERT INTO conversations_piece (message_id, sequence, kind, text, attachment_id, signature)
    SELECT m.id, j.sequence, j.kind, j.text, j.attachment, j.signature
    FROM jsonb_to_recordset(%s::jsonb) AS j
         (message bigint, claim text, sequence integer, kind text, text text, attachment bigint, signature text)
    JOIN conversations_message AS m ON m.id = j.message
    WHERE m.status = 'streaming' AND m.claim = j.claim
    ORDER BY m.id, j.sequence
    FOR SHARE OF m
    RETURNING message_id, sequence
"""


@transaction.atomic(savepoint=False)
def finish(reply: Message, outcome: Outcome, render: Render | None = None) -> Ended | None:
    """End a reply that the caller has claimed; None where another end came first.

    The caller's own stays as claimed, so that an end which cannot be committed can be stored again.
    """
    _hold(reply)
    running = {"pk": reply.pk, "status": Status.STREAMING, "claim": reply.claim}
    is_first_run = reply.runs == 1
    changes = _first_end(outcome) if is_first_run else _end_over_runs(outcome)
    if not (
        rows.update(Message, running, changes) if is_first_run else Message.objects.filter(**running).update(**changes)
    ):
        return None
    parts = _settle(reply.pk, outcome, render, is_first_run=is_first_run)
    stored = copy.copy(reply)
    if is_first_run:
        for name, value in changes.items():
            setattr(stored, name, value)
    else:
        stored.refresh_from_db()
    return Ended(stored, parts)


@transaction.atomic
def stop(reply: Message) -> bool:
    """End a running reply at a person's wish, whoever writes it; the text so far is kept."""
    _hold(reply)
    running = Message.objects.filter(pk=reply.pk, status__in=RUNNING)
    stopped = _end(running, reply.pk, Outcome(Status.STOPPED))
    dispatch.cancel(reply.pk)
    return stopped


@transaction.atomic
def interrupt(reply: Message, code: str = "restarted") -> bool:
    """End a STREAMING reply that nobody writes any more."""
    _hold(reply)
    running = Message.objects.filter(pk=reply.pk, status=Status.STREAMING, claim=reply.claim)
    if not _end(running, reply.pk, Outcome(Status.INTERRUPTED, error_code=code)):
        return False
    ledger.close_calls_of(reply)
    return True


@transaction.atomic
def go_on(reply: Message) -> bool:
    """Let a reply that ended too early be written on; False where it has no text or did not end so (any more).

    Raises OverBudget.
    `started_at` is moved so that it and the next end are as far apart as all runs together took.
    """
    now = timezone.now()
    ended = Message.objects.select_for_update().get(pk=reply.pk)
    if not ended.may_continue or not ended.parts.filter(kind=Kind.TEXT).exclude(text="").exists():
        return False
    spent = ended.ended_at - ended.started_at if ended.ended_at and ended.started_at else dt.timedelta()
    Message.objects.filter(pk=reply.pk).update(  # as it was read: its row is held
        status=Status.PENDING,
        runs=F("runs") + 1,
        started_at=now - spent,
        ended_at=None,
        error_code="",
        error_detail="",
        retry_after=None,
        finish_reason="",
        notices=[],
    )
    budgets.reserve(ended, ended.conversation.owner_id, run=ended.runs + 1)
    dispatch.go_on(ended)
    return True


@transaction.atomic
def release(waiting: Message) -> Message | None:
    """Send a message that waited; its reply. None where it is not waiting any more, or nobody is there to read it.

    Raises OverBudget; it then waits on.
    """
    _hold(waiting)
    held = Message.objects.filter(pk=waiting.pk, status=Status.WAITING, conversation__owner__is_active=True)
    if not held.in_existing_conversations().update(status=Status.COMPLETE, model=""):
        return None
    return begin(waiting, waiting.model)


def held_back() -> list[Message]:
    """Messages that still wait although the reply before them has ended well, because nobody was there to read it."""
    waiting = Message.objects.waiting().filter(parent__status__in=RELEASING)
    return [message for message in waiting.select_related("conversation__owner") if _has_reader(message)]


def abandoned(*, alive: Iterable[int], whatever_the_lease: bool = False) -> list[Message]:
    """STREAMING replies whose writer is gone: the lease ran out, or whatever it says.

    `alive` are replies that this process is writing: a jump of the clock must not end them.
    """
    streaming = Message.objects.running().filter(status=Status.STREAMING).exclude(pk__in=list(alive))
    return list(streaming if whatever_the_lease else streaming.filter(leased_until__lt=timezone.now()))


def unwanted() -> list[Message]:
    """Running replies of people who were deactivated, or in conversations that were deleted or whose time is over."""
    running = Message.objects.running().select_related("conversation__owner")
    return [message for message in running if not _has_reader(message)]


def _has_reader(message: Message) -> bool:
    return message.conversation.is_existing and message.conversation.owner.is_active


def vanished(primary_keys: Iterable[int]) -> set[int]:
    """Those of these replies whose rows are gone."""
    known = set(primary_keys)
    return known - set(Message.objects.filter(pk__in=known).values_list("pk", flat=True))


def unclaimed(*, known: Iterable[int], whatever_the_age: bool = False) -> list[int]:
    """PENDING replies that no queue knows, by primary key, oldest first."""
    pending = Message.objects.running().filter(status=Status.PENDING).exclude(pk__in=list(known)).order_by("pk")
    if not whatever_the_age:
        pending = pending.filter(created_at__lt=timezone.now() - UNCLAIMED_AFTER)
    return list(pending.values_list("pk", flat=True))


def _hold(message: Message) -> None:
    """Keep every other change of the conversation waiting; SQLite does so by itself."""
    if connection.features.has_select_for_update:
        list(Conversation.objects.held().filter(pk=message.conversation_id).values_list("pk"))


def _end(running: MessageQuerySet, primary_key: int, outcome: Outcome) -> bool:
    """End a reply that somebody else may be writing."""
    if not running.update(**_end_over_runs(outcome)):
        return False
    _settle(primary_key, outcome, render=None, is_first_run=False)
    return True


def _settle(primary_key: int, outcome: Outcome, render: Render | None, *, is_first_run: bool) -> list[Part]:
    """What follows from an end: pieces become parts, of which it returns all, and who waited for the reply is heard."""
    parts = folding.fold(primary_key, render, is_first_run=is_first_run)
    if outcome.status in RELEASING:
        for waiting in _waiting_for(primary_key):
            with suppress(OverBudget):
                release(waiting)
    return parts


def _waiting_for(primary_key: int) -> Iterable[Message]:
    """The messages that wait for this reply's end; nearly always none, so that the quick question comes first."""
    with connection.cursor() as cursor:
        cursor.execute(_WAITING, [primary_key])
        found = [row[0] for row in cursor.fetchall()]
    return Message.objects.filter(pk__in=found) if found else ()


_WAITING = "SELECT id FROM conversations_message WHERE parent_id = %s AND status = 'waiting'"


def _first_end(outcome: Outcome) -> dict[str, Any]:
    """The fields that change at the end of a first run; what is not known stays empty."""
    known = {name: getattr(outcome, name) for name in OUTCOME}
    changes = {name: value for name, value in known.items() if value is not None}
    return changes | {"ended_at": timezone.now(), "leased_until": None, "claim": ""}


def _end_over_runs(outcome: Outcome) -> dict[str, Any]:
    """The same where there may have been others: what the runs used adds up, what is not known stays as it was."""
    changes = _first_end(outcome)
    for name in ADDED_UP:
        if name in changes:
            changes[name] = Coalesce(F(name), Value(type(changes[name])(0))) + changes[name]
    if outcome.first_token_ms is not None:
        changes["first_token_ms"] = Coalesce(F("first_token_ms"), outcome.first_token_ms)
    return changes
