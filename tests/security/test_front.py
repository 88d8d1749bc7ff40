"""What reaches the server before any view: heads and bodies that are too large, too slow or without end."""

import asyncio
import itertools
import shutil
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from chatsite.body_limit import BodyLimit, Receive, Scope, Send
from chatsite.front import HEAD_BYTES, HEAD_FIELDS
from tests.live.conftest import template_data
from tests.security.sockets import connect, exchange, serving, status
from tests.serving import Server

__all__ = ["template_data"]

MIB = 1024 * 1024
LITTLE = 64 * 1024  # bytes that may come beyond a limit before a connection is closed
SYSTEM = 8 * MIB  # what the sockets of both sides hold at most


async def patient(_scope: Scope, receive: Receive, send: Send) -> None:
    """Reads the body, takes longer than any body may, and answers."""
    while (await receive()).get("more_body"):
        pass
    with suppress(TimeoutError):
        await asyncio.wait_for(receive(), 1.5)
    await send({"type": "http.response.start", "status": 200, "headers": [(b"connection", b"close")]})
    await send({"type": "http.response.body", "body": b"fine"})


def limited(**times: float) -> BodyLimit:
    return BodyLimit(patient, upload_bytes=MIB, other_bytes=MIB, upload_paths="^/$", **times)


@pytest.fixture(scope="module")
def hurried() -> Iterator[int]:
    """The port of a server that waits half a second for a piece of a body and a second for a whole one."""
    with serving(limited(quiet=0.5, total=1.0)) as port:
        yield port


@pytest.fixture(scope="module")
def calm() -> Iterator[int]:
    with serving(limited()) as port:
        yield port


@pytest.fixture(scope="module")
def site(template_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of a real server."""
    data = tmp_path_factory.mktemp("site")
    shutil.copytree(template_data, data, dirs_exist_ok=True)
    with Server(data) as running:
        yield running.port


@pytest.mark.parametrize("beginning", [b"", b"G", b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: "])
def test_a_head_that_does_not_come_is_not_waited_for(beginning: bytes) -> None:
    with serving(limited(), head_seconds=0.5) as port:
        assert exchange(port, [beginning] if beginning else []) == (len(beginning), b"")


def test_a_body_that_falls_silent_is_cut() -> None:
    """Long before the time for a whole one is over."""
    with serving(limited(quiet=0.5)) as port:
        _, said = exchange(port, [b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n12345"])
    assert status(said) == 408


def test_a_body_that_drips_is_cut(hurried: int) -> None:
    def drops() -> Iterator[bytes]:
        yield b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
        for _ in range(600):
            time.sleep(0.05)
            yield b"1\r\nx\r\n"
        yield b"0\r\n\r\n"

    assert status(exchange(hurried, drops())[1]) in (0, 408)


def test_who_waits_for_an_answer_is_not_cut(hurried: int) -> None:
    _, said = exchange(hurried, [b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n12345"])
    assert status(said) == 200


@pytest.mark.parametrize("field", [b"X-Endless: ", b""])
def test_a_head_without_end_is_refused(calm: int, field: bytes) -> None:
    start = b"GET / HTTP/1.1\r\nHost: x\r\n" + field if field else b"GET /"
    taken, said = exchange(calm, itertools.chain([start], itertools.repeat(b"x" * 4096)))
    assert status(said) in (0, 400, 431)
    assert taken < HEAD_BYTES + SYSTEM


@pytest.mark.parametrize(("fields", "expected"), [(HEAD_FIELDS - 1, 200), (HEAD_FIELDS, 200), (HEAD_FIELDS + 1, 431)])
def test_so_many_fields_a_head_may_have(calm: int, fields: int, expected: int) -> None:
    head = b"GET / HTTP/1.1\r\n" + b"".join(b"X-%d: y\r\n" % number for number in range(fields)) + b"\r\n"
    assert status(exchange(calm, [head])[1]) == expected


def test_a_head_that_comes_at_once_and_is_too_large_is_refused(calm: int) -> None:
    head = b"GET / HTTP/1.1\r\nHost: x\r\nX-Large: " + b"y" * HEAD_BYTES + b"\r\n\r\n"
    assert status(exchange(calm, [head])[1]) in (0, 431)


def post(path: str, *fields: str) -> bytes:
    return "\r\n".join([f"POST {path} HTTP/1.1", "Host: localhost", "Connection: close", *fields, "", ""]).encode()


def chunked(size: int) -> Iterator[bytes]:
    for _ in range(size // 4096):
        yield b"1000\r\n" + b"x" * 4096 + b"\r\n"
    if rest := size % 4096:
        yield b"%x\r\n" % rest + b"x" * rest + b"\r\n"
    yield b"0\r\n\r\n"


def whole(size: int) -> Iterator[bytes]:
    yield from itertools.repeat(b"x" * 4096, size // 4096)
    yield b"x" * (size % 4096)


@pytest.mark.parametrize(("path", "limit"), [("/accounts/login/", MIB), ("/nothing/here/", MIB), ("/", 25 * MIB)])
@pytest.mark.parametrize("way", ["declared", "chunked"])
def test_bodies_end_at_their_limit(site: int, path: str, limit: int, way: str) -> None:
    """Nobody is logged in: what is within the limit is answered by Django, what is beyond it never gets there."""

    def send(size: int) -> int:
        declared = f"Content-Length: {size}" if way == "declared" else "Transfer-Encoding: chunked"
        body = whole(size) if way == "declared" else chunked(size)
        return status(exchange(site, itertools.chain([post(path, declared)], body))[1])

    assert send(limit) in (403, 404)
    assert send(limit + 1) in (0, 413)


def test_an_endless_body_is_closed_shortly_behind_the_limit(site: int) -> None:
    endless = itertools.repeat(b"1000\r\n" + b"x" * 4096 + b"\r\n")
    start = post("/accounts/login/", "Transfer-Encoding: chunked")
    taken, said = exchange(site, itertools.chain([start], endless))
    assert status(said) in (0, 413)
    assert taken < MIB + LITTLE + SYSTEM


def test_more_than_was_declared_is_not_part_of_the_body(site: int) -> None:
    start = post("/accounts/login/", "Content-Length: 10").replace(b"Connection: close\r\n", b"")
    taken, said = exchange(site, itertools.chain([start], itertools.repeat(b"x" * 4096)))
    assert status(said) in (0, 400, 403)
    assert taken < MIB + SYSTEM


def test_a_hundred_slow_uploads_hold_nobody_up(site: int) -> None:
    begun = post("/", "Content-Length: 1000000", "Content-Type: multipart/form-data; boundary=x") + b"--x\r\n"
    lines = [connect(site) for _ in range(100)]
    try:
        for line in lines:
            line.sendall(begun)
        for _ in range(3):
            _, said = exchange(site, [b"GET /accounts/login/ HTTP/1.0\r\nHost: localhost\r\n\r\n"])
            assert status(said) == 200
        for line in lines:
            line.sendall(b"x")  # all of them are still open
    finally:
        for line in lines:
            line.close()
