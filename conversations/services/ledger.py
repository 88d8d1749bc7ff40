"""The ledger: one row for each attempt at a provider, with what is known of its cost. Sums are whole numbers.

What the provider states goes before what the prices give. Neither ever credits: what is negative, too large or not
said is unknown.
"""

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from conversations.models import Conversation, LedgerEntry, Message, ProviderCall, rows
from conversations.models.ledger import CREDIT_PARTS, LARGEST, PICO, Basis
from conversations.models.message import RUNNING
from conversations.providers.events import Usage
from conversations.services.offers import Prices

LOST = "lost"
LOST_AFTER = dt.timedelta(minutes=30)  # twice as long as the longest call
PER = 1_000_000  # prices are for so many tokens


@dataclass(frozen=True, slots=True)
class Terms:
    """Under which a call was made: its prices at that time, and whose key paid. None where nobody knows."""

    is_own_key: bool | None = None
    prices: Prices | None = None


def note(call: ProviderCall, reply: Message, usage: Usage | None, terms: Terms, pictures: int) -> LedgerEntry:
    """Add the row of a call that has ended."""
    return rows.insert(_entry(call, reply, usage or Usage(), terms, pictures))


def note_late(call: ProviderCall, reply: Message, usage: Usage | None, terms: Terms, pictures: int) -> None:
    """The same for a call whose record is gone or was given up: its row may be there already, and is not whole."""
    with transaction.atomic():
        LedgerEntry.objects.filter(call=call.pk, outcome=LOST).delete()  # the new row is behind what is added up
        if not LedgerEntry.objects.filter(call=call.pk).exists():
            rows.insert(_entry(call, reply, usage or Usage(), terms, pictures))


def close_lost() -> int:
    """Add rows for calls whose process ended before it could tell how they went; returns how many those were."""
    begun_before = timezone.now() - LOST_AFTER
    found = ProviderCall.objects.filter(outcome="", started_at__lt=begun_before).exclude(message__status__in=RUNNING)
    return sum(_close(call) for call in found.select_related("message__conversation__owner")[:1000])


def close_calls_of(reply: Message) -> int:
    """The same for a reply that nobody writes any more."""
    return _close_all(ProviderCall.objects.filter(message=reply.pk))


def close_calls_in(conversation: Conversation) -> int:
    """The same before a conversation is removed with the records of its calls."""
    return _close_all(ProviderCall.objects.filter(message__conversation=conversation))


def _close_all(calls: QuerySet[ProviderCall]) -> int:
    return sum(_close(call) for call in calls.filter(outcome="").select_related("message__conversation__owner"))


@transaction.atomic
def _close(call: ProviderCall) -> bool:
    if not ProviderCall.objects.filter(pk=call.pk, outcome="").update(outcome=LOST):
        return False
    call.outcome = LOST
    note(call, call.message, None, Terms(), 0)
    return True


def cost_of(usage: Usage, prices: Prices | None, pictures: int) -> Fraction | None:
    """What these tokens and pictures cost by these prices, in their currency; None where something needed is unknown.

    Cached tokens are some of the prompt's, reasoning tokens and pictures some of the output's: without a price of
    their own they have that of the rest.
    """
    if prices is None:
        return None
    asked = _tokens(usage.prompt, prices.input, usage.cached, prices.cached)
    answered = _tokens(usage.output, prices.output, usage.reasoning, prices.reasoning)
    if asked is None or answered is None:
        return None
    return asked + answered + pictures * Fraction(max(prices.picture or Decimal(0), Decimal(0)))


def _tokens(
    count: int | None, price: Decimal | None, special: int | None, special_price: Decimal | None
) -> Fraction | None:
    """`count` tokens, of which `special` have a price of their own."""
    if price is None or price < 0 or (special_price is not None and special_price < 0):
        return None
    if special_price is None or special_price == price:
        return Fraction(0) if price == 0 else None if count is None else count * Fraction(price) / PER
    if count is None or special is None or special > count:
        return None
    return ((count - special) * Fraction(price) + special * Fraction(special_price)) / PER


def parts_of(value: Decimal | Fraction | None, parts: int) -> int | None:
    """An amount as a whole number of its smallest parts, half to even; None where that is negative or too large."""
    if value is None or (isinstance(value, Decimal) and not value.is_finite()):
        return None
    whole = round(Fraction(value) * parts)
    return whole if value >= 0 and whole <= LARGEST else None


def _entry(call: ProviderCall, reply: Message, usage: Usage, terms: Terms, pictures: int) -> LedgerEntry:
    conversation = reply.conversation
    entry = LedgerEntry(
        call=call.pk,
        reply=reply.pk,
        run=reply.runs,
        attempt=call.attempt,
        at=call.started_at,
        day=timezone.localdate(call.started_at),
        person=conversation.owner_id,
        person_name=conversation.owner.get_username(),
        model=call.model,
        connection=call.model.partition("/")[0][:40],
        is_own_key=terms.is_own_key,
        outcome=call.outcome,
        status_code=call.status_code,
        prompt_tokens=call.prompt_tokens,
        output_tokens=call.output_tokens,
        reasoning_tokens=call.reasoning_tokens,
        cached_tokens=call.cached_tokens,
        pictures=pictures or None,
        credits=parts_of(usage.credits_used, CREDIT_PARTS),
        remaining=None
        if call.remaining_credits is None
        else parts_of(max(call.remaining_credits, Decimal(0)), CREDIT_PARTS),
        prices=_copied(terms.prices),
    )
    return _priced(entry, usage, terms.prices, pictures)


def _priced(entry: LedgerEntry, usage: Usage, prices: Prices | None, pictures: int) -> LedgerEntry:
    if (stated := parts_of(usage.cost_usd, PICO)) is not None:
        entry.amount, entry.currency, entry.basis = stated, "USD", Basis.STATED
        entry.stated = f"{usage.cost_usd:f}"[:60]
    elif prices and (priced := parts_of(cost_of(usage, prices, pictures), PICO)) is not None:
        entry.amount, entry.currency, entry.basis = priced, prices.currency, Basis.PRICED
    return entry


def _copied(prices: Prices | None) -> dict[str, str]:
    if prices is None:
        return {}
    kinds = ("input", "output", "cached", "reasoning", "picture")
    known = {kind: getattr(prices, kind) for kind in kinds if getattr(prices, kind) is not None}
    return {"currency": prices.currency} | {kind: f"{price:f}" for kind, price in known.items()}
