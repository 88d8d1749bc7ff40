"""Filters for what an answer took: durations, numbers and amounts, in the reader's language."""

from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal

from django import template
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.translation import gettext as _

from conversations.models import Message
from conversations.services import catalog, errors

register = template.Library()

SMALLEST_AMOUNT = Decimal("0.0001")  # dollars; less is not told apart


@register.filter
def grouped(number: int) -> str:
    return number_format(number, 0, use_l10n=True, force_grouping=True)


@register.filter
def duration(milliseconds: int) -> str:
    """As people say it: "under 0.1 s", "1.2 s", "48 s", "3 min 5 s", "2 h 4 min"."""
    if milliseconds < 50:
        return _("under %(seconds)s s") % {"seconds": number_format(0.1, 1, use_l10n=True)}
    if milliseconds < 9950:
        return _("%(seconds)s s") % {"seconds": number_format(milliseconds / 1000, 1, use_l10n=True)}
    minutes, seconds = divmod(round(milliseconds / 1000), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return _("%(hours)d h %(minutes)d min") % {"hours": hours, "minutes": minutes}
    if minutes:
        return _("%(minutes)d min %(seconds)d s") % {"minutes": minutes, "seconds": seconds}
    return _("%(seconds)s s") % {"seconds": seconds}


@register.filter
def seconds_since(moment: datetime) -> int:
    """By the clock of this machine, which a browser's need not follow."""
    return int((timezone.now() - moment).total_seconds())


@register.filter
def dollars(amount: Decimal) -> str:
    """An amount with at least two digits that say something."""
    if 0 < amount < SMALLEST_AMOUNT:
        return _("under $%(amount)s") % {"amount": number_format(SMALLEST_AMOUNT, 4, use_l10n=True)}
    places = 2 if amount >= 1 or not amount else 1 - amount.adjusted()
    exact = amount.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
    return _("$%(amount)s") % {"amount": number_format(exact, places, use_l10n=True, force_grouping=True)}


@register.filter
def total_ms(message: Message) -> int | None:
    """From the start of a reply to its end."""
    if not message.started_at or not message.ended_at:
        return None
    return max(0, round((message.ended_at - message.started_at) / timedelta(milliseconds=1)))


@register.filter
def thought_ms(message: Message) -> int | None:
    """How long a reply was thought about; unknown where the whole reply came in one piece."""
    model = catalog.known(message.model)
    return message.first_token_ms if model and model.streams else None


@register.filter
def finish_words(message: Message) -> errors.Sentence:
    """Why an answer ended, where that is unusual and nothing else on the page says it."""
    return errors.finish_sentence(message.finish_reason) if message.status == "complete" else ""


@register.filter
def seconds(value: float | None) -> str:
    """A time in seconds, as exact as is worth knowing of a call."""
    return "–" if value is None else _("%(seconds)s s") % {"seconds": number_format(value, 2, use_l10n=True)}
