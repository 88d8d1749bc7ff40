"""What was used and spent, by the ledger: sums by day, person, group, model or connection, and the report over a
provider's own figures. Only reads; what concerns everybody comes from the sums that are kept."""

import csv
import datetime as dt
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import reduce
from operator import or_
from typing import Any

from django.db.models import OuterRef, Q, Subquery, Sum
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.translation import gettext as _

from conversations.models import Connection, LedgerEntry, LedgerSum, User
from conversations.models.ledger import By
from conversations.services import catalog, sums
from conversations.services.errors import Refusal
from conversations.services.sums import COUNTS, HALF, SUMMED, Key, Row

FORMULA = ("=", "+", "-", "@", "\t", "\r")
COLUMNS = ("name", "calls", *COUNTS, "credits", "currency", "money", "calls of unknown cost")
MOST_ROWS = 100_000


@dataclass(slots=True)
class Line:
    """One line of a table. `money` by currency; `unknown`: calls of which nobody knows what they cost."""

    name: str
    calls: int = 0
    unknown: int = 0
    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(COUNTS, 0))
    credits: Decimal = Decimal(0)
    money: dict[str, Decimal] = field(default_factory=dict)

    def add(self, row: Row) -> None:
        """SUMMED of one currency."""
        self.calls += row["calls"]
        self.unknown += row["calls"] - row["known"]
        for name in COUNTS:
            self.counts[name] += int(row[name])
        self.credits += _whole(row, "credits").scaleb(-8)
        if row["known"]:
            before = self.money.get(row["currency"], Decimal(0))
            self.money[row["currency"]] = before + _whole(row, "amount").scaleb(-12)

    @property
    def amounts(self) -> list[str]:
        """For people: without zeros at the end, with no digit left out."""
        return [in_words(money, currency) for currency, money in sorted(self.money.items())]


@dataclass(frozen=True, slots=True)
class Bar:
    """One day of a chart, in its units: 100 high."""

    day: dt.date
    x: int
    y: int
    height: int
    said: str


def in_words(money: Decimal, currency: str) -> str:
    """For people: in their language's way, with every digit."""
    return f"{number_format(money.normalize())} {currency}".strip()


def since(days: int) -> dt.date:
    """The first of so many days, of which today is the last."""
    return timezone.localdate() - dt.timedelta(days=days - 1)


def of_everybody(first: dt.date, by: str) -> tuple[list[Line], list[Line]]:
    """From that day on: the table by day, and that by something else."""
    days, others = (list(_stored(first, kind)) for kind in (By.DAY, by))
    fresh = sums.open_rows(first)
    for key, row in sums.spread(fresh, sums.groups_of(fresh) if by == By.GROUP else {}):
        if key.by == By.DAY:
            days.append((key, row))
        if key.by == by:
            others.append((key, row))
    return _table(days), _table(others)


def of_person(person: User, first: dt.date) -> tuple[list[Line], list[Line]]:
    """The same of one person: the tables by day and by model."""
    kept = LedgerSum.objects.filter(by=By.OWN, key=str(person.pk), day__gte=first)
    rows = [(Key(By.OWN, row["day"], name=row["name"]), row) for row in kept.values("day", "name", "currency", *SUMMED)]
    fresh = sums.spread(sums.open_rows(first, person=person.pk), {})
    rows += [(key, row) for key, row in fresh if key.by == By.OWN]
    by_day = _table((Key(By.DAY, key.day), row) for key, row in rows)
    return by_day, _table((Key(By.MODEL, key.day, key.name), row) for key, row in rows)


def together(rows: Iterable[Line]) -> Line:
    whole = Line("")
    for line in rows:
        whole.calls, whole.unknown = whole.calls + line.calls, whole.unknown + line.unknown
        for name, count in line.counts.items():
            whole.counts[name] += count
        whole.credits += line.credits
        for currency, amount in line.money.items():
            whole.money[currency] = whole.money.get(currency, Decimal(0)) + amount
    return whole


def chart(days: Sequence[Line], first: dt.date) -> list[Bar]:
    """A bar for each day from the first to today: money in the currency of the most days, else calls."""
    currencies = [currency for line in days for currency in line.money]
    currency = max(sorted(set(currencies)), key=currencies.count) if currencies else ""
    values = {line.name: line.money.get(currency, Decimal(0)) if currency else Decimal(line.calls) for line in days}
    most = max(values.values(), default=Decimal(0)) or Decimal(1)
    bars = []
    for place in range((timezone.localdate() - first).days + 1):
        day = first + dt.timedelta(days=place)
        value = values.get(day.isoformat(), Decimal(0))
        height = min(100, max(1 if value else 0, int(value * 100 / most)))
        bars.append(Bar(day, place * 10, 100 - height, height, in_words(value, currency)))
    return bars


def as_csv(table: Iterable[Line]) -> str:
    """The table with all digits; one row for each currency. No cell is a formula."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    for line in table:
        first = (line.calls, *line.counts.values(), f"{line.credits:f}")
        for place, (currency, amount) in enumerate(sorted(line.money.items()) or [("", "")]):
            counted = first if place == 0 else ("",) * len(first)
            unknown = line.unknown if place == 0 else ""
            money = f"{amount:f}" if isinstance(amount, Decimal) else ""
            writer.writerow((_harmless(line.name), *counted, currency, money, unknown))
    return "\ufeff" + out.getvalue()


@dataclass(frozen=True, slots=True)
class Remaining:
    """What a connection's provider last said is left of its credits."""

    connection: str
    credits: Decimal
    at: dt.datetime


