"""What fits into a model's window, by estimate; the rest is left out, oldest first. Pure functions, no rows, no I/O.

Every model counts tokens in its own way and none is here to be asked. So text is weighed by its characters, and what
the same model reported for its last reply corrects the weights.
"""

import string
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from conversations.providers.base import Model
from conversations.providers.errors import TooLarge
from conversations.providers.turns import Parameters

DEFAULT_ANSWER = 8192  # tokens kept free for an answer of a model with room, where nobody set a limit
SMALLEST_ANSWER = 1 / 16  # of the window: below it a question is refused, above it an answer may be cut off
REQUEST_TOKENS = 32  # what a chat template writes around a conversation, and a system prompt of its own
MESSAGE_TOKENS = 8  # and around each message
PICTURE_NOTE_TOKENS = 16  # stands in for a picture that is not sent

# Tokens by class of UTF-8 byte, fitted to what a small model with an English vocabulary counts for prose, code and
# tables in a dozen scripts: nine of ten samples come out at 0.7 to 1.2 of its count. Larger models need fewer.
_WEIGHTS = (
    (string.ascii_lowercase.encode(), 0.2),
    (string.ascii_uppercase.encode(), 0.45),
    (string.digits.encode(), 1.0),
    (string.punctuation.encode(), 0.6),
    (b"\n", 0.5),
    (bytes(range(0xC2, 0xE0)), 0.9),  # begins a character of two bytes: accented Latin, Greek, Cyrillic, Arabic
    (bytes(range(0xE0, 0xF0)), 1.9),  # of three: Chinese, Japanese, Korean, Indic scripts
    (bytes(range(0xF0, 0xF5)), 3.0),  # of four: emoji
)
_WORD, _BYTE = 0.4, 1 / 64

UNKNOWN, KNOWN = 1.25, 1.1  # caution: how much more than estimated something may be, without and with a report
LEAST, MOST = 0.4, 2.5  # a report beyond these times the estimate says more about the report


def tokens(text: str) -> int:
    """About how many tokens a text is; never less than one for each 64 bytes."""
    data = text.encode("utf-8", "surrogatepass")
    by_class = sum(weight * (len(data) - len(data.translate(None, some))) for some, weight in _WEIGHTS)
    return round(by_class + _WORD * len(data.split()) + _BYTE * len(data))


def picture_tokens(width: int, height: int) -> int:
    """Gemini's count: 258 for a small picture, else 258 for each tile of 768 by 768 pixels."""
    if max(width, height) <= 384:
        return 258
    return 258 * -(-width // 768) * -(-height // 768)


@dataclass(frozen=True, slots=True)
class Weighed:
    """A message on the scale. `tokens`: by estimate, 0 for what is never sent.

    `reported`: for a reply of the model that is asked now, the tokens of the request it answered, as its provider
    counted them; that request began at depth `since`.
    """

    depth: int
    is_user: bool
    tokens: int
    reported: int | None = None
    since: int = 0


@dataclass(frozen=True, slots=True)
class Window:
    """The room of one request, in tokens. `fixed` goes into it whatever is said: system prompt and template."""

    size: int
    answer: int
    fixed: int
    caution: float = 1.0

    @classmethod
    def of(cls, model: Model, parameters: Parameters, system: str, *, caution: float = 1.0) -> "Window | None":
        """None for a model whose window nobody knows: nothing is left out then."""
        if model.context_window is None:
            return None
        fixed = REQUEST_TOKENS + (MESSAGE_TOKENS + tokens(system) if system.strip() else 0)
        return cls(model.context_window, answer_room(model.context_window, model, parameters), fixed, caution)


def answer_room(size: int, model: Model, parameters: Parameters) -> int:
    """Tokens kept free for the answer: the limit somebody set, up to half of the window, else up to a quarter."""
    wish = parameters.max_tokens
    if wish is not None and wish < size:
        return min(wish, size // 2)
    return min(model.quirks.default_max_tokens or DEFAULT_ANSWER, size // 4)


@dataclass(slots=True)
class Kept:
    """What is sent, newest first, and whether anything older is not."""

    messages: list[Weighed] = field(default_factory=list)
    is_cut: bool = False


def kept(newest_first: Iterator[Weighed], window: Window) -> Kept:
    """The newest messages that fit, from a user's on. Raises TooLarge where the last question alone does not.

    Takes no more from the iterator than it needs to decide.
    """
    weighed, gauge = _within_reach(newest_first, window)
    factor = _factor(weighed, gauge, window)
    asked = next((place for place, one in enumerate(weighed, start=1) if one.is_user), len(weighed))
    _check(weighed[:asked], window, factor)
    caution = (KNOWN if gauge else UNKNOWN) * window.caution
    room = (window.size - window.answer) / (factor * caution) - window.fixed
    count, total = 0, 0
    for place, one in enumerate(weighed, start=1):
        total += one.tokens
        if place > asked and total > room:
            break
        count = place
    if count == len(weighed):
        return Kept(weighed)
    while count > asked and not weighed[count - 1].is_user:
        count -= 1
    return Kept(weighed[:count], is_cut=True)


def _within_reach(newest_first: Iterator[Weighed], window: Window) -> tuple[list[Weighed], Weighed | None]:
    """What could fit at the most generous correction, and the newest report together with all it was about."""
    taken: list[Weighed] = []
    gauge: Weighed | None = None
    total = 0
    for one in newest_first:
        taken.append(one)
        total += one.tokens
        if gauge is None and one.reported:
            gauge = one
        if total * LEAST > window.size and (gauge is None or one.depth <= gauge.since):
            break
    return taken, gauge


def _factor(weighed: Sequence[Weighed], gauge: Weighed | None, window: Window) -> float:
    """Tokens as the model counts them for each one estimated."""
    if gauge is None or not gauge.reported:
        return 1.0
    sent = sum(one.tokens for one in weighed if gauge.since <= one.depth < gauge.depth)
    return min(MOST, max(LEAST, gauge.reported / (window.fixed + sent)))


def _check(question: Sequence[Weighed], window: Window, factor: float) -> None:
    least = factor * (window.fixed + sum(one.tokens for one in question))
    if least > window.size * (1 - SMALLEST_ANSWER):
        raise TooLarge


@dataclass(frozen=True, slots=True)
class Fill:
    """How full a window is. `is_cut`: older messages are left out already."""

    used: int
    size: int
    is_cut: bool = False

    @property
    def percent(self) -> int:
        return min(100, round(100 * self.used / self.size))

    @property
    def is_short(self) -> bool:
        """Whether a person should be told before it is too late."""
        return self.is_cut or self.percent >= 80
