"""The body of a stream as it comes: taking never waits. The framing of HTTP/1.1 (RFC 9112, section 7.1), no more.

`http.client` waits inside a chunk's size line for the rest of it; with one thread for many streams, one that drips
would hold up all the others. So once the head of a stream is here, its socket is read directly.
"""

import re
import ssl
from typing import Any, Protocol

PIECE = 1 << 16  # bytes
LONGEST_LINE = 1 << 12  # bytes of a chunk's size line or of a trailer
_SIZE = re.compile(rb"[0-9a-fA-F]{1,15}")


class BadFraming(Exception):
    """The body does not keep to HTTP, or ends before its end. `content`: what came in front of that."""

    content = b""


class Framing(Protocol):
    @property
    def is_over(self) -> bool:
        """Whether the end of the body is here."""

    def feed(self, data: bytes) -> bytes:
        """The content in `data`. Raises BadFraming."""

    def end(self) -> None:
        """The connection was closed before the body was over. Raises BadFraming where a body cannot end so."""


class UntilClose:
    """A body without a length: it ends with its connection, which cannot be used again."""

    is_over = False

    def feed(self, data: bytes) -> bytes:
        return data

    def end(self) -> None:
        return


class Sized:
    """A body of so many bytes."""

    def __init__(self, length: int) -> None:
        self._left = length

    @property
    def is_over(self) -> bool:
        return self._left == 0

    def feed(self, data: bytes) -> bytes:
        content = data[: self._left]
        self._left -= len(content)
        return content

    def end(self) -> None:
        raise BadFraming("closed within the body")


class Chunked:
    """A body in chunks, each behind a line with its size; one of size 0 and the trailers are its end."""

    def __init__(self) -> None:
        self.is_over = False
        self._held = b""
        self._left = 0  # bytes of the chunk that are still to come
        self._expects: str = "size"

    def feed(self, data: bytes) -> bytes:
        data = self._held + data
        content: list[bytes] = []
        try:
            position = self._split(data, content)
        except BadFraming as fault:
            fault.content = b"".join(content)
            raise
        self._held = data[position:]
        return b"".join(content)

    def end(self) -> None:
        raise BadFraming("closed within the body")

    def _split(self, data: bytes, content: list[bytes]) -> int:
        """Append the content in `data`; returns how far it was understood."""
        position = 0
        while not self.is_over:
            if self._left:
                piece = data[position : position + self._left]
                if not piece:
                    break
                content.append(piece)
                self._left -= len(piece)
                position += len(piece)
                continue
            end = data.find(b"\n", position)
            if end < 0:
                break
            self._line(data[position:end].strip())
            position = end + 1
        if not self.is_over and len(data) - position > LONGEST_LINE:
            raise BadFraming("a line without an end")
        return position

    def _line(self, line: bytes) -> None:
        if self._expects == "trailer":
            self.is_over = not line
        elif self._expects == "line end":
            if line:
                raise BadFraming("a chunk longer than its size")
            self._expects = "size"
        else:
            found = _SIZE.fullmatch(line.partition(b";")[0].strip())
            if not found:
                raise BadFraming("a chunk without a size")
            self._left = int(found[0], 16)
            self._expects = "line end" if self._left else "trailer"


class Tap:
    """Takes what has come on a socket. `buffered`: what of the body was read together with the head."""

    def __init__(self, sock: Any, buffered: bytes, framing: Framing) -> None:
        sock.setblocking(False)
        self._sock, self._buffered, self._framing = sock, buffered, framing
        self._is_plain = not isinstance(sock, ssl.SSLSocket)
        self._is_dry = False
        self._fault: BadFraming | None = None

    @property
    def is_over(self) -> bool:
        """Whether the body was read to its end, so that the connection can serve another request."""
        return self._framing.is_over

    def fileno(self) -> int:
        number: int = self._sock.fileno()
        return number

    def take(self) -> bytes | None:
        """Content that has come; None where none has, b"" at the end. Raises BadFraming and OSError."""
        if self._fault:
            raise self._fault
        while not self._framing.is_over:
            data, self._buffered = self._buffered or self._received(), b""
            if data is None:
                return None
            if not data:
                self._framing.end()
                return b""
            if content := self._fed(data):
                return content
        return b""

    def _fed(self, data: bytes) -> bytes:
        try:
            return self._framing.feed(data)
        except BadFraming as fault:
            if not fault.content:
                raise
            self._fault = fault
            return fault.content

    def _received(self) -> bytes | None:
        if self._is_dry:
            self._is_dry = False
            return None
        try:
            data: bytes = self._sock.recv(PIECE)
        except (BlockingIOError, ssl.SSLWantReadError):
            return None
        self._is_dry = self._is_plain and 0 < len(data) < PIECE
        return data


def framing_of(headers: Any) -> Framing | None:
    """How a body with these headers is framed; None where it is also coded in a way that is not for taps."""
    if headers.get("content-encoding", "identity").strip().lower() not in ("", "identity"):
        return None
    coding = headers.get("transfer-encoding", "").strip().lower()
    if coding:
        return Chunked() if coding == "chunked" else None
    length = headers.get("content-length", "").strip()
    if length.isdecimal() and length.isascii():
        return Sized(int(length))
    return None if length else UntilClose()