def connections() -> dict[str, Decimal | None]:
    """Those whose calls are added up, in their order, with the credits below which administrators are warned."""
    warning = Connection.objects.filter(slug=OuterRef("key")).order_by().values("credit_warning")
    called = LedgerSum.objects.filter(by=By.CONNECTION).order_by("key")
    return dict(called.values_list("key", Subquery(warning)).distinct())


def remaining() -> list[tuple[Remaining, bool]]:
    """For each connection the newest figure for the shared key, and whether that is less than its threshold."""
    least = connections()
    told = LedgerEntry.objects.filter(remaining__isnull=False).exclude(is_own_key=True).order_by("-pk")
    newest = [Q(pk=Subquery(told.filter(connection=slug).values("pk")[:1])) for slug in least]
    found = LedgerEntry.objects.filter(reduce(or_, newest)).order_by("connection") if newest else ()
    left = [Remaining(one.connection, Decimal(one.remaining or 0).scaleb(-8), one.at) for one in found]
    return [(one, one.credits < (least[one.connection] or 0)) for one in left]


@dataclass(frozen=True, slots=True)
class Difference:
    """A day of a provider's own figures beside ours. None where one side has nothing."""

    day: dt.date
    theirs: Decimal | None
    ours: Decimal | None
    unknown: int

    @property
    def by(self) -> Decimal:
        return (self.ours or Decimal(0)) - (self.theirs or Decimal(0))


def reconcile(connection: str, figures: str, currency: str = "USD") -> list[Difference]:
    """A provider's figures, lines of day and amount, beside ours, for every day that either side has in their span.

    Raises Refusal where they cannot be read.
    """
    theirs = _figures(figures)
    first, last = min(theirs), max(theirs)
    rows = list(_stored(first, By.SHARED, day__lte=last, key=connection))
    fresh = sums.spread(sums.open_rows(first, last, connection=connection), {})
    rows += [(key, row) for key, row in fresh if key.by == By.SHARED]
    ours = {dt.date.fromisoformat(line.name): line for line in _table((Key(By.DAY, key.day), row) for key, row in rows)}
    found = []
    for day in sorted(theirs.keys() | ours.keys()):
        line = ours.get(day, Line(""))
        found.append(Difference(day, theirs.get(day), line.money.get(currency), line.unknown))
    return found


def _figures(text: str) -> dict[dt.date, Decimal]:
    found: dict[dt.date, Decimal] = {}
    rows = [row for row in csv.reader(io.StringIO(text.lstrip("\ufeff"))) if any(cell.strip() for cell in row)]
    for number, row in enumerate(rows[:MOST_ROWS], start=1):
        day = row[0].strip()[:10]
        if number == 1 and not re.match(r"\d{4}-", day):
            continue  # the names of the columns
        amount = row[1].strip().lstrip("$") if len(row) > 1 else ""
        if not re.fullmatch(r"\d{4}-\d\d-\d\d", day) or not re.fullmatch(r"-?\d{1,12}(\.\d{1,20})?", amount):
            raise Refusal(
                _("Line %(number)d is not a day and an amount, such as 2026-01-31,12.50.") % {"number": number}
            )
        try:
            found[dt.date.fromisoformat(day)] = found.get(dt.date.fromisoformat(day), Decimal(0)) + Decimal(amount)
        except ValueError as error:
            raise Refusal(_("Line %(number)d names a day that does not exist.") % {"number": number}) from error
    if not found:
        raise Refusal(_("There is no line with a day and an amount."))
    return found


def _stored(first: dt.date, by: str, **where: Any) -> Iterator[tuple[Key, Row]]:
    """The sums that are kept: of days one by one, of all else over all days together."""
    is_daily = by in (By.DAY, By.SHARED)
    parts = ("day",) if is_daily else ("key", "name")
    found = LedgerSum.objects.filter(by=by, day__gte=first, **where).order_by()
    added = {f"all_{name}": Sum(name) for name in SUMMED}
    for row in found.values(*parts, "currency").annotate(**added):
        key = Key(by, row.get("day", first), row.get("key", ""), row.get("name", ""))
        yield key, {"currency": row["currency"], **{name: row[f"all_{name}"] for name in SUMMED}}


def _table(rows: Iterable[tuple[Key, Row]]) -> list[Line]:
    """Days in their order, all else by name."""
    found: dict[Any, Line] = {}
    for key, row in rows:
        order, name = _named(key)
        found.setdefault(order, Line(name)).add(row)
    return [found[order] for order in sorted(found)]


def _named(key: Key) -> tuple[tuple[str, str], str]:
    """Where it stands, and what people read."""
    match key.by:
        case By.DAY:
            return (key.day.isoformat(), ""), key.day.isoformat()
        case By.PERSON:
            return (key.name, key.key), key.name
        case By.GROUP:
            name = key.key or _("in no group")
            return (name, ""), name
        case By.MODEL:
            return (key.key, ""), catalog.label(key.key)
    return (key.key, ""), key.key


def _whole(row: Row, name: str) -> Decimal:
    return Decimal(int(row[f"{name}_high"]) * HALF + int(row[f"{name}_low"]))


def _harmless(text: str) -> str:
    return f"'{text}" if text.startswith(FORMULA) else text
