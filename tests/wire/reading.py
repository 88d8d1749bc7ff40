"""Replies under test: bodies to write them with, and every way to read them. No Django."""

import base64
import json
import struct
import zlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from conversations import providers
from conversations.providers import wire
from conversations.providers.base import Endpoint, Model, Vendor
from conversations.providers.call import Limits
from conversations.providers.errors import BrokenStream, EmptyReply, ProviderError, UnexpectedReply
from conversations.providers.events import (
    Credits,
    Event,
    Finished,
    ImageDelta,
    Omitted,
    ReasoningDelta,
    TextDelta,
    Usage,
)
from conversations.providers.replies.collector import DEFAULT_CAPS, Caps
from conversations.providers.replies.decoder import Decoder
from conversations.providers.turns import ChatRequest, TextPart, Turn

from .byteserver import ByteServer, byte_by_byte, chunked, head, whole

KEY = "test-key-1234567890"
NOW = datetime(2026, 11, 21, 12, 0, 0, tzinfo=UTC)
QUICK = Limits(connect=5, first_byte=10, no_progress=10, total=30, after_end=10, linger=0.05, nap=0, pause=0)
QUESTION = ChatRequest((Turn("user", (TextPart("Hello?"),)),), system="Be brief.")


@dataclass(frozen=True)
class Reading:
    """What a reply turned into. Two readings are equal when their events and their errors are."""

    events: tuple[Event, ...]
    outcome: tuple[str, str, int | None, float | None] | None  # class, detail, status and wait of the error
    error: ProviderError | None = field(compare=False)
    shape: str = field(compare=False, default="")

    @property
    def text(self) -> str:
        return "".join(event.text for event in self.events if isinstance(event, TextDelta))

    @property
    def reasoning(self) -> str:
        return "".join(event.text for event in self.events if isinstance(event, ReasoningDelta))

    @property
    def images(self) -> list[ImageDelta]:
        return [event for event in self.events if isinstance(event, ImageDelta)]

    @property
    def omitted(self) -> list[str]:
        return [event.what for event in self.events if isinstance(event, Omitted)]

    @property
    def usage(self) -> Usage | None:
        return next((event for event in reversed(self.events) if isinstance(event, Usage)), None)

    @property
    def credits(self) -> Credits | None:
        return next((event for event in self.events if isinstance(event, Credits)), None)

    @property
    def finished(self) -> Finished | None:
        return next((event for event in self.events if isinstance(event, Finished)), None)

    @property
    def reason(self) -> str:
        """How it ended: a finish reason, or the code of the error."""
        return self.error.code if self.error else (self.finished.reason if self.finished else "")


def reading(events: Sequence[Event], error: ProviderError | None, shape: str = "") -> Reading:
    outcome = (type(error).__name__, error.detail, error.status, error.retry_after) if error else None
    return Reading(tuple(events), outcome, error, shape)


# Ways to read


def decoded(
    pieces: Iterable[bytes],
    status: int = 200,
    headers: dict[str, str] | None = None,
    *,
    caps: Caps = DEFAULT_CAPS,
    now: datetime = NOW,
) -> Reading:
    """The pieces one after the other through a decoder."""
    decoder = Decoder(status, headers or {}, secrets=(KEY,), caps=caps, now=now)
    events = decoder.opening()
    for piece in pieces:
        events += decoder.feed(piece)
    events += decoder.end()
    try:
        events += decoder.close()
    except ProviderError as error:
        return reading(events, error, decoder.shape)
    return reading(events, None, decoder.shape)


def taken(
    server_url: str,
    *,
    model_id: str = "aimlapi/google/gemini-2.5-flash",
    call: wire.Call | None = None,
    limits: Limits = QUICK,
    on_event: Callable[[Event], object] = lambda event: None,
) -> Reading:
    """One attempt over a real socket."""
    vendor, model = chosen(model_id)
    events: list[Event] = []
    endpoint = Endpoint(server_url, KEY)
    try:
        for event in wire.events(vendor, model, endpoint, QUESTION, call=call or wire.Call(), limits=limits):
            events.append(event)
            on_event(event)
    except ProviderError as error:
        return reading(events, error)
    return reading(events, None)


def chosen(model_id: str) -> tuple[Vendor, Model]:
    found = providers.find(model_id)
    assert found is not None
    return found


def answered(
    server_url: str,
    *,
    model_id: str = "aimlapi/google/gemini-2.5-flash",
    call: wire.Call | None = None,
    limits: Limits = QUICK,
) -> tuple[Reading, list[wire.Attempt]]:
    """A whole answer over a real socket, retry and resend included, and what records heard of it."""
    vendor, model = chosen(model_id)
    events: list[Event] = []
    attempts: list[wire.Attempt] = []
    found = wire.answer(
        vendor,
        model,
        Endpoint(server_url, KEY),
        QUESTION,
        call=call or wire.Call(),
        on_attempt=attempts.append,
        limits=limits,
    )
    try:
        events.extend(found)
    except ProviderError as error:
        return reading(events, error), attempts
    return reading(events, None), attempts


