"""What was used and spent, by the ledger: sums by day, person, group, model or connection, and the report over a
provider's own figures. Only reads. Sums are exact: whole numbers, added in two halves so that none is too large."""

import csv
import datetime as dt
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.contrib.auth.models import Group
from django.db.models import BigIntegerField, Count, F, QuerySet, Sum
from django.utils import timezone
from django.utils.translation import gettext as _

from conversations.models import LedgerEntry, User
from conversations.models.ledger import EntryQuerySet
from conversations.services import catalog
from conversations.services.errors import Refusal

HALF = 10**6
COUNTS = ("prompt_tokens", "output_tokens", "reasoning_tokens", "cached_tokens", "pictures")
BY = {"day": ("day",), "person": ("person", "person_name"), "group": ("person",), "model": ("model",)} | {
    "connection": ("connection",)
}
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

    def add(self, row: Mapping[str, Any]) -> None:
        self.calls += row["calls"]
        self.unknown += row["calls"] - row["known"]
        for name in COUNTS:
            self.counts[name] += int(row[f"all_{name}"] or 0)
        self.credits += _whole(row, "credits").scaleb(-8)
        if row["known"]:
            before = self.money.get(row["currency"], Decimal(0))
            self.money[row["currency"]] = before + _whole(row, "amount").scaleb(-12)

    @property
    def amounts(self) -> list[str]:
        """For people: without zeros at the end, with no digit left out."""
        return [f"{amount.normalize():f} {currency}" for currency, amount in sorted(self.money.items())]


@dataclass(frozen=True, slots=True)
class Bar:
    """One day of a chart, in its units: 100 high."""

    day: dt.date
    x: int
    y: int
    height: int
    said: str


def since(days: int) -> dt.date:
    """The first of so many days, of which today is the last."""
    return timezone.localdate() - dt.timedelta(days=days - 1)


def lines(entries: EntryQuerySet, by: str) -> list[Line]:
    """The table by one of BY: days in their order, all else by name."""
    found: dict[Any, Line] = {}
    groups = _groups() if by == "group" else {}
    for row in _summed(entries, BY[by]):
        for key, name in _named(row, by, groups):
            found.setdefault(key, Line(name)).add(row)
    return [found[key] for key in sorted(found)]


def total(entries: EntryQuerySet) -> Line:
    line = Line("")
    for row in _summed(entries, ()):
        line.add(row)
    return line


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
        bars.append(Bar(day, place * 10, 100 - height, height, f"{value.normalize():f} {currency}".strip()))
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


def remaining() -> list[Remaining]:
    """For each connection the newest figure for the shared key."""
    found = []
    for slug in LedgerEntry.objects.order_by("connection").values_list("connection", flat=True).distinct():
        told = LedgerEntry.objects.filter(connection=slug, remaining__isnull=False).exclude(is_own_key=True)
        if last := told.order_by("-pk").values_list("remaining", "at").first():
            found.append(Remaining(slug, Decimal(last[0] or 0).scaleb(-8), last[1]))
    return found


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


def reconcile(entries: EntryQuerySet, figures: str, currency: str = "USD") -> list[Difference]:
    """A provider's figures, lines of day and amount, beside ours, for every day that either side has in their span.

    Raises Refusal where they cannot be read.
    """
    theirs = _figures(figures)
    span = entries.filter(day__gte=min(theirs), day__lte=max(theirs)).exclude(is_own_key=True)
    ours = {dt.date.fromisoformat(line.name): line for line in lines(span, "day")}
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


def _summed(entries: EntryQuerySet, by: Sequence[str]) -> Iterable[Mapping[str, Any]]:
    whole = BigIntegerField()
    sums = {f"all_{name}": Sum(name) for name in COUNTS}
    for name in ("amount", "credits"):
        sums[f"{name}_high"] = Sum(F(name) / HALF, output_field=whole)
        sums[f"{name}_low"] = Sum(F(name) % HALF, output_field=whole)
    found: QuerySet[Any, Any] = entries.order_by().values(*by, "currency")
    return list(found.annotate(calls=Count("pk"), known=Count("amount"), **sums))


def _whole(row: Mapping[str, Any], name: str) -> Decimal:
    return Decimal(int(row[f"{name}_high"] or 0) * HALF + int(row[f"{name}_low"] or 0))


def _named(row: Mapping[str, Any], by: str, groups: Mapping[int, list[str]]) -> list[tuple[Any, str]]:
    match by:
        case "person":
            return [((row["person_name"], row["person"]), row["person_name"])]
        case "group":
            return [(name, name) for name in groups.get(row["person"], [_("in no group")])]
        case "model":
            return [(row["model"], catalog.label(row["model"]))]
    return [(row[by], str(row[by]))]


def _groups() -> dict[int, list[str]]:
    """The groups in which people are now, by primary key of the person."""
    names, found = dict(Group.objects.values_list("pk", "name")), dict[int, list[str]]()
    for person, group in User.groups.through.objects.values_list("user", "group"):
        found.setdefault(person, []).append(names[group])
    return found


def _harmless(text: str) -> str:
    return f"'{text}" if text.startswith(FORMULA) else text
