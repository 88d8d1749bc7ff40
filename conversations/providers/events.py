"""What a provider's reply turns into while it arrives: neutral events, in the order of the wire. No I/O."""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

Reason = Literal["complete", "truncated", "filtered", "no_image"]


@dataclass(frozen=True, slots=True)
class TextDelta:
    """New text of the answer. `signature`: the thought signature of the part it came on, if any."""

    text: str
    signature: str = ""


@dataclass(frozen=True, slots=True)
class ReasoningDelta:
    """New text of the model's visible reasoning; never part of the answer and never sent back as text."""

    text: str


@dataclass(frozen=True, slots=True)
class ImageDelta:
    """A picture drawn by the model: the decoded bytes, not vetted yet. `media_type` comes from the first bytes."""

    media_type: str
    data: bytes = field(repr=False)
    signature: str = ""


@dataclass(frozen=True, slots=True)
class Omitted:
    """Something of the reply that cannot be shown (a picture that is no picture, a link we do not fetch)."""

    what: str


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens and cost as the provider reports them; None means "not said". `output` includes `reasoning`.

    A later Usage of the same reply replaces an earlier one. `cost_usd` in US dollars, `credits_used` in the
    provider's own unit.
    """

    prompt: int | None = None
    output: int | None = None
    reasoning: int | None = None
    cached: int | None = None
    cost_usd: Decimal | None = None
    credits_used: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Credits:
    """What is left on the account, in the provider's own unit."""

    remaining: Decimal


@dataclass(frozen=True, slots=True)
class Finished:
    """The regular end of a reply. `raw`: the provider's own word for it, e.g. "MAX_TOKENS"."""

    reason: Reason
    raw: str = ""


Event = TextDelta | ReasoningDelta | ImageDelta | Omitted | Usage | Credits | Finished


@dataclass(frozen=True, slots=True)
class Pause:
    """No event: nothing more is here. `fileno` can be read when it is worth going on.

    Without one, going on will wait for the network: it needs a thread that may.
    """

    fileno: int | None = None
