"""A crowd to try an installation with: many conversations and messages, and what reviewers have to do with them.

Written by the database itself: a million rows through the application would take many minutes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.core.management.color import no_style
from django.db import connection, transaction
from django.db.models import Max, Model
from django.utils import timezone

from conversations import markup
from conversations.models import Case, Conversation, Flag, LedgerEntry, Message, Part, ProviderCall, Rating
from conversations.models.ledger import Basis
from conversations.models.message import Kind, Role
from conversations.models.work import Cause, Progress, Value

TEXT = "A sentence of the kind that people and models write, said a few times over. " * 5
RATED, FLAGGED, FAILED = 20, 50, 100  # one conversation of so many is rated, flagged, or has an error in it
UNFINISHED = 5  # one case of so many
CALLS = 2  # of each reply: the first fails
YEAR = 360 * 24 * 60 * 60  # seconds over which the calls are spread, up to now

# A uuid, a moment, and the moment and day of a call of {calls}, made of the number i.
SQL = {
    "sqlite": (
        "printf('%%032x', i + {first})",
        "strftime('%%Y-%%m-%%d %%H:%%M:%%f', '2026-01-01', '+' || i || ' seconds')",
        "strftime('%%Y-%%m-%%d %%H:%%M:%%f', 'now', '-' || (({calls} - i) * {seconds}) || ' seconds')",
        "date('now', '-' || (({calls} - i) * {seconds}) || ' seconds')",
    ),
    "postgresql": (
        "lpad(to_hex(i + {first}), 32, '0')::uuid",
        "timestamptz '2026-01-01' + i * interval '1 second'",
        "now() - ({calls} - i) * {seconds} * interval '1 second'",
        "CAST((now() - ({calls} - i) * {seconds} * interval '1 second') AT TIME ZONE 'UTC' AS date)",
    ),
}


@dataclass(frozen=True, slots=True)
class Crowd:
    """`owners`: primary keys of people, who own the conversations by turns, in the order given."""

    owners: Sequence[int]
    conversations: int
    each: int  # messages of each
    model: str

    def fill(self) -> None:
        """Behind whatever is stored already."""
        kinds = [Conversation, Message, Part, ProviderCall, LedgerEntry]
        first = 1 + max(kind._base_manager.aggregate(last=Max("pk"))["last"] or 0 for kind in kinds)
        with transaction.atomic():
            self._talks(first)
            self._calls(first)
            self._work(first)
        with connection.cursor() as cursor:
            kinds += [Rating, Case, Flag]
            for statement in connection.ops.sequence_reset_sql(no_style(), kinds):
                cursor.execute(statement)
            if connection.vendor == "postgresql":
                cursor.execute("ANALYZE")  # it would do so by itself within a minute

    def _talks(self, first: int) -> None:
        uuid, moment, *_of_calls = SQL[connection.vendor]
        uuid = uuid.format(first=first)
        now, each = timezone.now(), self.each
        is_reply = "i %% 2 = 1"
        is_failed = f"i %% {FAILED * each} = 1"
        _insert(
            Conversation(owner_id=0, title="What was said", model=self.model, active_at=now),
            self.conversations,
            {
                "id": f"i + {first}",
                "uuid": uuid,
                "owner_id": self._owner("i"),
                "active_at": moment,
                "created_at": moment,
            },
        )
        _insert(
            Message(conversation_id=0, created_at=now),
            self.conversations * each,
            {
                "id": f"i + {first}",
                "uuid": uuid,
                "conversation_id": f"i / {each} + {first}",
                "parent_id": f"CASE WHEN i %% {each} = 0 THEN NULL ELSE i + {first - 1} END",
                "depth": f"i %% {each}",
                "role": f"CASE WHEN {is_reply} THEN '{Role.ASSISTANT}' ELSE '{Role.USER}' END",
                "model": f"CASE WHEN {is_reply} THEN '{self.model}' ELSE '' END",
                "status": f"CASE WHEN {is_failed} THEN 'failed' ELSE 'complete' END",
                "error_code": f"CASE WHEN {is_failed} THEN 'credits' ELSE '' END",
            },
        )
        text = Part(message_id=0, position=0, kind=Kind.TEXT, text=TEXT)
        text.html, text.markup_version = f"<p>{TEXT}</p>", markup.VERSION
        _insert(text, self.conversations * each, {"id": f"i + {first}", "message_id": f"i + {first}"})

    def _owner(self, conversation: str) -> str:
        """Whose the conversation of this number is."""
        owner = " ".join(f"WHEN {place} THEN {int(pk)}" for place, pk in enumerate(self.owners))
        return f"CASE ({conversation}) %% {len(self.owners)} {owner} END"

    def _calls(self, first: int) -> None:
        """Two for each reply, the second of which is paid, and their rows of the ledger."""
        calls = self.conversations * (self.each // 2) * CALLS
        values = {"calls": calls, "seconds": max(1, YEAR // max(1, calls))}
        at, day = (words.format(**values) for words in SQL[connection.vendor][2:])
        # Of a conversation's messages every second is a reply.
        half = self.each // 2 or 1
        talk = f"i / {CALLS} / {half}"
        reply = f"({talk}) * {self.each} + (i / {CALLS} %% {half}) * 2 + 1 + {first}"
        is_paid = f"i %% {CALLS} = {CALLS - 1}"
        shared = {
            "id": f"i + {first}",
            "attempt": f"i %% {CALLS} + 1",
            "outcome": f"CASE WHEN {is_paid} THEN 'complete' ELSE 'overloaded' END",
            "status_code": f"CASE WHEN {is_paid} THEN 200 ELSE 503 END",
        }
        like = ProviderCall(message_id=0, attempt=1, model=self.model, request_deflated=ProviderCall.deflate(TEXT))
        _insert(like, calls, {**shared, "message_id": reply, "started_at": at})
        person = self._owner(talk)
        tokens = "CASE WHEN {} THEN i %% 1000 + 1 END"
        paid = LedgerEntry(model=self.model, connection=self.model.partition("/")[0], attempt=1, is_own_key=False)
        of_ledger = {
            "call": f"i + {first}",
            "reply": reply,
            "at": at,
            "day": day,
            "person": person,
            "person_name": f"'person ' || ({person})",
            "prompt_tokens": tokens.format(is_paid),
            "output_tokens": tokens.format(is_paid),
            "currency": f"CASE WHEN {is_paid} THEN 'USD' ELSE '' END",
            "amount": f"CASE WHEN {is_paid} THEN 1000000000 + i END",
            "basis": f"CASE WHEN {is_paid} THEN '{Basis.PRICED}' ELSE '' END",
        }
        _insert(paid, calls, shared | of_ledger)

    def _work(self, first: int) -> None:
        _uuid, moment, *_of_calls = SQL[connection.vendor]
        ratings, cases = self.conversations // RATED, self.conversations // FLAGGED
        before = {kind: kind._base_manager.aggregate(last=Max("pk"))["last"] or 0 for kind in (Rating, Case, Flag)}
        value = f"CASE WHEN i %% 3 = 0 THEN {Value.BAD} ELSE {Value.GOOD} END"
        reply = f"i * {RATED * self.each} + {first + 1}"
        identity = {kind: f"i + {before[kind] + 1}" for kind in before}
        _insert(
            Rating(message_id=0, value=1, comment="as it should be"),
            ratings,
            {"id": identity[Rating], "message_id": reply, "value": value, "changed_at": moment},
        )
        is_open = f"i %% {UNFINISHED} = 0"
        _insert(
            Case(conversation_id=0),
            cases,
            {
                "id": identity[Case],
                "conversation_id": f"i * {FLAGGED} + {first}",
                "status": f"CASE WHEN {is_open} THEN '{Progress.OPEN}' ELSE '{Progress.DONE}' END",
                "opened_at": moment,
                "closed_at": f"CASE WHEN {is_open} THEN NULL ELSE {moment} END",
            },
        )
        flag = Flag(case_id=0, cause=Cause.SAMPLE)
        _insert(flag, cases, {"id": identity[Flag], "case_id": identity[Case], "created_at": moment})


def _insert(like: Model, count: int, made: Mapping[str, str]) -> None:
    """`count` rows like this one but for the columns that SQL makes of their number i."""
    if not count:
        return
    columns, values, constants = [], [], []
    for field in like._meta.concrete_fields:
        columns.append(connection.ops.quote_name(field.column or ""))
        values.append(made.get(field.attname, "%s"))
        if field.attname not in made:
            constants.append(field.get_db_prep_save(field.pre_save(like, add=True), connection))
    table = connection.ops.quote_name(like._meta.db_table)
    numbers = f"WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < {count - 1})"  # noqa: S608, numbers and names of ours
    statement = f"{numbers} INSERT INTO {table} ({', '.join(columns)}) SELECT {', '.join(values)} FROM n"  # noqa: S608
    with connection.cursor() as cursor:
        cursor.execute(statement, constants)
