"""Token counts and cost, as OpenAI, Gemini, Anthropic and AI/ML API spell them. No I/O.

A number that is negative, no number, or larger than anything that could be meant counts as not said.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal

from conversations.providers.events import Credits, Usage
from conversations.providers.replies.loose_json import pick, record
from conversations.providers.turns import Json

LARGEST = 10**12
_AMOUNT = re.compile(r"[+-]?\d{1,13}(?:\.\d{1,30})?(?:[eE][+-]?\d{1,2})?", re.ASCII)


def count(value: Json) -> int | None:
    """A number of tokens."""
    if isinstance(value, Decimal) and value.is_finite() and 0 <= value <= LARGEST and value == int(value):
        value = int(value)
    is_count = isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= LARGEST
    return value if is_count else None


def amount(value: Json) -> Decimal | None:
    """A sum of money or credits, also negative; also from a string."""
    if isinstance(value, bool) or not isinstance(value, int | str | Decimal):
        return None
    literal = str(value).strip()
    number = Decimal(literal) if _AMOUNT.fullmatch(literal) else None
    return None if number is None or abs(number) > LARGEST else number


def _cost(value: Json) -> Decimal | None:
    number = amount(value)
    return number if number is not None and number >= 0 else None


def credits(headers: Mapping[str, str]) -> Credits | None:
    """What Segmind says is left, on replies of every status. Header names in lower case."""
    remaining = amount(headers.get("x-remaining-credits"))
    return None if remaining is None else Credits(remaining)


class Tally:
    """The usage of one reply: later token counts replace earlier ones as a whole, costs are kept until replaced."""

    def __init__(self, headers: Mapping[str, str]) -> None:
        """AI/ML API names the cost of a whole reply in its headers, too."""
        self.usage = Usage(
            cost_usd=_cost(headers.get("x-aimlapi-usd-spent")),
            credits_used=_cost(headers.get("x-aimlapi-credits-used")),
        )

    def chat(self, reply: Json) -> None:
        """`usage` of a chat completion or of Anthropic's form, and `meta.usage` of AI/ML API."""
        if usage := pick(reply, "usage"):
            self._chat_tokens(usage)
            self._costs(_cost(pick(usage, "cost")), None)
        if spent := record(pick(pick(reply, "meta"), "usage")):
            self._costs(_cost(spent.get("usd_spent")), _cost(spent.get("credits_used")))

    def _chat_tokens(self, usage: Json) -> None:
        output_details = pick(usage, "completion_tokens_details", "output_tokens_details")
        self._tokens(
            prompt=count(pick(usage, "prompt_tokens", "input_tokens")),
            output=count(pick(usage, "completion_tokens", "output_tokens")),
            reasoning=count(pick(output_details, "reasoning_tokens")),
            cached=count(pick(pick(usage, "prompt_tokens_details", "input_tokens_details"), "cached_tokens")),
        )

    def gemini(self, reply: Json) -> None:
        """`usageMetadata`. Its count of candidates leaves the hidden reasoning out; a count of zero is left out."""
        usage = pick(reply, "usageMetadata", "usage_metadata")
        answer = count(pick(usage, "candidatesTokenCount", "candidates_token_count"))
        thoughts = count(pick(usage, "thoughtsTokenCount", "thoughts_token_count"))
        said = [number for number in (answer, thoughts) if number is not None]
        self._tokens(
            prompt=count(pick(usage, "promptTokenCount", "prompt_token_count")),
            output=sum(said) if said else None,
            reasoning=thoughts,
            cached=count(pick(usage, "cachedContentTokenCount", "cached_content_token_count")),
        )

    def _tokens(self, **counts: int | None) -> None:
        if any(number is not None for number in counts.values()):
            self.usage = Usage(**counts, cost_usd=self.usage.cost_usd, credits_used=self.usage.credits_used)

    def _costs(self, usd: Decimal | None, credits_used: Decimal | None) -> None:
        if usd is not None:
            self.usage = replace(self.usage, cost_usd=usd)
        if credits_used is not None:
            self.usage = replace(self.usage, credits_used=credits_used)
