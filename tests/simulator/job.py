"""One answer on its way to the wire: what is said, what it costs, and how it was asked for. Values only, no I/O."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from .directives import Directives
from .errors import Vendor
from .painter import draw, saved
from .reply import Json, Reply
from .talk import Part, Picture, Talk

TOKEN = re.compile(r"\s*\S{1,12}|\s+")
PICTURE_PROMPT_TOKENS, PICTURE_OUTPUT_TOKENS = 258, 1290
CREDITS_PER_USD = 2_000_000
# Finish reasons: the OpenAI word and Google's word for each of ours.
FINISH = {"stop": ("stop", "STOP"), "length": ("length", "MAX_TOKENS"), "filtered": ("content_filter", "SAFETY")}


def tokens(text: str) -> list[str]:
    """`text` cut at word boundaries, long words every 12 characters; joined again it is the same text."""
    return TOKEN.findall(text)


@dataclass(frozen=True, slots=True)
class Answer:
    """Text and pictures in their order. `thought`: visible reasoning; `finish`: a key of FINISH or a raw word."""

    parts: tuple[Part, ...]
    thought: str = ""
    finish: str = "stop"

    @property
    def text(self) -> str:
        return "".join(part for part in self.parts if isinstance(part, str))

    @property
    def pictures(self) -> tuple[Picture, ...]:
        return tuple(part for part in self.parts if isinstance(part, Picture))

    @property
    def a_picture(self) -> Picture:
        """The first picture, or one of the text, for shapes that consist of a picture."""
        return self.pictures[0] if self.pictures else saved(draw(self.text))

    def within(self, limit: int | None) -> "Answer":
        """Cut at `limit` tokens, reasoning first, as the models count."""
        if limit is None or limit >= usage_of(self).output:
            return self
        thought = tokens(self.thought)[:limit]
        left, kept = limit - len(thought), list[Part]()
        for part in self.parts:
            if isinstance(part, str) and left > 0:
                kept.append("".join(tokens(part)[:left]))
                left -= len(tokens(part))
            elif isinstance(part, Picture) and left >= PICTURE_OUTPUT_TOKENS:
                kept.append(part)
                left -= PICTURE_OUTPUT_TOKENS
        return Answer(tuple(kept), "".join(thought), "length")


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens; `output` includes `reasoning`."""

    prompt: int
    output: int
    reasoning: int

    @property
    def credits(self) -> int:
        """The price in AI/ML API's credits."""
        return self.prompt + 5 * self.output

    @property
    def usd(self) -> Decimal:
        return Decimal(self.credits) / CREDITS_PER_USD


def prompt_tokens(talk: Talk) -> int:
    words = tokens(talk.system) + [token for turn in talk.turns for token in tokens(turn.text)]
    return len(words) + PICTURE_PROMPT_TOKENS * len(talk.pictures)


def usage_of(answer: Answer, prompt: int = 0) -> Usage:
    reasoning = len(tokens(answer.thought))
    words = sum(len(tokens(part)) for part in answer.parts if isinstance(part, str))
    return Usage(prompt, reasoning + words + PICTURE_OUTPUT_TOKENS * len(answer.pictures), reasoning)


@dataclass(frozen=True, slots=True)
class Job:
    """All that a shape or a fault may look at. `number` counts the requests and makes ids; `shape` is never blank.

    `attempt` is how often this very request was seen, from 1. `system`: the request brings a system instruction.
    """

    vendor: Vendor
    model: str
    path: str
    number: int
    answer: Answer
    usage: Usage
    ask: Directives
    shape: str
    stream: bool = False
    include_usage: bool = False
    system: bool = False
    attempt: int = 1

    @property
    def id(self) -> str:
        return f"sim-{self.number:06d}"

    @property
    def finish(self) -> str:
        """OpenAI's word for how the answer ended."""
        return self.ask.finish or FINISH.get(self.answer.finish, (self.answer.finish, ""))[0]

    @property
    def google_finish(self) -> str:
        return self.ask.finish or FINISH.get(self.answer.finish, ("", self.answer.finish))[1]

    @property
    def openai_usage(self) -> Json:
        usage = self.usage
        return {
            "prompt_tokens": usage.prompt,
            "completion_tokens": usage.output,
            "total_tokens": usage.prompt + usage.output,
            "completion_tokens_details": {"reasoning_tokens": usage.reasoning},
            "prompt_tokens_details": {"cached_tokens": 0},
        }

    @property
    def meta(self) -> Json:
        """What AI/ML API adds about the price; nothing for others."""
        if self.vendor != "aimlapi":
            return {}
        return {"meta": {"usage": {"credits_used": self.usage.credits, "usd_spent": float(self.usage.usd)}}}

    @property
    def google_usage(self) -> Json:
        usage = self.usage
        counts = {
            "promptTokenCount": usage.prompt,
            "candidatesTokenCount": usage.output - usage.reasoning,
            "thoughtsTokenCount": usage.reasoning,
            "totalTokenCount": usage.prompt + usage.output,
        }
        # Google leaves zero counts out.
        return {name: count for name, count in counts.items() if count}


class Recipe(NamedTuple):
    """A shape or a fault: its name in a directive, a phrase for the list, and how it makes the reply."""

    name: str
    about: str
    build: Callable[[Job], Reply]
