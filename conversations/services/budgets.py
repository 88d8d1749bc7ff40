"""Budgets: room is reserved before a reply begins, and settled by the ledger when it has ended. Never overspent.

Which budgets there are is remembered for a few seconds: where there is none, a send costs no statement. What goes to a
key that somebody brought is their own matter and counts for none.
"""

import datetime as dt
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from math import ceil
from typing import Any

from django.conf import settings
from django.contrib.auth.models import Group
from django.db import connection, transaction
from django.db.models import Count, F, Sum
from django.db.models.functions import Coalesce, Length
from django.utils import timezone
from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from conversations.models import Budget, LedgerEntry, Message, OwnKey, Part, ProviderCall, Reservation, Spending
from conversations.models.budget import NANO, Period, Scope
from conversations.models.ledger import PICO
from conversations.models.message import RUNNING
from conversations.services import offers
from conversations.services.errors import Refusal
from conversations.services.ledger import LOST_AFTER, PER
from conversations.services.offers import Offer

ENDED_FOR = dt.timedelta(minutes=1)  # whoever wrote the reply settles it at once; later nobody will
PICTURES_AT_MOST = 8
BYTES = 4  # of a letter, at most
ROUND_ABOUT = 200  # tokens that a provider's own words around a message have at most
TURN = 0x62756467  # the number of PostgreSQL's advisory lock under which budgets change, one transaction at a time
LARGEST = 10**18  # a budget's limit is less, so that no sum of these leaves the column
NEVER_ASKED = ("network", "not_configured", "private_address")

_remembered: list[tuple[float, Sequence[Budget]]] = []  # one at most: until when it holds


@dataclass(frozen=True, slots=True)
class Bound:
    """What a call can cost at most."""

    money: Fraction
    currency: str


class OverBudget(Refusal):
    """There is not enough left for this message."""


@dataclass(frozen=True, slots=True)
class Left:
    """A budget as the person it concerns sees it. Money in its currency; None where that is not limited."""

    budget: Budget
    renews: dt.date
    messages: int | None
    money: Decimal | None

    @property
    def sentence(self) -> str:
        told = []
        if self.messages is not None:
            told.append(
                ngettext("%(count)s message is left.", "%(count)s messages are left.", self.messages)
                % {"count": number_format(self.messages)}
            )
        if self.money is not None:
            told.append(_("%(money)s is left.") % {"money": _money(self.money, self.budget.currency)})
        told.append(_("It renews on %(date)s.") % {"date": date_format(self.renews)})
        return " ".join(told)


def current() -> Sequence[Budget]:
    """The budgets there are, in the order of their primary keys."""
    now = time.monotonic()
    if not _remembered or _remembered[0][0] < now:
        _remembered[:] = [(now + settings.OFFERS_LIFE, list(Budget.objects.filter(is_enabled=True)))]
    return _remembered[0][1]


def forget() -> None:
    """Something was changed. Other processes notice it within seconds."""
    _remembered.clear()


def reserve(reply: Message, person: int, run: int = 1) -> None:
    """Hold room for a run of this reply in every budget it concerns, or in none. Raises OverBudget."""
    if current():
        _reserve(reply, person, run)


def settle(reply: int, run: int) -> None:
    """Count what the run cost by the ledger, and give back the rest. Of several that do it, one does."""
    if current():
        _settle(reply, run)


@transaction.atomic
def _reserve(reply: Message, person: int, run: int) -> None:
    concerned = _concerning(person, reply.model)
    offer = offers.every().get(reply.model)
    if not concerned or (offer and _brings_key(person, offer)):
        return
    bound = _bound(offer, reply) if any(budget.money is not None for budget in concerned) else None
    _wait_for_turn()
    held = [_hold(budget, person, bound) for budget in concerned]
    Reservation.objects.bulk_create(
        Reservation(reply=reply.pk, run=run, spending=spending, money=money) for spending, money in held
    )


