"""A WebSocket client for load drivers: note each message and when it came, understand it later.

As little as a driver needs of RFC 6455: text messages in one frame each, nothing compressed.
"""

import asyncio
import base64
import secrets
import struct
import time
from collections.abc import Callable
from typing import cast
from urllib.parse import urlsplit

from tests.live import rawhttp
from tests.live.rawhttp import Recording

TEXT, CLOSE, PING, PONG = 1, 8, 9, 10


def frame(payload: bytes, kind: int = TEXT) -> bytes:
    """As a client must send it: masked."""
    length = len(payload)
    size = bytes([0x80 | length]) if length < 126 else b"\xfe" + struct.pack(">H", length)
    mask = secrets.token_bytes(4)
    masked = bytes(byte ^ mask[at % 4] for at, byte in enumerate(payload))
    return bytes([0x80 | kind]) + size + mask + masked


class Frames:
    """Cuts what arrives into (kind, payload), however it was cut on the way."""

    def __init__(self) -> None:
        self._buffer = b""

    def feed(self, data: bytes) -> list[tuple[int, bytes]]:
        buffer, at, found = self._buffer + data, 0, []
        while len(buffer) - at >= 2:
            length, begin = buffer[at + 1], at + 2
            if length >= 126:
                width = 2 if length == 126 else 8
                if len(buffer) < begin + width:
                    break
                length, begin = int.from_bytes(buffer[begin : begin + width], "big"), begin + width
            if len(buffer) < begin + length:
                break
            found.append((buffer[at] & 0x0F, buffer[begin : begin + length]))
            at = begin + length
        self._buffer = buffer[at:]
        return found


class Socket(asyncio.Protocol):
    """`answer` is asked for each message that comes: bytes are sent back."""

    def __init__(self, handshake: bytes, answer: Callable[[bytes], bytes]) -> None:
        self.recording = Recording(0.0)
        self._handshake, self._answer = handshake, answer
        self._head: bytes | None = b""
        self._frames = Frames()
        self._awaited: tuple[bytes, asyncio.Future[None]] | None = None

    def waits_for(self, beginning: bytes) -> "asyncio.Future[None]":
        future = asyncio.get_running_loop().create_future()
        self._awaited = (beginning, future)
        return future

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self.transport.write(self._handshake)

    def data_received(self, data: bytes) -> None:
        if self._head is not None:
            head, found, data = (self._head + data).partition(b"\r\n\r\n")
            self._head = None if found else head
            if not head.startswith(b"HTTP/1.1 101"):
                self.transport.close()
        now = time.monotonic()
        for kind, payload in self._frames.feed(data) if self._head is None else ():
            if kind == TEXT:
                self._take(now, payload)
            elif kind == PING:
                self.transport.write(frame(payload, PONG))
            elif kind == CLOSE:
                self.transport.close()

    def _take(self, now: float, message: bytes) -> None:
        if reply := self._answer(message):
            self.send(reply)
            return
        self.recording.pieces.append((now, message))
        if self._awaited and message.startswith(self._awaited[0]) and not self._awaited[1].done():
            self._awaited[1].set_result(None)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._awaited and not self._awaited[1].done():
            self._awaited[1].set_exception(exc or ConnectionError("the socket was closed"))

    def send(self, message: bytes) -> None:
        self.transport.write(frame(message))

    async def ask(self, message: bytes, until: bytes) -> Recording:
        """Send, and wait for a message that begins so; raises OSError when the socket ends before."""
        come = self.waits_for(until)
        self.recording = Recording(time.monotonic())
        if self.transport.is_closing():
            raise ConnectionError("the socket was closed")
        self.send(message)
        await come
        return self.recording

    def close(self) -> None:
        self.transport.close()


async def connect(url: str, answer: Callable[[bytes], bytes], until: bytes) -> Socket:
    """A socket that has got a first message which begins so; `url` begins with http://."""
    parts = urlsplit(url)
    wanted = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13"}
    key = {"Sec-WebSocket-Key": base64.b64encode(secrets.token_bytes(16)).decode()}
    socket = Socket(rawhttp.request("GET", url, wanted | key), answer)
    come = socket.waits_for(until)  # which may be here before the connection is handed over
    await asyncio.get_running_loop().create_connection(lambda: socket, parts.hostname or "", parts.port or 80)
    await come
    return socket
