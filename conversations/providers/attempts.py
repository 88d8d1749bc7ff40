"""How often one question is asked: at most one retry, and at most one resend without a system instruction. No I/O.

Sending twice may be charged twice, so both happen only before anything of an answer came.
"""

import random
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

from conversations.providers import redaction
from conversations.providers.base import Model, Prepared
from conversations.providers.call import Call, Limits
from conversations.providers.errors import (
    Cancelled,
    ProviderError,
    RateLimited,
    SystemRefused,
    Unavailable,
    Unreachable,
)
from conversations.providers.events import Credits, Event, Finished, Pause, Usage
from conversations.providers.replies.decoder import Decoder
from conversations.providers.turns import Json


class Refused(Unreachable):
    """Nobody listened, so nothing was asked and nothing can be charged."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One HTTP exchange, for records: told once at its start, with an empty outcome, and once at its end.

    `body`: the request's JSON, digests in place of picture bytes. `outcome`: a finish reason or the code of an error.
    `first_byte`, `total`: seconds since its start; `credits`: what is left on the account. `reply_shape`: "openai",
    "openai-stream", "gemini", "gemini-array", "image", "error", ..., and "" where no reply came.
    """

    number: int
    body: Json
    status_code: int | None = None
    outcome: str = ""
    first_byte: float | None = None
    total: float | None = None
    usage: Usage | None = None
    credits: Decimal | None = None
    reply_shape: str = ""


class Exchange(Protocol):
    """One request and its reply. `decoder`: None until the head of the reply is here."""

    prepared: Prepared
    decoder: Decoder | None

    def events(self) -> Generator[Event | Pause, None, None]: ...


def answer(
    model: Model,
    exchange: Callable[[Model], Exchange],
    *,
    call: Call,
    limits: Limits,
    tell: Callable[[Attempt], None],
) -> Iterator[Event | Pause]:
    """The reply's events. Only a 429, 502, 503 or a refused connection is tried again, and only after a short wait.

    A model that refuses system instructions is asked once more with their text in front of the first user text.
    """
    may_retry, number = True, 0
    while True:
        number += 1
        trial = _Trial(number, exchange(model), call, tell)
        try:
            yield from trial.events()
            return
        except SystemRefused:
            if trial.has_begun or model.quirks.system_mode == "prepend":
                raise
            model = model.with_prepended_system()
            yield Pause()
        except ProviderError as error:
            wait = _wait_before_retry(error, limits) if may_retry and not trial.has_begun else None
            if wait is None:
                raise
            may_retry = False
            yield Pause()
            call.wait(wait)
            call.check()


def _wait_before_retry(error: ProviderError, limits: Limits) -> float | None:
    """Seconds, or None where another attempt is not worth it. Errors inside a reply of status 200 have no status."""
    is_busy = isinstance(error, RateLimited | Unavailable) and error.status in (429, 502, 503)
    wait = limits.pause if error.retry_after is None else error.retry_after
    if not (is_busy or isinstance(error, Refused)) or wait > limits.longest_wait:
        return None
    return wait + random.uniform(0, limits.pause)  # noqa: S311 - spreads load, hides nothing


class _Trial:
    """One attempt, and what records are told about it."""

    def __init__(self, number: int, exchange: Exchange, call: Call, tell: Callable[[Attempt], None]) -> None:
        self._number, self._exchange, self._call, self._tell = number, exchange, call, tell
        self._body: Json = redaction.redacted(exchange.prepared.body)
        self._credits: Decimal | None = None
        self.has_begun = False

    def events(self) -> Iterator[Event | Pause]:
        self._tell(Attempt(self._number, self._body))
        outcome = Cancelled.code  # where the reader of these events leaves
        try:
            with closing(self._exchange.events()) as found:
                for event in found:
                    outcome = self._note(event) or outcome
                    yield event
        except ProviderError as error:
            outcome = error.code
            raise
        except Exception:
            outcome = ProviderError.code
            raise
        finally:
            self._tell(self._record(outcome))

    def _note(self, event: Event | Pause) -> str:
        """The outcome where this event is the end."""
        match event:
            case Credits(remaining):
                self._credits = remaining
            case Finished(reason):
                return reason
            case Usage() | Pause():
                pass
            case _:
                self.has_begun = True
        return ""

    def _record(self, outcome: str) -> Attempt:
        call, decoder = self._call, self._exchange.decoder
        return Attempt(
            self._number,
            self._body,
            status_code=call.status_code,
            outcome=outcome,
            first_byte=call.first_byte - call.started if call.first_byte and call.started else None,
            total=call.ended - call.started if call.ended and call.started else None,
            usage=decoder.usage if decoder else None,
            credits=self._credits,
            reply_shape=decoder.shape if decoder else "",
        )