@transaction.atomic
def _settle(reply: int, run: int) -> None:
    _wait_for_turn()
    found = list(Reservation.objects.of(reply, run).select_related("spending__budget"))
    entries = list(LedgerEntry.objects.filter(reply=reply, run=run)) if found else []
    is_counted = any(not _is_free(entry) for entry in entries)
    for one in found:
        if not Reservation.objects.filter(pk=one.pk).delete()[0]:
            continue
        cost = _cost(entries, one)
        Spending.objects.filter(pk=one.spending_id).update(
            reserved=F("reserved") - one.money,
            spent=min(one.spending.spent + cost, LARGEST),  # nobody else changes it now
            messages=F("messages") - (0 if is_counted else 1),
        )


def settle_left_behind() -> int:
    """Settle for replies that nobody writes any more, of processes that ended; returns how many there were."""
    if not current():
        return 0
    held = set(Reservation.objects.values_list("reply", "run"))
    replies = Message.objects.in_bulk({reply for reply, _run in held})
    running = {pk for pk, reply in replies.items() if reply.status in RUNNING}
    recent = {pk for pk, reply in replies.items() if reply.ended_at and reply.ended_at > timezone.now() - ENDED_FOR}
    asking = set(ProviderCall.objects.filter(message__in=replies, outcome="").values_list("message", flat=True))
    young = Reservation.objects.filter(at__gt=timezone.now() - LOST_AFTER).values_list("reply", flat=True)
    without_row = set(young) - set(replies)
    left = [one for one in held if one[0] not in running | recent | asking | without_row]
    for reply, run in left:
        settle(reply, run)
    return len(left)


def left_for(person: int) -> list[Left]:
    """What is left of every budget that concerns this person, whatever the model."""
    return [_left(budget, person) for budget in _concerning(person)]


def _concerning(person: int, model: str | None = None) -> list[Budget]:
    found = [budget for budget in current() if model is None or budget.model in ("", model)]
    found = [budget for budget in found if budget.scope != Scope.PERSON or budget.person_id == person]
    if any(budget.group_id for budget in found):
        groups = set(Group.objects.filter(user=person).values_list("pk", flat=True))
        found = [budget for budget in found if budget.group_id is None or budget.group_id in groups]
    return found


def _brings_key(person: int, offer: Offer) -> bool:
    link = offer.link
    return link.takes_own_keys and OwnKey.objects.filter(owner=person, connection=link.connection).exists()


