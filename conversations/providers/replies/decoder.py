"""From the bytes of a reply to events, whatever the provider and whatever it was asked. Protocol without I/O.

    decoder = Decoder(status, headers)
    events = decoder.opening()
    while not decoder.is_over and (data := read()):
        events += decoder.feed(data)
    events += decoder.end()
    events += decoder.close()        # raises what the reply amounts to

Whole, byte by byte, or cut anywhere: the events are the same. Only `close` raises, so nothing that came before an
error is lost with it.
"""

from collections.abc import Mapping
from datetime import UTC, datetime

from conversations.providers import images
from conversations.providers.errors import TooLarge
from conversations.providers.events import Event, Usage
from conversations.providers.replies import tally
from conversations.providers.replies.bodies import ArrayBody, Body, ErrorBody, EventBody, ImageBody, JsonBody, TextBody
from conversations.providers.replies.censor import Censor
from conversations.providers.replies.collector import DEFAULT_CAPS, Caps, Collector
from conversations.providers.replies.framing import END_MARK
from conversations.providers.replies.reader import Context

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
ENOUGH = 16  # bytes that show what a body is
PROGRESS = 1 << 16  # bytes of an unfinished piece that count as progress
_STARTS_OF_EVENTS = (b"data:", b"event:", b"id:", b"retry:", b"error:", b":")


class Decoder:
    """Reads one reply. `secrets` are cut out of error texts; dates are held against `now`, which is aware."""

    def __init__(
        self,
        status: int,
        headers: Mapping[str, str],
        *,
        secrets: tuple[str, ...] = (),
        caps: Caps = DEFAULT_CAPS,
        now: datetime | None = None,
    ) -> None:
        self._headers = {name.lower(): value for name, value in headers.items()}
        censor = Censor(secrets)
        self._collector = Collector(tally.Tally(self._headers), caps, censor)
        self._context = Context(self._headers, censor, now or datetime.now(UTC))
        self._caps = caps
        self._start = b""
        self._has_ended = False
        is_success = 200 <= status < 300
        self._body: Body | None = None if is_success else ErrorBody(self._collector, self._context, status)

    @property
    def is_over(self) -> bool:
        """Whether what is still to come does not matter: the reply has ended, or has failed."""
        return self._collector.is_over

    @property
    def is_complete(self) -> bool:
        """Whether the reply has said how it ends; a connection that breaks after that has broken nothing."""
        return self._collector.is_complete

    @property
    def has_content(self) -> bool:
        """Whether anything of an answer or of its reasoning came."""
        return self._collector.has_answer or self._collector.has_reasoning

    @property
    def streams(self) -> bool:
        """Whether the reply arrives in pieces that mean something by themselves."""
        return self._body is not None and self._body.streams

    @property
    def progress(self) -> tuple[int, int, bool]:
        """Changes with new content, also inside a large piece, and with the end; comments do not change it."""
        pending = self._collector.held + (self._body.pending if self._body else 0)
        return self._collector.contents, pending // PROGRESS, self.is_complete

    @property
    def usage(self) -> Usage | None:
        """Tokens and cost so far; None where nothing was said."""
        usage = self._collector.tally.usage
        return None if usage == Usage() else usage

    @property
    def shape(self) -> str:
        """What the reply turned out to be, for records: "openai-stream", "gemini", "image", "error", ..."""
        shape = self._collector.shape or ("empty" if self._body is None else "unknown")
        return shape + (self._body.suffix if self._body else "")

    def opening(self) -> list[Event]:
        """What the headers say, on replies of every status."""
        credits = tally.credits(self._headers)
        return [credits] if credits else []

    def feed(self, data: bytes) -> list[Event]:
        """The events that end in `data`."""
        if data and not self.is_over and not self._has_ended:
            self._take(data)
        return self._collector.take()

    def end(self, *, is_cut: bool = False) -> list[Event]:
        """No more bytes will come: what was held back, and the usage. `is_cut`: the connection broke."""
        if self._has_ended:
            return []
        self._has_ended = True
        if self._body is None and self._start:
            self._begin(self._start)
        if self._body and not self.is_over:
            self._body.end(is_cut=is_cut)
        self._collector.flush()
        usage = self.usage
        return [*self._collector.take(), *([usage] if usage else [])]

    def close(self) -> list[Event]:
        """The regular end, preceded by what `end` gives where it was not called. Raises any ProviderError."""
        return [*self.end(), self._collector.close()]

    def _take(self, data: bytes) -> None:
        if self._body:
            self._body.feed(data)
        else:
            self._start = _without_blank(self._start + data)
            if len(self._start) >= ENOUGH:
                self._begin(self._start)
        if self._body and self._body.held > self._caps.body:
            self._collector.fail(TooLarge("the reply is larger than can be taken"))
            self._body.let_go()

    def _begin(self, start: bytes) -> None:
        """Tell from the first bytes, which lie less than headers do, what the body is."""
        self._body = self._form(start)(self._collector, self._context)
        self._start = b""
        self._body.feed(start)

    def _form(self, start: bytes) -> type[JsonBody | ArrayBody | ImageBody | EventBody | TextBody]:
        content_type = self._headers.get("content-type", "").strip().lower()
        if start.startswith((b"{", b'"')):
            return JsonBody
        if start.startswith(b"[") and not start.startswith(END_MARK.encode()):
            return ArrayBody
        if images.media_type(start) or content_type.startswith("image/"):
            return ImageBody
        if start.startswith(_STARTS_OF_EVENTS):
            return EventBody
        is_page = start.startswith(b"<")
        return EventBody if content_type.startswith("text/event-stream") and not is_page else TextBody


def _without_blank(start: bytes) -> bytes:
    """Servers keep a connection alive with blank lines in front of the reply."""
    return start.lstrip().removeprefix(BYTE_ORDER_MARK).lstrip()