@dataclass(frozen=True)
class Reader:
    """Reads a reply in one of the ways of `WAYS`; each way must find the same."""

    way: str

    def __call__(
        self,
        body: bytes,
        status: str = "200 OK",
        content_type: str = "application/json",
        *,
        is_stream: bool = False,
        **headers: str,
    ) -> Reading:
        if self.way.startswith("socket"):
            return self._over_socket(body, status, content_type, headers)
        named = {name.replace("_", "-"): value for name, value in headers.items()} | {"Content-Type": content_type}
        code = int(status.split()[0])
        if self.way == "cut":
            return cut_anywhere(body, code, named, is_stream=is_stream)
        return decoded(byte_by_byte(body) if self.way == "byte by byte" else [body], code, named)

    def stream(self, body: bytes, **headers: str) -> Reading:
        """The same for an event stream, which may also end at any position."""
        return self(body, content_type="text/event-stream", is_stream=True, **headers)

    def _over_socket(self, body: bytes, status: str, content_type: str, headers: dict[str, str]) -> Reading:
        script: list[bytes] = [whole(body, status, content_type, **headers)]
        if self.way == "socket, byte by byte":
            start = head(status, content_type, Transfer_Encoding="chunked", **headers)
            script = [start, *list(chunked(byte_by_byte(body)))[1:]]
        with ByteServer(script) as server:
            return taken(server.url)


WAYS = ("whole", "byte by byte", "cut", "socket", "socket, byte by byte")


def cut_anywhere(body: bytes, status: int, headers: dict[str, str], *, is_stream: bool) -> Reading:
    """Read in two pieces, cut at every position; a stream also as far as every position, where the connection ends."""
    expected = decoded([body], status, headers)
    for at in range(len(body) + 1):
        assert decoded([body[:at], body[at:]], status, headers) == expected, f"cut at {at}"
        if is_stream:
            _check_part(decoded([body[:at]], status, headers), expected, at)
    return expected


def _check_part(part: Reading, expected: Reading, at: int) -> None:
    """What holds for a stream that ends too early: all text that came, never more, and no good end without all."""
    assert expected.text.startswith(part.text), f"ended at {at}"
    assert expected.reasoning.startswith(part.reasoning), f"ended at {at}"
    if part.error is None:
        assert (part.text, part.images) == (expected.text, expected.images), f"ended at {at}"
    else:
        allowed = (BrokenStream, EmptyReply, UnexpectedReply, type(expected.error))
        assert isinstance(part.error, allowed), f"ended at {at}: {part.error!r}"


# Bodies


def encoded(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()


def completion(message: Any, finish: str | None = "stop", /, **members: Any) -> bytes:
    """A whole chat completion."""
    choice = {"index": 0, "finish_reason": finish, "message": message}
    return encoded({"id": "1", "object": "chat.completion", "choices": [choice]} | members)


def said(content: Any, **members: Any) -> dict[str, Any]:
    """A message of the assistant."""
    return {"role": "assistant", "content": content} | members


def delta(content: Any = None, finish: str | None = None, **members: Any) -> dict[str, Any]:
    """A chunk of a streamed chat completion."""
    change = ({} if content is None else {"content": content}) | members
    return {"object": "chat.completion.chunk", "choices": [{"index": 0, "delta": change, "finish_reason": finish}]}


def event(value: Any, name: str = "") -> bytes:
    data = value.encode() if isinstance(value, str) else encoded(value)
    return (f"event: {name}\n".encode() if name else b"") + b"data: " + data + b"\n\n"


DONE = b"data: [DONE]\n\n"


def stream(*values: Any, done: bool = True) -> bytes:
    """Chunks as events."""
    return b"".join(event(value) for value in values) + (DONE if done else b"")


def gemini(*parts: Any, finish: str | None = "STOP", **members: Any) -> dict[str, Any]:
    """A GenerateContentResponse."""
    candidate: dict[str, Any] = {"index": 0, "content": {"role": "model", "parts": list(parts)}}
    return {"candidates": [candidate | ({"finishReason": finish} if finish else {})]} | members


def inline(data: bytes, label: str = "image/png") -> dict[str, Any]:
    return {"inlineData": {"mimeType": label, "data": base64.b64encode(data).decode()}}


def data_url(data: bytes, label: str = "image/png") -> str:
    return f"data:{label};base64,{base64.b64encode(data).decode()}"


def _png() -> bytes:
    def block(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    rows = zlib.compress(b"\0\xff\0\0")
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        block(name, data)
        for name, data in ((b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)), (b"IDAT", rows), (b"IEND", b""))
    )


PNG = _png()
JPEG = b"\xff\xd8\xff\xe0\0\x10JFIF\0" + bytes(range(40))
WEBP = b"RIFF\x1a\0\0\0WEBPVP8L" + bytes(20)
GIF = b"GIF89a\x01\0\x01\0\0\0\0;"

# Beginnings of replies

HELLO = whole(completion(said("Hello")))
HEL = event(delta("Hel"))
EVENTS = head(content_type="text/event-stream", Transfer_Encoding="chunked")
CLOSING = head(content_type="text/event-stream", Connection="close")