def _wait_for_turn() -> None:
    """SQLite has one writer anyway; on PostgreSQL rows taken in different orders could wait for each other."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [TURN])


def _hold(budget: Budget, person: int, bound: Bound | None) -> tuple[Spending, int]:
    """Room in one budget: its spending and the money. Raises OverBudget."""
    key: dict[str, Any] = {"budget": budget, "subject": _subject(budget, person), "begins": _begins(budget)}
    spending, _is_new = Spending.objects.get_or_create(**key)
    most = 0 if budget.money is None else _most(budget, bound)
    room = Spending.objects.filter(pk=spending.pk)
    if budget.messages is not None:
        room = room.filter(messages__lt=budget.messages)
    if budget.money is not None:
        room = room.filter(spent__lte=_parts(budget.money) - most - F("reserved"))
    if not room.update(messages=F("messages") + 1, reserved=F("reserved") + most):
        raise OverBudget(_refusal(_left(budget, person), most))
    return spending, most


def _most(budget: Budget, bound: Bound | None) -> int:
    """What one message may cost, by the prices or as was said, whichever is more. Raises OverBudget where nobody can
    know."""
    said = None if budget.set_aside is None else _parts(budget.set_aside)
    known = ceil(bound.money * NANO) if bound and bound.currency == budget.currency else None
    most = max((one for one in (said, known) if one is not None and one <= LARGEST), default=None)
    if most is None:
        raise OverBudget(
            _("Nobody knows what this model costs, so that no budget can pay for it. Choose another model.")
        )
    return most


def _bound(offer: Offer | None, reply: Message) -> Bound | None:
    """The dearest that a call for this reply can be by its prices; None where they, or the lengths, are not known."""
    if offer is None or offer.prices is None:
        return None
    prices, model = offer.prices, offer.model
    asked = _dearest(_longest_request(reply, model.context_window), prices.input, prices.cached)
    answered = _dearest(model.output_limit or model.context_window, prices.output, prices.reasoning)
    drawn = PICTURES_AT_MOST * Fraction(prices.picture or 0) if model.draws_images else Fraction(0)
    return None if asked is None or answered is None else Bound(asked + answered + drawn, prices.currency)


def _longest_request(reply: Message, context_window: int | None) -> int | None:
    """Tokens that a request for this reply can have at most: no text has more of them than bytes. What a picture has
    is known to its provider alone, but never more than fits the context."""
    conversation = reply.conversation
    told = Part.objects.filter(message__conversation=conversation).aggregate(
        letters=Coalesce(Sum(Length("text") + Length("signature") + Length("name")), 0),
        parts=Count("pk"),
        pictures=Count("attachment"),
    )
    if told["pictures"]:
        return context_window
    around = ROUND_ABOUT * (1 + int(told["parts"]))
    tokens = BYTES * (int(told["letters"]) + len(conversation.system_prompt)) + around
    return tokens if context_window is None else min(tokens, context_window)


def _dearest(tokens: int | None, price: Decimal | None, special: Decimal | None) -> Fraction | None:
    if price is None:
        return None
    highest = max(price, special or Decimal(0))
    return Fraction(0) if not highest else None if tokens is None else tokens * Fraction(highest) / PER


def _cost(entries: Iterable[LedgerEntry], held: Reservation) -> int:
    """What a run cost in the currency of the budget; what was held, where nobody knows."""
    currency, known, is_known = held.spending.budget.currency, 0, True
    for entry in entries:
        if entry.amount is not None and entry.currency == currency:
            known += entry.amount
        elif not _is_free(entry):
            is_known = False
    exact = ceil(Fraction(known, PICO // NANO))
    return exact if is_known else max(exact, held.money)


def _is_free(entry: LedgerEntry) -> bool:
    """Whether nothing was given for this call: the provider refused it, or never heard of it."""
    if entry.amount is not None:
        return False
    is_refused = entry.status_code is not None and entry.status_code >= 400
    return is_refused or (entry.status_code is None and entry.outcome in NEVER_ASKED)


def _left(budget: Budget, person: int) -> Left:
    spent = Spending.objects.filter(budget=budget, subject=_subject(budget, person), begins=_begins(budget)).first()
    spent = spent or Spending()
    messages = None if budget.messages is None else max(0, budget.messages - spent.messages)
    money = None if budget.money is None else max(0, _parts(budget.money) - spent.spent - spent.reserved)
    return Left(budget, _renews(budget), messages, None if money is None else Decimal(money).scaleb(-9))


def _refusal(left: Left, most: int) -> str:
    about = {
        Scope.SITE: _("The budget of everybody does not allow this message."),
        Scope.GROUP: _("The budget of your group does not allow this message."),
    }
    words = [about.get(Scope(left.budget.scope), _("Your budget does not allow this message."))]
    if left.money is not None and most:
        money = _money(Decimal(most).scaleb(-9), left.budget.currency)
        words.append(_("It may cost up to %(money)s.") % {"money": money})
    return " ".join([*words, left.sentence])


def _money(amount: Decimal, currency: str) -> str:
    """An amount for people, cut after six digits: what is left is never more than it says."""
    exact = amount.quantize(Decimal("0.000001"), rounding="ROUND_FLOOR").normalize()
    return f"{number_format(exact, max(2, -int(exact.as_tuple().exponent)), use_l10n=True)} {currency}"


def _parts(amount: Decimal) -> int:
    return int(Fraction(amount) * NANO)


def _subject(budget: Budget, person: int) -> int:
    return 0 if budget.scope in (Scope.SITE, Scope.GROUP) else person


def _begins(budget: Budget) -> dt.date:
    today = timezone.localdate()
    return today if budget.period == Period.DAY else today.replace(day=1)


def _renews(budget: Budget) -> dt.date:
    begins = _begins(budget)
    return (
        begins + dt.timedelta(days=1)
        if budget.period == Period.DAY
        else (begins + dt.timedelta(days=32)).replace(day=1)
    )
