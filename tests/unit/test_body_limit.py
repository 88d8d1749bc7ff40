"""Bodies beyond the limit are refused before Django stores them, whatever their headers claim."""

import asyncio
from typing import Any

import pytest

from chatsite.body_limit import BodyLimit, Message, Receive, Scope, Send


class Inner:
    """An application that reads the whole body, as Django does."""

    def __init__(self) -> None:
        self.received = 0
        self.finished = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            self.received += len(message.get("body", b""))
            if not message.get("more_body"):
                break
        self.finished = True
        await send({"type": "http.response.start", "status": 200, "headers": []})


def call(inner: Inner, chunks: list[int], *, path: str = "/", method: str = "POST", declared: int | None = None) -> int:
    """The status that a request with these chunks (bytes each) gets."""
    headers = [(b"content-length", str(declared).encode())] if declared is not None else []
    scope: dict[str, Any] = {"type": "http", "method": method, "path": path, "headers": headers}
    messages: list[Message] = [
        {"type": "http.request", "body": b"x" * size, "more_body": number < len(chunks) - 1}
        for number, size in enumerate(chunks)
    ]
    sent: list[Message] = []

    async def receive() -> Message:
        return messages.pop(0)

    async def send(message: Message) -> None:
        sent.append(message)

    limited = BodyLimit(inner, upload_bytes=100, other_bytes=10, upload_paths=r"^/(c/[0-9a-f-]{36}/)?$")
    asyncio.run(limited(scope, receive, send))
    status: int = sent[0]["status"]
    return status


@pytest.mark.parametrize(("size", "status"), [(99, 200), (100, 200), (101, 413)])
def test_the_limit_of_an_upload_address(size: int, status: int) -> None:
    assert call(Inner(), [size], declared=size) == status


@pytest.mark.parametrize(("path", "method"), [("/accounts/login/", "POST"), ("/", "PUT"), ("/c/x/", "POST")])
def test_other_addresses_take_less(path: str, method: str) -> None:
    assert call(Inner(), [10], path=path, method=method) == 200
    assert call(Inner(), [11], path=path, method=method) == 413


def test_a_declared_length_is_refused_without_reading() -> None:
    inner = Inner()
    assert call(inner, [1], declared=101) == 413
    assert inner.received == 0


@pytest.mark.parametrize("declared", [None, 5])
def test_what_comes_counts_not_what_was_declared(declared: int | None) -> None:
    inner = Inner()
    assert call(inner, [60, 60, 60], declared=declared) == 413
    assert inner.received == 60
    assert not inner.finished
