"""Server-sent events by the WHATWG grammar, over bytes. Pure: bytes in, events out, no I/O."""

import codecs
import re
from dataclasses import dataclass

END_OF_LINE = re.compile("\r\n|\r|\n")
ASCII_DIGITS = re.compile("[0-9]+")


@dataclass(frozen=True, slots=True)
class ServerEvent:
    """One dispatched event. `name` is "message" where the stream gave none; `id` is the last id in force, or ""."""

    name: str
    data: str
    id: str


class EventStream:
    """One connection's stream, fed in any cutting.

    `last_event_id` is what a reconnection would send; `retry` is in milliseconds, None until the stream names one.
    An event that is not closed by a blank line when the connection ends is lost, as the grammar demands.
    """

    def __init__(self, last_event_id: str = "") -> None:
        self.last_event_id = last_event_id
        self.retry: int | None = None
        self.comments = 0
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        self._at_start, self._after_cr, self._rest = True, False, ""
        self._name, self._data, self._id = "", list[str](), last_event_id

    def feed(self, data: bytes) -> list[ServerEvent]:
        """The events that these bytes complete."""
        text = self._without_mark(self._decoder.decode(data))
        if not text:
            return []
        if self._after_cr:
            # The LF of a CRLF that was cut in two: its line has already ended.
            text = text.removeprefix("\n")
        self._after_cr = data.endswith(b"\r")
        *lines, self._rest = END_OF_LINE.split(self._rest + text)
        return [event for line in lines if (event := self._line(line)) is not None]

    def _without_mark(self, text: str) -> str:
        if self._at_start and text:
            self._at_start = False
            return text.removeprefix("\ufeff")
        return text

    def _line(self, line: str) -> ServerEvent | None:
        if not line:
            return self._dispatch()
        if line.startswith(":"):
            self.comments += 1
            return None
        field, _, value = line.partition(":")
        self._field(field, value.removeprefix(" "))
        return None

    def _field(self, field: str, value: str) -> None:
        match field:
            case "event":
                self._name = value
            case "data":
                self._data.append(value)
            case "id" if "\0" not in value:
                self._id = value
            case "retry" if ASCII_DIGITS.fullmatch(value):
                self.retry = int(value)

    def _dispatch(self) -> ServerEvent | None:
        self.last_event_id = self._id
        name, data = self._name or "message", self._data
        self._name, self._data = "", []
        return ServerEvent(name, "\n".join(data), self._id) if data else None
