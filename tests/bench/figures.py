"""From recordings to figures. Pure functions; times in seconds."""

import json
import math
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, fields
from typing import TypeAlias

from tests.bench.load import Exchange
from tests.live import pages
from tests.live.eventstream import EventStream
from tests.live.transcript import Transcript

WORD = re.compile(r"w(\d+)")


def percentile(values: Sequence[float], rank: float) -> float:
    """Nearest rank; nan of nothing."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(rank / 100 * len(ordered)) - 1)] if ordered else math.nan


@dataclass(slots=True)
class Seen:
    """One reply as it arrived: `arrivals` are moments, each with the number of the last word that was there by then."""

    arrivals: list[tuple[float, int]] = field(default_factory=list)
    failure: str = ""
    lost: str = ""
    events: int = 0


Read: TypeAlias = Callable[[Exchange], Seen]


@dataclass(slots=True)
class Figures:
    """Of one load: `first` is from pressing Send to the first visible text, `delays` what each token came later than
    the upstream sent it, `answers` from pressing Send to the end of the answer to the form; `rates` are tokens
    per second, from the first that was sent to the last that arrived.

    failures: replies that did not end well, by reason
    lost: replies whose text is not what the upstream sent, or was sent more than once
    """

    replies: int = 0
    tokens: int = 0
    first: list[float] = field(default_factory=list)
    delays: list[float] = field(default_factory=list)
    answers: list[float] = field(default_factory=list)
    rates: list[float] = field(default_factory=list)
    failures: Counter[str] = field(default_factory=Counter)
    lost: Counter[str] = field(default_factory=Counter)
    events: int = 0
    wire_bytes: int = 0

    def add(self, exchange: Exchange, sent: list[list[float]], read: Read) -> None:
        self.replies += 1
        if exchange.recording is None:
            self.failures[exchange.failure] += 1
            return
        seen = read(exchange)
        self.events += seen.events
        self.wire_bytes += sum(len(data) for _, data in exchange.recording.pieces)
        if seen.failure:
            self.failures[seen.failure] += 1
        elif seen.lost:
            self.lost[seen.lost] += 1
        if len(sent) != 1:
            self.lost[f"the upstream was called {len(sent)} times"] += 1
        elif seen.arrivals:
            self._timed(exchange, seen.arrivals, sent[0])

    def join(self, other: "Figures") -> None:
        """Take over what another load gave."""
        for each in fields(self):
            setattr(self, each.name, getattr(self, each.name) + getattr(other, each.name))

    def _timed(self, exchange: Exchange, arrivals: list[tuple[float, int]], sent: list[float]) -> None:
        self.first.append(arrivals[0][0] - exchange.pressed)
        self.answers.append(exchange.answered - exchange.pressed)
        delays = list(delays_of(arrivals, sent))
        self.delays += delays
        self.tokens += len(sent)
        self.rates.append(len(sent) / max(1e-6, arrivals[-1][0] - sent[0]))
        if len(delays) != exchange.tokens:
            self.lost[f"{exchange.tokens - len(delays)} tokens never came"] += 1


def of_own(exchange: Exchange) -> Seen:
    """Ours and the direct connection's."""
    return followed(exchange) if exchange.way == "site" else straight(exchange)


def followed(exchange: Exchange) -> Seen:
    assert exchange.recording is not None
    transcript = exchange.recording.transcript()
    arrivals = [(seen.at, last) for seen in transcript.events if (last := last_word(seen.event.data)) >= 0]
    failure = not_well(transcript)
    lost = "" if failure else not_equal(transcript, exchange.tokens)
    return Seen(arrivals, failure, lost, len(transcript.events))


def straight(exchange: Exchange) -> Seen:
    arrivals = list(direct_arrivals(exchange))
    return Seen(arrivals, "" if arrivals else "no token came")


def last_word(text: str) -> int:
    """The highest number of a word in this text, -1 without one."""
    return max((int(number) for number in WORD.findall(text)), default=-1)


def direct_arrivals(exchange: Exchange) -> Iterator[tuple[float, int]]:
    assert exchange.recording is not None
    stream = EventStream()
    for at, body in exchange.recording.arrivals():
        for event in stream.feed(body):
            if event.data != "[DONE]":
                content = json.loads(event.data)["choices"][0]["delta"].get("content", "")
                if (last := last_word(content)) >= 0:
                    yield at, last


def delays_of(arrivals: Sequence[tuple[float, int]], sent: Sequence[float]) -> Iterator[float]:
    """For each token the time between its sending and the first arrival that shows it or a later one."""
    shown = 0
    for at, last in arrivals:
        while shown <= last and shown < len(sent):
            yield at - sent[shown]
            shown += 1


def not_well(transcript: Transcript) -> str:
    """Why this reply did not end well, or ""."""
    if transcript.status_code != 200:
        return f"stream answered {transcript.status_code}"
    if transcript.ending != "final" or transcript.final is None:
        return f"stream ended by {transcript.ending}"
    final = transcript.final
    return "" if final.status == "complete" else f"{final.status} {final.error_code}".strip()


def not_equal(transcript: Transcript, tokens: int) -> str:
    """What is wrong with the text, or "": nothing missing at the end, nothing doubled or out of order on the way."""
    expected = words(tokens)
    if transcript.letters != expected:
        return "text differs"
    if not expected.startswith(pages.letters(transcript.streamed_text)):
        return "text was wrong on the way"
    return "unknown events" if transcript.unknown else ""


def said_wrong(streamed: str, final: str, tokens: int) -> str:
    """The same of a reply that comes as plain text."""
    if pages.letters(final) != words(tokens):
        return "text differs"
    return "" if words(tokens).startswith(pages.letters(streamed)) else "text was wrong on the way"


def words(tokens: int) -> str:
    """The whole reply without its blanks."""
    return "".join(f"w{number}" for number in range(tokens))


def figures(exchanges: Sequence[Exchange], sent: dict[str, list[list[float]]], read: Read = of_own) -> Figures:
    result = Figures()
    for exchange in exchanges:
        result.add(exchange, sent.get(exchange.tag, []), read)
    return result


def named(level: int, found: Figures, suffix: str = "") -> dict[str, float]:
    """The figures of a level by their names in the report; times in milliseconds."""
    kept = {
        f"failed{suffix}": float(found.failures.total()),
        f"lost{suffix}": float(found.lost.total()),
        f"events{suffix}": found.events / max(1, found.replies),
        f"wire kB{suffix}": found.wire_bytes / max(1, found.replies) / 1000,
    }
    for name, values in (("first", found.first), ("delay", found.delays), ("answer", found.answers)):
        for rank in (50, 99):
            kept[f"{name} p{rank}{suffix}"] = percentile(values, rank) * 1000
    return {f"{level} {name}": value for name, value in kept.items()}


def remarks(what: str, found: Figures) -> list[str]:
    return [f"{what}: {count} × {reason}" for reason, count in (found.failures + found.lost).items()]
