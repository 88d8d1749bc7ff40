"""Sums of the ledger by day: what has ended is added up once, in the background. Pages add the newest calls themselves.

The groups of a person are those at the time of adding up, within a minute of the call: whoever changes groups later
takes nothing along.
"""

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

from django.db import connection, transaction
from django.db.models import BigIntegerField, Case, Count, F, Max, QuerySet, Sum, Value, When
from django.db.models.functions import Coalesce

from conversations.models import LedgerEntry, LedgerSum, User
from conversations.models.ledger import LARGEST, By
from conversations.services.ledger import LOST

STRETCH = 20_000  # entries that are added up in one go
STRETCHES = 25  # of one round: what an update of the software brought is added up within minutes
HALF = 10**6
COUNTS = ("prompt_tokens", "output_tokens", "reasoning_tokens", "cached_tokens", "pictures")
HALVES = tuple(f"{name}_{half}" for name in ("credits", "amount") for half in ("high", "low"))
SUMMED = ("calls", "known", *COUNTS, *HALVES)
SHARED = "is_shared"
PARTS = ("day", "person", "person_name", "model", "connection", SHARED)
IS_LOST = f"conversations_ledgerentry.outcome = '{LOST}'"
TURN = 0x73756D73  # "sums": the number of PostgreSQL's advisory lock of whoever adds up

Row: TypeAlias = Mapping[str, Any]
"""SUMMED, in one currency, of what the row says it is of."""


class Key(NamedTuple):
    """Of which sum: of whom or what on which day, as on LedgerSum."""

    by: str
    day: dt.date
    key: str = ""
    name: str = ""


def add_up() -> int:
    """Go on behind what is added up already; returns over how many entries that went."""
    settled, done = _settled(), 0
    for _ in range(STRETCHES):
        if not (found := _add_stretch(settled)):
            break
        done += found
    return done


def up_to() -> int:
    """The last entry that is added up."""
    return LedgerSum.objects.aggregate(last=Max("up_to"))["last"] or 0


def summed(entries: QuerySet[LedgerEntry]) -> QuerySet[Any, dict[str, Any]]:
    """SUMMED of these entries for each different value of PARTS and each currency."""
    whole = BigIntegerField()
    found: Any = entries.order_by().annotate(is_shared=Case(When(is_own_key=True, then=Value(0)), default=Value(1)))
    found = found.values(*PARTS, "currency")
    added: dict[str, Any] = {"calls": Count("pk"), "known": Count("amount")}
    for name in ("amount", "credits"):
        added[f"{name}_high"] = Coalesce(Sum(F(name) / HALF, output_field=whole), 0)
        added[f"{name}_low"] = Coalesce(Sum(F(name) % HALF, output_field=whole), 0)
    added |= {f"all_{name}": Coalesce(Sum(name), 0, output_field=whole) for name in COUNTS}
    rows: QuerySet[Any, dict[str, Any]] = found.annotate(**added)
    return rows


def open_rows(first: dt.date, until: dt.date | None = None, **where: Any) -> list[dict[str, Any]]:
    """What is not added up yet of these days: the newest calls, and those that were lost.

    `where` as on LedgerEntry. The newest are found by primary key alone; by their days a year's would be looked at.
    """
    until = until or dt.date.max
    newest = summed(LedgerEntry.objects.filter(pk__gt=up_to(), pk__lte=LARGEST, **where).exclude(outcome=LOST))
    # Written out, since SQLite does not see otherwise that there is an index of these alone.
    lost = LedgerEntry.objects.filter(day__gte=first, day__lte=until, **where).extra(where=[IS_LOST])  # noqa: S610
    return [row for row in _read(newest.union(summed(lost), all=True)) if first <= row["day"] <= until]


def _read(rows: QuerySet[Any, dict[str, Any]]) -> list[dict[str, Any]]:
    return [{name.removeprefix("all_"): value for name, value in row.items()} for row in rows]


def spread(rows: Iterable[Row], groups: Mapping[int, Sequence[str]]) -> Iterator[tuple[Key, Row]]:
    """Each of these rows, by PARTS, for every sum that it belongs to."""
    for row in rows:
        day, person = row["day"], row["person"] or 0
        yield Key(By.DAY, day), row
        yield Key(By.PERSON, day, str(person), row["person_name"]), row
        yield Key(By.OWN, day, str(person), row["model"]), row
        yield Key(By.MODEL, day, row["model"]), row
        yield Key(By.CONNECTION, day, row["connection"]), row
        for name in groups.get(person, [""]):
            yield Key(By.GROUP, day, name), row
        if row[SHARED]:
            yield Key(By.SHARED, day, row["connection"]), row


def groups_of(rows: Iterable[Row]) -> dict[int, list[str]]:
    """The groups in which the people of these rows are now, by primary key of the person."""
    people, found = {row["person"] for row in rows}, dict[int, list[str]]()
    memberships = User.groups.through.objects.values_list("user", "group__name")
    for person, name in memberships if people else ():
        if person in people:
            found.setdefault(person, []).append(name)
    return found


def _settled() -> int:
    """The last entry below which none will come any more: whoever writes one now is waited for."""
    if connection.vendor != "postgresql":
        return _last()  # one writer at a time
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL lock_timeout = '2s'")
        cursor.execute("LOCK TABLE conversations_ledgerentry IN SHARE MODE")
        return _last()


def _last() -> int:
    return LedgerEntry.objects.aggregate(last=Max("pk"))["last"] or 0


@transaction.atomic
def _add_stretch(settled: int) -> int:
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [TURN])
    first = up_to()
    behind = LedgerEntry.objects.filter(pk__gt=first, pk__lte=settled).exclude(outcome=LOST)
    last = behind.filter(pk__lte=first + STRETCH).aggregate(last=Max("pk"))["last"]
    last = last or behind.order_by("pk").values_list("pk", flat=True).first()
    if last is None:
        return 0
    rows = _read(summed(behind.filter(pk__lte=last)))
    added: dict[tuple[Key, str], dict[str, int]] = {}
    for key, row in spread(rows, groups_of(rows)):
        more = added.setdefault((key, row["currency"]), dict.fromkeys(SUMMED, 0))
        for name in SUMMED:
            more[name] += int(row[name])
    _store(added, last)
    return last - first


def _store(added: Mapping[tuple[Key, str], Mapping[str, int]], last: int) -> None:
    days = {key.day for key, _currency in added}
    stored = {
        (Key(one.by, one.day, one.key, one.name), one.currency): one for one in LedgerSum.objects.filter(day__in=days)
    }
    rows = []
    for place, more in added.items():
        key, currency = place
        one = stored.get(place) or LedgerSum(**key._asdict(), currency=currency)
        one.up_to = last
        for name, value in more.items():
            setattr(one, name, min(getattr(one, name) + value, LARGEST))
        rows.append(one)
    LedgerSum.objects.filter(pk__in=[one.pk for one in rows if one.pk]).delete()
    LedgerSum.objects.bulk_create(rows, batch_size=500)
