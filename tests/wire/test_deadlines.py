"""Calls that are slow, silent or closed: every deadline, and the handle that other threads have."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest

from conversations.providers import wire
from conversations.providers.base import Endpoint
from conversations.providers.call import Limits
from conversations.providers.errors import Cancelled, TimedOut
from conversations.providers.events import TextDelta
from conversations.providers.replies.collector import Caps
from conversations.providers.turns import ChatRequest, ImagePart, TextPart, Turn

from .byteserver import CLOSE, GONE, LAST_CHUNK, PATIENCE, ByteServer, Script, chunk, head
from .reading import (
    CLOSING,
    DONE,
    EVENTS,
    HEL,
    HELLO,
    KEY,
    PNG,
    QUESTION,
    QUICK,
    chosen,
    delta,
    event,
    taken,
)

SHORT = 0.2  # seconds; a deadline that a test waits for
BRIEF = replace(QUICK, first_byte=1.0, no_progress=SHORT, after_end=SHORT)


@contextmanager
def in_background(work: Callable[[], Any]) -> Iterator[list[Any]]:
    """Runs `work` in a thread; the list holds its result when the block has ended."""
    results: list[Any] = []
    thread = threading.Thread(target=lambda: results.append(work()), daemon=True)
    thread.start()
    yield results
    thread.join(PATIENCE)
    assert results, "the call did not end"


@contextmanager
def watched(call: wire.Call) -> Iterator[None]:
    """What the engine's watch thread does."""
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(0.02):
            call.close_if_overdue()

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join(PATIENCE)


@contextmanager
def soon() -> Iterator[None]:
    """The block ends long before any deadline but the one under test."""
    begun = time.monotonic()
    yield
    assert time.monotonic() - begun < QUICK.no_progress / 2


