"""The record of provider calls: one row for each attempt, begun before the call and completed after it."""

from decimal import Decimal

from conversations.models import Message, ProviderCall, rows
from conversations.providers.wire import Attempt
from conversations.services import ledger
from conversations.services.ledger import Terms

LARGEST_COUNT = 2**53  # tokens; a provider that reports more reports nonsense
REPORTED = (
    "status_code",
    "outcome",
    "reply_shape",
    "first_byte_ms",
    "total_ms",
    "remaining_credits",
    "prompt_tokens",
    "output_tokens",
    "reasoning_tokens",
    "cached_tokens",
    "cost_usd",
    "credits_used",
)
LARGEST_AMOUNT = Decimal(10) ** 15


def begin(reply: Message, attempt: Attempt) -> ProviderCall:
    return rows.insert(
        ProviderCall(
            message=reply,
            attempt=attempt.number,
            model=reply.model,
            request_deflated=ProviderCall.deflate(attempt.body),
        )
    )


def complete(call: ProviderCall, attempt: Attempt, *, reply: Message, terms: Terms, pictures: int = 0) -> None:
    """Store how the attempt went: status, times, usage, remaining credits, outcome; and its row of the ledger.

    `pictures`: how many came with it.
    """
    call.status_code = attempt.status_code
    call.outcome = attempt.outcome[:40]
    call.reply_shape = attempt.reply_shape[:40]
    call.first_byte_ms = milliseconds(attempt.first_byte)
    call.total_ms = milliseconds(attempt.total)
    call.remaining_credits = amount(attempt.credits)
    if usage := attempt.usage:
        call.prompt_tokens, call.output_tokens = count(usage.prompt), count(usage.output)
        call.reasoning_tokens, call.cached_tokens = count(usage.reasoning), count(usage.cached)
        call.cost_usd, call.credits_used = amount(usage.cost_usd, places=10), amount(usage.credits_used)
    changes = {name: getattr(call, name) for name in REPORTED}
    is_open = rows.update(ProviderCall, {"pk": call.pk, "outcome": ""}, changes)
    (ledger.note if is_open else ledger.note_late)(call, reply, attempt.usage, terms, pictures)


def milliseconds(seconds: float | None) -> int | None:
    return None if seconds is None else max(0, round(seconds * 1000))


def count(value: int | None) -> int | None:
    return value if value is not None and 0 <= value <= LARGEST_COUNT else None


def amount(value: Decimal | None, places: int = 8) -> Decimal | None:
    """A reported amount as it can be stored; None where it is not a finite number of a sensible size."""
    if value is None or not value.is_finite() or abs(value) >= min(LARGEST_AMOUNT, Decimal(10) ** (20 - places)):
        return None
    return value.quantize(Decimal(1).scaleb(-places))
