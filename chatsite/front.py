"""What a connection may send before anything of ours looks at it: a head of some size, within some seconds.

The server under us would take a head of any size and wait for it without end; bodies are body_limit.py's.
"""

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_BYTES = 64 * 1024
HEAD_FIELDS = 100
HEAD_SECONDS = 30.0
TOO_LARGE = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\n"
    b"content-type: text/plain; charset=utf-8\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
)


class Front(HttpToolsProtocol):
    """A connection that closes where a head is too large or does not come to its end."""

    head_seconds = HEAD_SECONDS

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._awaited: asyncio.TimerHandle | None = None
        self._head_bytes = 0
        self._is_refused = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._head_is_whole()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._is_refused:
            return
        super().data_received(data)
        if self._awaited is not None:
            self._head_bytes += len(data)
            if self._head_bytes > HEAD_BYTES:
                self._refuse()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._await_head()

    def on_headers_complete(self) -> None:
        self._head_is_whole()
        if len(self.headers) > HEAD_FIELDS or self._size_of_head() > HEAD_BYTES:
            self._refuse()
        if not self._is_refused:
            super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        if not self._is_refused:
            super().on_body(body)

    def on_message_complete(self) -> None:
        if not self._is_refused:
            super().on_message_complete()

    def _size_of_head(self) -> int:
        return len(self.url) + sum(len(name) + len(value) for name, value in self.headers)

    def _await_head(self) -> None:
        self._head_is_whole()
        self._awaited = self.loop.call_later(self.head_seconds, self.transport.close)

    def _head_is_whole(self) -> None:
        if self._awaited is not None:
            self._awaited.cancel()
            self._awaited = None
        self._head_bytes = 0

    def _refuse(self) -> None:
        """The last thing this connection gets."""
        self._is_refused = True
        self._head_is_whole()
        self.transport.write(TOO_LARGE)
        self.transport.close()
