"""What a browser shows of a running reply: the events of its stream, applied as the page's htmx would. No I/O."""

from dataclasses import dataclass, field
from typing import Literal

from tests.live import hypertext, pages
from tests.live.eventstream import ServerEvent
from tests.live.pages import Article

Ending = Literal["", "final", "end", "eof", "cut", "left", "refused"]
"""How following ended: by `final` or `end`, by the connection's orderly or torn end, by our choice, or without 200."""

NAMES = frozenset({"reset", "append", "tail", "more", "state", "final", "end"})


@dataclass(frozen=True, slots=True)
class Seen:
    """An event with its arrival, in seconds of time.monotonic()."""

    event: ServerEvent
    at: float


@dataclass(slots=True)
class Transcript:
    """The events so far and what they made of the page.

    blocks:  HTML of the finished blocks
    tail:    HTML of the open block as last rendered; `more` is the escaped text added to it since
    article: HTML of the finished article once `final` came
    state:   HTML of the last state event
    ending, status_code: of the last connection
    connections: how many were opened
    """

    events: list[Seen] = field(default_factory=list)
    blocks: str = ""
    tail: str = ""
    more: str = ""
    state: str = ""
    article: str = ""
    ending: Ending = ""
    status_code: int = 0
    connections: int = 0
    comments: int = 0
    last_event_id: str = ""
    unknown: list[str] = field(default_factory=list)

    def apply(self, event: ServerEvent, at: float) -> None:
        """Raises ValueError for anything behind the event that closed the stream, but for an `end` behind `final`."""
        if self.ending == "end" or (self.ending == "final" and event.name != "end"):
            raise ValueError(f"{event.name!r} came after {self.ending!r}")
        self.events.append(Seen(event, at))
        self.last_event_id = event.id
        if event.name not in NAMES:
            self.unknown.append(event.name)
            return
        getattr(self, f"_{event.name}")(event.data)

    def _reset(self, data: str) -> None:
        self.blocks = data

    def _append(self, data: str) -> None:
        self.blocks += data
        self.tail = self.more = ""

    def _tail(self, data: str) -> None:
        self.tail, self.more = data, ""

    def _more(self, data: str) -> None:
        self.more += data

    def _state(self, data: str) -> None:
        self.state = data

    def _final(self, data: str) -> None:
        self.article, self.ending = data, "final"

    def _end(self, _data: str) -> None:
        self.ending = self.ending or "end"

    @property
    def is_over(self) -> bool:
        return self.ending in ("final", "end")

    @property
    def names(self) -> list[str]:
        return [seen.event.name for seen in self.events]

    @property
    def final(self) -> Article | None:
        """The finished article, if it came."""
        found = pages.articles_in(hypertext.parse(self.article)) if self.article else []
        return found[0] if found else None

    @property
    def text(self) -> str:
        """The visible text of the body."""
        final = self.final
        return final.text if final else self.streamed_text

    @property
    def streamed_text(self) -> str:
        """The visible text of the body before the final article replaced it.

        What `more` added continues the tail's last line, wherever the two stand in the tree.
        """
        shown = pages.answer_text(hypertext.parse(self.blocks + self.tail))
        return shown + pages.answer_text(hypertext.parse(f"<pre>{self.more}</pre>")) if self.more else shown

    @property
    def letters(self) -> str:
        return pages.letters(self.text)

    def times(self, name: str) -> list[float]:
        """Arrival times of the events with this name."""
        return [seen.at for seen in self.events if seen.event.name == name]
