"""A limit on request bodies in front of Django, whose ASGI handler stores a whole body before any view runs."""

import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

Scope = dict[str, Any]
Message = Mapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

SENTENCE = b"This is too large to send. Choose fewer or smaller pictures, go back and send again."


class TooLarge(Exception):
    """More bytes came than this address takes."""


class BodyLimit:
    """Answers 413 as soon as a body is known to be too large: by its declared length, or by what has come.

    `upload_bytes` for POST to addresses that match `upload_paths`, `other_bytes` for everything else.
    """

    def __init__(self, application: Application, *, upload_bytes: int, other_bytes: int, upload_paths: str) -> None:
        self._application = application
        self._upload_bytes, self._other_bytes = upload_bytes, other_bytes
        self._upload_paths = re.compile(upload_paths)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        limit = self._limit(scope)
        if _declared_length(scope) > limit:
            await _refuse(send)
            return
        has_answered = False

        async def counted_send(message: Message) -> None:
            nonlocal has_answered
            has_answered = True
            await send(message)

        try:
            await self._application(scope, _counting(receive, limit), counted_send)
        except TooLarge:
            if not has_answered:
                await _refuse(send)

    def _limit(self, scope: Scope) -> int:
        takes_uploads = scope["method"] == "POST" and self._upload_paths.match(scope["path"])
        return self._upload_bytes if takes_uploads else self._other_bytes


def _declared_length(scope: Scope) -> int:
    value = dict(scope["headers"]).get(b"content-length", b"")
    return int(value) if value.isdigit() else 0


def _counting(receive: Receive, limit: int) -> Receive:
    received = 0

    async def counted_receive() -> Message:
        nonlocal received
        message = await receive()
        received += len(message.get("body", b""))
        if received > limit:
            raise TooLarge
        return message

    return counted_receive


async def _refuse(send: Send) -> None:
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": 413, "headers": headers})
    await send({"type": "http.response.body", "body": SENTENCE})
