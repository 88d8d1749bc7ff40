"""The forms in which a reply's bytes come: events, one JSON array, one JSON value, a picture, other text, an error.

Each takes bytes and tells the collector what they bring; none does I/O and none raises. `streams`: worth reading
while it arrives; `pending`: bytes that have come for the piece that is not finished; `held`: bytes kept in memory.
"""

from typing import Protocol

from conversations.providers.errors import BrokenStream
from conversations.providers.replies import failures, pictures, reader
from conversations.providers.replies.collector import Collector
from conversations.providers.replies.framing import END_MARK, Elements, Events, ServerEvent
from conversations.providers.replies.loose_json import Unreadable, loads
from conversations.providers.replies.reader import Context
from conversations.providers.turns import Json

LONGEST_ERROR = 1 << 16  # bytes of an error body that are read
_NAMES_OF_DATA = ("", "message")


class Body(Protocol):
    """What all forms have in common. After `end` nothing more is fed; `is_cut`: the connection broke."""

    streams: bool
    suffix: str

    @property
    def pending(self) -> int: ...

    @property
    def held(self) -> int: ...

    def feed(self, data: bytes) -> None: ...

    def end(self, *, is_cut: bool) -> None: ...

    def let_go(self) -> None:
        """Forget what is held; nothing more is fed. An error that is passed on would keep it in memory."""


class EventBody:
    """An event stream: one JSON value to an event, `[DONE]` at the end."""

    streams, suffix = True, "-stream"

    def __init__(self, collector: Collector, context: Context) -> None:
        self._collector, self._context = collector, context
        self._events = Events()

    @property
    def pending(self) -> int:
        return self._events.pending

    @property
    def held(self) -> int:
        return self._events.held

    def feed(self, data: bytes) -> None:
        for event in self._events.feed(data):
            if self._collector.is_over:
                return
            self._take(event)

    def let_go(self) -> None:
        self._events = Events()

    def end(self, *, is_cut: bool) -> None:
        for event in self._events.flush():
            if not self._collector.is_over:
                self._take(event)

    def _take(self, event: ServerEvent) -> None:
        if event.name == "error":
            self._collector.shape = self._collector.shape or "error"
            self._collector.fail(self._context.error(_value_or_text(event.data)))
        elif event.name not in _NAMES_OF_DATA or not event.data.strip():
            return
        elif event.data.strip() == END_MARK:
            self._collector.is_ended = True
        else:
            self._read(event)

    def _read(self, event: ServerEvent) -> None:
        data = event.take()
        try:
            value = loads(data)
        except Unreadable:
            self._read_lines(data)
        else:
            del data
            reader.read(self._collector, value, self._context)

    def _read_lines(self, data: str) -> None:
        """Events that a server put into one; a bad one among them is skipped."""
        for line in data.split("\n"):
            try:
                value = loads(line)
            except Unreadable:
                self._collector.not_read("an event that is no JSON")
            else:
                reader.read(self._collector, value, self._context)


class ArrayBody:
    """One JSON array whose elements count as they come, like the events of a stream."""

    streams, suffix = True, "-array"

    def __init__(self, collector: Collector, context: Context) -> None:
        self._collector, self._context = collector, context
        self._elements = Elements()

    @property
    def pending(self) -> int:
        return self._elements.held

    @property
    def held(self) -> int:
        return self._elements.held

    def feed(self, data: bytes) -> None:
        for element in self._elements.feed(data):
            if self._collector.is_over:
                return
            self._take(element)
        self._collector.is_ended = self._elements.is_closed

    def let_go(self) -> None:
        self._elements = Elements()

    def end(self, *, is_cut: bool) -> None:
        for element in self._elements.flush():
            self._take(element)

    def _take(self, element: str) -> None:
        try:
            value = loads(element)
        except Unreadable:
            self._collector.not_read("an element that is no JSON")
        else:
            _read(self._collector, value, self._context)


class _Whole:
    """A body that means nothing before its end."""

    streams, suffix = False, ""

    def __init__(self, collector: Collector, context: Context) -> None:
        self._collector, self._context = collector, context
        self._bytes = bytearray()

    @property
    def pending(self) -> int:
        return len(self._bytes)

    @property
    def held(self) -> int:
        return len(self._bytes)

    def feed(self, data: bytes) -> None:
        self._bytes += data

    def let_go(self) -> None:
        self._bytes = bytearray()

    def _text(self) -> str:
        text = self._bytes.decode(errors="replace")
        self._bytes.clear()
        return text.strip()


class JsonBody(_Whole):
    """One JSON object or string."""

    def end(self, *, is_cut: bool) -> None:
        text = self._text()
        is_closed = text.endswith("}" if text.startswith("{") else '"')
        try:
            value = loads(text)
        except Unreadable:
            if not is_closed and not is_cut:
                self._collector.fail(BrokenStream("the reply ended in the middle"))
            self._collector.not_read("a reply that is no JSON")
        else:
            del text
            self._collector.is_ended = True
            _read(self._collector, value, self._context)


class TextBody(_Whole):
    """Neither JSON nor a picture's bytes: base64 of a picture, or something nobody asked for."""

    def end(self, *, is_cut: bool) -> None:
        text = self._text()
        self._collector.shape = "text"
        if pictures.is_base64(text) and not is_cut:
            self._collector.is_ended = True
            self._collector.picture(pictures.from_base64(text))
        else:
            what = "an HTML page" if text.startswith("<") else "text"
            self._collector.not_read(f"{what} instead of a reply")


class ImageBody(_Whole):
    """The bytes of an image file."""

    def end(self, *, is_cut: bool) -> None:
        self._collector.shape = "image"
        if not is_cut:
            self._collector.is_ended = True
            self._collector.picture(pictures.from_bytes(bytes(self._bytes)))


class ErrorBody(_Whole):
    """The body beside a status that is not 2xx; its beginning is enough."""

    def __init__(self, collector: Collector, context: Context, status: int) -> None:
        super().__init__(collector, context)
        self._status = status

    def feed(self, data: bytes) -> None:
        super().feed(data)
        if len(self._bytes) > LONGEST_ERROR:
            self.end(is_cut=True)

    def end(self, *, is_cut: bool) -> None:
        context = self._context
        self._collector.shape = "error"
        body = bytes(self._bytes)
        self._collector.fail(failures.of_status(self._status, context.headers, body, context.censor, context.now))


def _read(collector: Collector, value: Json, context: Context) -> None:
    if isinstance(value, str):
        collector.shape = "text"
        collector.readable += 1
        reader.read_either(collector, value)
    else:
        reader.read(collector, value, context)


def _value_or_text(data: str) -> Json:
    try:
        return loads(data)
    except Unreadable:
        return data