@contextmanager
def full_queue() -> Iterator[str]:
    """An address where no connection is refused and none accepted: a full queue drops the next one without a word."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        address = full.getsockname()
        waiting = [socket.socket() for _ in range(4)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(address)
        yield f"http://127.0.0.1:{address[1]}"
        for one in waiting:
            one.close()


# Deadlines


def test_nobody_accepts_the_connection() -> None:
    with full_queue() as url:
        found = taken(url, limits=replace(QUICK, connect=SHORT))
    assert type(found.error) is TimedOut


SLOW: dict[str, tuple[list[Any], str]] = {
    "no head": ([GONE], ""),
    "no body": ([EVENTS, GONE], ""),
    "no more": ([EVENTS, chunk(HEL), GONE], "Hel"),
    "no more of a line": ([EVENTS, chunk(HEL), chunk(HEL[:-5]), GONE], "Hel"),
    "no more of a whole reply": ([HELLO[:-10], GONE], ""),
    "no more of a chunk's size": ([EVENTS, chunk(HEL), b"1", GONE], "Hel"),
}


@pytest.mark.parametrize(("script", "text"), SLOW.values(), ids=SLOW)
def test_silence_ends_at_the_deadline(script: Script, text: str) -> None:
    with ByteServer(script) as server, soon():
        found = taken(server.url, limits=replace(BRIEF, first_byte=PATIENCE) if text else BRIEF)
        assert server.client_left.wait(PATIENCE)
    assert (found.text, type(found.error)) == (text, TimedOut)


def drip(data: bytes) -> Iterator[Any]:
    """Bytes one at a time, in an endless round, each after a pause shorter than any deadline."""
    never = threading.Event()
    while True:
        for at in range(len(data)):
            never.wait(SHORT / 10)
            yield data[at : at + 1]


DRIPS: dict[str, tuple[bytes, bytes, str]] = {
    "comments": (CLOSING + HEL, b": ping\n\n", "Hel"),
    "comments from the start": (CLOSING, b": ping\n\n", ""),
    "empty deltas": (CLOSING + HEL, event(delta("")), "Hel"),
    "usage": (CLOSING + HEL, event({"choices": [], "usage": {"prompt_tokens": 1}}), "Hel"),
    "blanks before a reply": (head(Connection="close"), b" \n", ""),
    "a line without an end": (CLOSING + HEL + b"data: ", b"x", "Hel"),
    "a whole reply": (head(Connection="close") + b'{"choices": "', b"x", ""),
}


@pytest.mark.parametrize(("start", "more", "text"), DRIPS.values(), ids=DRIPS)
def test_bytes_without_content_are_no_progress(start: bytes, more: bytes, text: str) -> None:
    def script() -> Iterator[bytes]:
        yield start
        yield from drip(more)

    with ByteServer(script()) as server, soon():
        found = taken(server.url, limits=BRIEF)
    assert (found.text, type(found.error)) == (text, TimedOut)


@pytest.mark.parametrize(
    "start", [b"", b"HTTP/1.1 200 OK\r\n", EVENTS + chunk(HEL)], ids=["status", "head", "chunk size"]
)
def test_a_head_that_drips_is_noticed_by_the_watch(start: bytes) -> None:
    def script() -> Iterator[bytes]:
        yield start
        yield from drip(b"0" if start.endswith(b"\n\r\n") else b"HTTP/1.1-a")

    call = wire.Call()
    with ByteServer(script()) as server, watched(call):
        found = taken(server.url, call=call, limits=BRIEF)
    assert type(found.error) is TimedOut


def test_a_reply_that_never_ends_ends_at_the_total() -> None:
    def script() -> Iterator[bytes]:
        yield CLOSING
        while True:
            yield HEL

    call, limits = wire.Call(), replace(QUICK, total=1.0, caps=Caps(text=1 << 28))
    with ByteServer(script()) as server, watched(call):  # a reader that is slower than the sender never waits
        found = taken(server.url, call=call, limits=limits)
        assert server.client_left.wait(PATIENCE)
    assert type(found.error) is TimedOut
    assert found.text.startswith("HelHel")


def test_slow_content_is_progress() -> None:
    def script() -> Iterator[Any]:
        yield CLOSING
        for _ in range(6):
            pause.wait(0.3)
            yield HEL
        yield DONE
        yield CLOSE

    pause = threading.Event()
    with ByteServer(script()) as server:
        found = taken(server.url, limits=replace(QUICK, first_byte=1.5, no_progress=1.5))
    assert (found.text, found.reason) == ("Hel" * 6, "complete")


def test_a_head_that_comes_early_leaves_the_content_its_time() -> None:
    def script() -> Iterator[Any]:
        yield EVENTS
        threading.Event().wait(SHORT * 3)
        yield chunk(HEL + DONE) + LAST_CHUNK

    with ByteServer(script()) as server:
        found = taken(server.url, limits=replace(QUICK, no_progress=SHORT))
    assert (found.text, found.reason) == ("Hel", "complete")


def test_a_connection_that_stays_open_behind_the_end_is_left() -> None:
    with ByteServer([EVENTS, chunk(HEL + DONE), GONE]) as server:
        found = taken(server.url)
        assert server.client_left.wait(PATIENCE)
    assert (found.text, found.reason) == ("Hel", "complete")


def test_a_connection_that_stays_open_behind_the_finish_reason_is_left() -> None:
    with ByteServer([EVENTS, chunk(HEL), chunk(event(delta(finish="length"))), GONE]) as server, soon():
        found = taken(server.url, limits=replace(QUICK, after_end=SHORT))
        assert server.client_left.wait(PATIENCE)
    assert (found.text, found.reason) == ("Hel", "truncated")


# Closing a call

SILENT: dict[str, list[Any]] = {
    "before the head": [GONE],
    "within the head": [EVENTS[:20], GONE],
    "before the body": [EVENTS, GONE],
    "within an event": [EVENTS, chunk(b"data: "), GONE],
    "within a whole reply": [HELLO[:-10], GONE],
}


@pytest.mark.parametrize("script", SILENT.values(), ids=SILENT)
@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
@pytest.mark.usefixtures("trusted")
def test_a_silent_call_can_be_closed_by_another_thread(script: Script, tls: bool) -> None:
    call = wire.Call()
    with ByteServer(script, tls=tls) as server:
        with soon(), in_background(lambda: taken(server.url, call=call)) as results:
            assert server.asked.wait(PATIENCE)
            call.close()
        assert server.client_left.wait(PATIENCE)
    assert type(results[0].error) is Cancelled
    assert call.is_closed


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
@pytest.mark.usefixtures("trusted")
def test_a_call_that_fell_silent_keeps_its_text(tls: bool) -> None:
    call = wire.Call()
    with soon(), ByteServer([EVENTS, chunk(HEL), GONE], tls=tls) as server:
        found = taken(server.url, call=call, on_event=lambda event: threading.Timer(SHORT, call.close).start())
        assert server.client_left.wait(PATIENCE)
    assert (found.text, type(found.error)) == ("Hel", Cancelled)


def test_a_connection_that_is_used_again_can_be_closed() -> None:
    call = wire.Call()
    with ByteServer([HELLO], [GONE]) as server:
        taken(server.url)
        server.asked.clear()
        with soon(), in_background(lambda: taken(server.url, call=call)) as results:
            assert server.asked.wait(PATIENCE)
            call.close()
    assert type(results[0].error) is Cancelled
    assert server.connections == 1


def test_a_tls_handshake_can_be_closed() -> None:
    call = wire.Call()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"https://127.0.0.1:{silent.getsockname()[1]}"
        with soon(), in_background(lambda: taken(url, call=call)) as results:
            connection, _ = silent.accept()
            with connection:
                assert connection.recv(1)
                call.close()
    assert type(results[0].error) is Cancelled


def test_a_connection_attempt_can_be_closed() -> None:
    call = wire.Call()
    begun = time.monotonic()
    with full_queue() as url, in_background(lambda: taken(url, call=call)) as results:
        threading.Event().wait(SHORT)  # nothing can be seen of an attempt; before it, closing is no harder
        call.close()
    assert type(results[0].error) is Cancelled
    assert time.monotonic() - begun < QUICK.connect / 2


def test_a_request_that_nobody_reads_can_be_closed() -> None:
    request = ChatRequest((Turn("user", (TextPart("x"), ImagePart("image/png", PNG + bytes(6_000_000)))),))
    vendor, model = chosen("aimlapi/google/gemini-2.5-flash")
    call = wire.Call()

    def work() -> Any:
        with pytest.raises(Cancelled):
            list(wire.events(vendor, model, Endpoint(server.url, KEY), request, call=call, limits=QUICK))
        return True

    with soon(), ByteServer(reads=False) as server, in_background(work):
        assert server.accepted.wait(PATIENCE)
        call.close()


def test_a_closed_call_sends_nothing() -> None:
    call = wire.Call()
    call.close()
    with ByteServer([HELLO]) as server:
        found = taken(server.url, call=call)
    assert type(found.error) is Cancelled
    assert server.received == []


def test_closing_a_call_harms_no_other_call_on_its_former_connection() -> None:
    """A reply that was read to its end gives its connection back before its events have all been taken."""
    vendor, model = chosen("aimlapi/google/gemini-2.5-flash")
    first, go_on = wire.Call(), threading.Event()
    whole_stream = HEL + event(delta("lo", "stop"))
    reply = head(content_type="text/event-stream", Content_Length=len(whole_stream)) + whole_stream
    with ByteServer([reply], [HELLO[:-10], go_on, HELLO[-10:]]) as server:
        found = wire.events(vendor, model, Endpoint(server.url, KEY), QUESTION, call=first, limits=QUICK)
        assert next(found) == TextDelta("Hel")
        server.asked.clear()
        with in_background(lambda: taken(server.url)) as results:
            assert server.asked.wait(PATIENCE)
            first.close()
            go_on.set()
        with pytest.raises(Cancelled):
            list(found)
    assert results[0].text == "Hello"
    assert server.connections == 1


def test_leaving_the_events_closes_the_connection() -> None:
    vendor, model = chosen("aimlapi/google/gemini-2.5-flash")
    call = wire.Call()
    with ByteServer([EVENTS, chunk(HEL), GONE]) as server:
        found = iter(wire.events(vendor, model, Endpoint(server.url, KEY), QUESTION, call=call, limits=QUICK))
        assert next(found) == TextDelta("Hel")
        found.close()  # type: ignore[attr-defined]
        assert server.client_left.wait(PATIENCE)
    assert call.ended is not None


def test_the_clock_of_a_call() -> None:
    call = wire.Call()
    assert not call.overdue(time.monotonic() + 10**6)
    with ByteServer([EVENTS, chunk(HEL + DONE), LAST_CHUNK]) as server:
        taken(server.url, call=call)
    assert call.status_code == 200
    assert call.started is not None
    assert call.first_byte is not None
    assert call.ended is not None
    assert call.started <= call.first_byte <= call.ended
    assert not call.overdue(time.monotonic() + 10**6)


def test_a_running_call_is_overdue_only_after_its_deadline() -> None:
    call = wire.Call()
    seen: list[bool] = []

    def look(event: object) -> None:
        now = time.monotonic()
        seen.extend([call.overdue(now), call.overdue(now + 9), call.overdue(now + 11), call.close_if_overdue()])

    with ByteServer([EVENTS, chunk(HEL), chunk(DONE), LAST_CHUNK]) as server:
        found = taken(server.url, call=call, on_event=look, limits=Limits(no_progress=10, first_byte=5, nap=0))
    assert found.reason == "complete"
    assert seen[:4] == [False, False, True, False]
