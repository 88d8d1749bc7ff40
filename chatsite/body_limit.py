"""Limits on request bodies in front of Django, whose ASGI handler stores a whole body before any view runs."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

Scope = dict[str, Any]
Message = Mapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

LARGE = b"This is too large to send. Choose fewer or smaller pictures, go back and send again."
SLOW = b"This came too slowly and was not taken. Go back and send again."
QUIET = 30.0  # seconds without a byte of a body that is not whole
TOTAL = 300.0  # seconds for a whole body


class TooLarge(Exception):
    """More bytes came than this address takes."""


class TooSlow(Exception):
    """The body did not come to its end in time."""


class BodyLimit:
    """Answers 413 as soon as a body is known to be too large, by its declared length or by what has come, and 408 when
    it does not come.

    `upload_bytes` for POST to addresses that match `upload_paths`, `other_bytes` for everything else; `quiet` and
    `total` in seconds.
    """

    def __init__(
        self,
        application: Application,
        *,
        upload_bytes: int,
        other_bytes: int,
        upload_paths: str,
        quiet: float = QUIET,
        total: float = TOTAL,
    ) -> None:
        self._application = application
        self._upload_bytes, self._other_bytes = upload_bytes, other_bytes
        self._upload_paths = re.compile(upload_paths)
        self._quiet, self._total = quiet, total

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        limit = self._limit(scope)
        if _declared_length(scope) > limit:
            await _refuse(send, 413, LARGE)
            return
        has_answered = False

        async def counted_send(message: Message) -> None:
            nonlocal has_answered
            has_answered = True
            await send(message)

        try:
            await self._application(scope, _counting(receive, limit, self._quiet, self._total), counted_send)
        except (TooLarge, TooSlow) as trouble:
            if not has_answered:
                await _refuse(send, *((413, LARGE) if isinstance(trouble, TooLarge) else (408, SLOW)))

    def _limit(self, scope: Scope) -> int:
        takes_uploads = scope["method"] == "POST" and self._upload_paths.match(scope["path"])
        return self._upload_bytes if takes_uploads else self._other_bytes


def _declared_length(scope: Scope) -> int:
    value = dict(scope["headers"]).get(b"content-length", b"")
    return int(value) if value.isdigit() else 0


def _counting(receive: Receive, limit: int, quiet: float, total: float) -> Receive:
    """Like `receive`, until the body is whole; whoever then waits for the end of the connection may wait for long."""
    received, is_whole, until = 0, False, asyncio.get_running_loop().time() + total

    async def counted_receive() -> Message:
        nonlocal received, is_whole
        if is_whole:
            return await receive()
        try:
            async with asyncio.timeout_at(min(until, asyncio.get_running_loop().time() + quiet)):
                message = await receive()
        except TimeoutError:
            raise TooSlow from None
        received += len(message.get("body", b""))
        is_whole = not message.get("more_body", False)
        if received > limit:
            raise TooLarge
        return message

    return counted_receive


async def _refuse(send: Send, status: int, sentence: bytes) -> None:
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": sentence})
