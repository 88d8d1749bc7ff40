"""The only state machine: every change of a reply's status is a conditional UPDATE in here.

PENDING --claim--> STREAMING --finish--> COMPLETE | STOPPED | FAILED | INTERRUPTED; stop and sweep end both. A final
status never changes again, and of several ends that race exactly one wins.
"""

import datetime as dt
import json
import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from itertools import groupby

from django.db import connection, transaction
from django.db.models import Q
from django.utils import timezone

from conversations.models import Conversation, Message, Part, Piece
from conversations.models.message import RUNNING, Kind, MessageQuerySet, Status
from conversations.services import dispatch

LEASE = dt.timedelta(seconds=20)
UNCLAIMED_AFTER = dt.timedelta(seconds=10)


@dataclass(frozen=True, slots=True)
class NewPiece:
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


Render = Callable[[str], tuple[str, int]]
"""Text -> its HTML and the version of the renderer that made it."""


def claim(primary_key: int) -> Message | None:
    """Take a PENDING reply: the caller, and nobody else, may write it from now on. None where somebody was quicker."""
    now, token = timezone.now(), uuid.uuid4().hex
    taken = Message.objects.filter(
        pk=primary_key, status=Status.PENDING, conversation__deleted_at=None, conversation__owner__is_active=True
    ).update(status=Status.STREAMING, claim=token, started_at=now, leased_until=now + LEASE)
    if not taken:
        return None
    return Message.objects.select_related("conversation__owner").get(pk=primary_key)


def renew(primary_keys: Iterable[int]) -> None:
    """Hold running replies for another lease."""
    Message.objects.filter(pk__in=list(primary_keys), status=Status.STREAMING).update(
        leased_until=timezone.now() + LEASE
    )


def write(pieces: Sequence[NewPiece]) -> set[tuple[int, int]]:
    """Append pieces of any number of replies by one statement; returns (message, sequence) of those that were stored.

    A piece whose writer lost its claim, because the reply was stopped, swept or deleted, is left out.
    """
    values = json.dumps([asdict(piece) for piece in pieces])
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_WRITE, [values])
        return {(message, sequence) for message, sequence in cursor.fetchall()}


_WRITE = """
    INSERT INTO conversations_piece (message_id, sequence, kind, text, attachment_id, signature)
    SELECT m.id, json_extract(j.value, '$.sequence'), json_extract(j.value, '$.kind'),
           json_extract(j.value, '$.text'), json_extract(j.value, '$.attachment'), json_extract(j.value, '$.signature')
    FROM json_each(%s) AS j
    JOIN conversations_message AS m ON m.id = json_extract(j.value, '$.message')
    WHERE m.status = 'streaming' AND m.claim = json_extract(j.value, '$.claim')
    RETURNING message_id, sequence
"""


@transaction.atomic
def finish(reply: Message, outcome: Outcome, render: Render | None = None) -> bool:
    """End a reply that the caller has claimed; False where another end came first."""
    running = Message.objects.filter(pk=reply.pk, status=Status.STREAMING, claim=reply.claim)
    return _end(running, reply.pk, outcome, render)


@transaction.atomic
def stop(reply: Message) -> bool:
    """End a running reply at a person's wish, whoever writes it; the text so far is kept."""
    running = Message.objects.filter(pk=reply.pk, status__in=RUNNING)
    stopped = _end(running, reply.pk, Outcome(Status.STOPPED))
    dispatch.cancel(reply.pk)
    return stopped


@transaction.atomic
def interrupt(reply: Message, code: str = "restarted") -> bool:
    """End a STREAMING reply that nobody writes any more."""
    running = Message.objects.filter(pk=reply.pk, status=Status.STREAMING, claim=reply.claim)
    return _end(running, reply.pk, Outcome(Status.INTERRUPTED, error_code=code))


def abandoned(*, alive: Iterable[int], whatever_the_lease: bool = False) -> list[Message]:
    """STREAMING replies whose writer is gone: the lease ran out, or all of them where this process is the only one.

    `alive` are replies that this process is writing: a jump of the clock must not end them.
    """
    streaming = Message.objects.filter(status=Status.STREAMING).exclude(pk__in=list(alive))
    return list(streaming if whatever_the_lease else streaming.filter(leased_until__lt=timezone.now()))


def unwanted() -> list[Message]:
    """Running replies of people who were deactivated, or in conversations that were deleted or whose time is over."""
    gone = Q(conversation__owner__is_active=False) | ~Q(conversation__in=Conversation.objects.existing())
    return list(Message.objects.running().filter(gone))


def vanished(primary_keys: Iterable[int]) -> set[int]:
    """Those of these replies whose rows are gone."""
    known = set(primary_keys)
    return known - set(Message.objects.filter(pk__in=known).values_list("pk", flat=True))


def unclaimed(*, known: Iterable[int], whatever_the_age: bool = False) -> list[int]:
    """PENDING replies that no queue knows, by primary key, oldest first."""
    pending = Message.objects.filter(status=Status.PENDING).exclude(pk__in=list(known)).order_by("pk")
    if not whatever_the_age:
        pending = pending.filter(created_at__lt=timezone.now() - UNCLAIMED_AFTER)
    return list(pending.values_list("pk", flat=True))


def _end(running: MessageQuerySet, primary_key: int, outcome: Outcome, render: Render | None = None) -> bool:
    changes = asdict(outcome) | {"ended_at": timezone.now(), "leased_until": None, "claim": ""}
    if not running.update(**changes):
        return False
    _fold(primary_key, render)
    return True


def _fold(primary_key: int, render: Render | None) -> None:
    """Turn the pieces of a reply that has ended into its parts."""
    pieces = list(Piece.objects.filter(message=primary_key).order_by("sequence"))
    if not pieces:
        return
    parts: list[Part] = []
    for (kind, attachment), run in groupby(pieces, key=lambda piece: (piece.kind, piece.attachment_id)):
        parts += _parts_of(kind, attachment, list(run))
    for position, part in enumerate(parts):
        part.message_id, part.position = primary_key, position
    for kind, texts in groupby(parts, key=lambda part: part.kind):
        if render and kind == Kind.TEXT:
            # Parts that only a signature divides are one text: the first of them carries the HTML of all.
            first, *rest = texts
            first.html, first.markup_version = render(first.text + "".join(part.text for part in rest))
    Part.objects.bulk_create(parts)
    Piece.objects.filter(message=primary_key).delete()


def _parts_of(kind: str, attachment: int | None, run: list[Piece]) -> list[Part]:
    """One part for a run of pieces of a kind; a thought signature closes the text it came on."""
    if kind == Kind.IMAGE:
        return [Part(kind=kind, attachment_id=attachment, signature=piece.signature) for piece in run]
    parts, texts = [], []
    for piece in run:
        texts.append(piece.text)
        if piece.signature:
            parts.append(Part(kind=kind, text="".join(texts), signature=piece.signature))
            texts = []
    if texts:
        parts.append(Part(kind=kind, text="".join(texts)))
    return parts
