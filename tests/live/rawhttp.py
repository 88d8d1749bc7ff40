"""HTTP/1.1 on bare asyncio for load drivers: note what arrives and when, understand it later.

While a load runs, each arrival costs one clock reading and one list entry; events are read from it afterwards.
"""

import asyncio
import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import cast
from urllib.parse import urlsplit

from tests.live.eventstream import EventStream
from tests.live.transcript import Transcript

CLOSING_EVENT = re.compile(rb"event: ?(final|end)")


class Reply:
    """A reply fed in any cutting: head, then a body by length, by chunks, or up to the end of the connection.

    feed() gives the bytes of the body that came to light. Raises ValueError for what is not HTTP.
    """

    def __init__(self) -> None:
        self.status, self.headers, self.complete = 0, dict[str, str](), False
        self.cookies: list[str] = []
        self._buffer = b""
        self._chunked, self._left = False, -1

    def feed(self, data: bytes) -> bytes:
        self._buffer += data
        if not self.status and not self._head():
            return b""
        return self._chunks() if self._chunked else self._plain()

    def _head(self) -> bool:
        head, found, rest = self._buffer.partition(b"\r\n\r\n")
        if not found:
            return False
        first, *lines = head.decode("latin-1").split("\r\n")
        if not first.startswith("HTTP/1."):
            raise ValueError(f"not a status line: {first[:80]!r}")
        self.status, self._buffer = int(first.split()[1]), rest
        fields = (line.partition(":") for line in lines)
        pairs = [(name.strip().lower(), value.strip()) for name, _, value in fields]
        self.headers = dict(pairs)
        self.cookies = [value for name, value in pairs if name == "set-cookie"]
        self._chunked = self.headers.get("transfer-encoding", "").lower() == "chunked"
        self._left = 0 if self.status in (204, 304) else int(self.headers.get("content-length", "-1"))
        self.complete = not self._chunked and self._left == 0
        return True

    def _plain(self) -> bytes:
        body, self._buffer = self._buffer, b""
        if self._left >= 0:
            self._left -= len(body)
            self.complete = self._left <= 0
        return body

    def _chunks(self) -> bytes:
        body = b""
        while not self.complete:
            line, found, rest = self._buffer.partition(b"\r\n")
            size = int(line.split(b";")[0], 16) if found else 0
            if not found or len(rest) < size + 2:
                return body
            body += rest[:size]
            self._buffer = rest[size + 2 :]
            self.complete = size == 0
        return body


@dataclass(slots=True)
class Recording:
    """What arrived on one exchange. `started` is when the request was written; times are time.monotonic() seconds."""

    started: float
    pieces: list[tuple[float, bytes]] = field(default_factory=list)
    ended: float = 0.0

    def reply(self) -> Reply:
        reply = Reply()
        for _, data in self.pieces:
            reply.feed(data)
        return reply

    def body(self) -> tuple[Reply, bytes]:
        reply = Reply()
        return reply, b"".join([reply.feed(data) for _, data in self.pieces])

    def arrivals(self) -> Iterator[tuple[float, bytes]]:
        """The body, cut as it arrived."""
        reply = Reply()
        for at, data in self.pieces:
            if body := reply.feed(data):
                yield at, body

    def transcript(self) -> Transcript:
        """The recording of an event stream as a browser would have shown it."""
        transcript, stream = Transcript(connections=1, status_code=self.reply().status), EventStream()
        if transcript.status_code != 200:
            transcript.ending = "refused"
            return transcript
        for at, body in self.arrivals():
            for event in stream.feed(body):
                if not transcript.is_over:
                    transcript.apply(event, at)
        transcript.comments = stream.comments
        transcript.ending = transcript.ending or ("eof" if self.reply().complete else "cut")
        return transcript


class Watch:
    """Looks out for the name of a closing event, which may be cut in two; feed() tells whether it has come."""

    def __init__(self) -> None:
        self._before, self._seen = b"", False

    def feed(self, body: bytes) -> bool:
        if not self._seen:
            near = self._before + body
            self._before = near[-16:]
            self._seen = CLOSING_EVENT.search(near) is not None
        return self._seen


class Connection(asyncio.Protocol):
    """One connection, one exchange at a time."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport | None = None
        self._recording = Recording(0.0)
        self._done: asyncio.Future[None] | None = None
        self._reply = Reply()
        self._closes_itself, self._watch = False, Watch()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # The loop may be uvloop's, whose transports have another base class.
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._recording.pieces.append((time.monotonic(), data))
        body = self._reply.feed(data)
        if self._reply.complete or (self._closes_itself and self._is_over(body)):
            self._finish()

    def connection_lost(self, exc: Exception | None) -> None:
        self._finish()

    def _is_over(self, body: bytes) -> bool:
        """Whether the closing event has come; events are parsed only once its name is there."""
        return self._watch.feed(body) and self._recording.transcript().is_over

    def _finish(self) -> None:
        if self._done is not None and not self._done.done():
            self._recording.ended = time.monotonic()
            self._done.set_result(None)

    async def ask(self, request: bytes) -> Recording:
        """Send and wait for the whole reply."""
        return await self._exchange(request, closes_itself=False)

    async def follow(self, request: bytes) -> Recording:
        """Send and wait until a `final` or `end` event, the end of the reply or of the connection."""
        return await self._exchange(request, closes_itself=True)

    async def _exchange(self, request: bytes, *, closes_itself: bool) -> Recording:
        assert self.transport is not None
        self._done = asyncio.get_running_loop().create_future()
        self._reply, self._closes_itself, self._watch = Reply(), closes_itself, Watch()
        self._recording = Recording(time.monotonic())
        if self.transport.is_closing():
            return self._recording
        self.transport.write(request)
        await self._done
        return self._recording

    def close(self) -> None:
        if self.transport is not None:
            self.transport.close()


async def connect(base_url: str) -> Connection:
    parts = urlsplit(base_url)
    host, port = parts.hostname or "127.0.0.1", parts.port or 80
    _, connection = await asyncio.get_running_loop().create_connection(Connection, host, port)
    return connection


def request(method: str, url: str, headers: Mapping[str, str], body: bytes = b"") -> bytes:
    """The bytes of a request; `url` is absolute."""
    parts = urlsplit(url)
    target = parts.path + (f"?{parts.query}" if parts.query else "")
    lines = [f"{method} {target or '/'} HTTP/1.1", f"Host: {parts.netloc}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    if body or method == "POST":
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


async def follow(events_url: str, headers: Mapping[str, str], last_event_id: str | None = None) -> Recording:
    """One connection to an event stream, followed to its end."""
    connection = await connect(events_url)
    try:
        resumed = {"Last-Event-ID": last_event_id} if last_event_id else {}
        wanted = {"Accept": "text/event-stream", "Cache-Control": "no-cache", **headers, **resumed}
        return await connection.follow(request("GET", events_url, wanted))
    finally:
        connection.close()
