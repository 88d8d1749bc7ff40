"""The driver over real sockets: what is sent, what comes back, connections that break, and which are used again."""

import gzip
import os
import threading
import time
import tracemalloc
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from conversations import providers
from conversations.providers import connections, wire
from conversations.providers.base import Endpoint
from conversations.providers.errors import NotConfigured
from conversations.providers.events import Credits, Finished, TextDelta
from conversations.providers.replies.collector import Caps
from conversations.providers.turns import ChatRequest, ImagePart, TextPart, Turn

from .byteserver import (
    CLOSE,
    GONE,
    LAST_CHUNK,
    PATIENCE,
    RESET,
    ByteServer,
    Script,
    byte_by_byte,
    chunk,
    chunked,
    head,
    whole,
)
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
    completion,
    delta,
    event,
    said,
    stream,
    taken,
)

# What is sent


def test_the_request_as_it_arrives() -> None:
    with ByteServer([HELLO]) as server:
        taken(server.url + "/v1")
    request = server.received[0]
    vendor, model = chosen("aimlapi/google/gemini-2.5-flash")
    prepared = providers.prepare(vendor, model, Endpoint(server.url + "/v1", KEY), QUESTION)
    assert request.line == "POST /v1/chat/completions HTTP/1.1"
    assert request.raw == prepared.content
    assert request.headers["authorization"] == f"Bearer {KEY}"
    assert request.headers["accept-encoding"] == "identity"
    assert request.headers["content-type"] == "application/json"
    assert request.headers["content-length"] == str(len(prepared.content))
    assert not {"cookie", "x-api-key"} & set(request.headers)


def test_the_environment_is_not_trusted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login alice password secret")
    proxy = "http://127.0.0.1:9"
    for name, value in (("HTTP_PROXY", proxy), ("ALL_PROXY", proxy), ("HOME", str(tmp_path))):
        monkeypatch.setenv(name, value)
        monkeypatch.setenv(name.lower(), value)
    with ByteServer([HELLO]) as server:
        assert taken(server.url).text == "Hello"
    assert server.received[0].headers["authorization"] == f"Bearer {KEY}"


def test_cookies_are_not_kept() -> None:
    with ByteServer([whole(completion(said("Hello")), Set_Cookie="id=7")], [HELLO]) as server:
        taken(server.url)
        taken(server.url)
    assert "cookie" not in server.received[1].headers


def test_a_large_request_is_sent_whole() -> None:
    picture = PNG + bytes(5_000_000)
    request = ChatRequest((Turn("user", (TextPart("What is this?"), ImagePart("image/png", picture))),))
    vendor, model = chosen("aimlapi/google/gemini-2.5-flash")
    endpoint = Endpoint("", KEY)
    with ByteServer([HELLO]) as server:
        here = Endpoint(server.url, KEY)
        found = wire.events(vendor, model, here, request, call=wire.Call(), limits=QUICK)
        assert list(found) == [TextDelta("Hello"), Finished("complete", "stop")]
    assert server.received[0].raw == providers.prepare(vendor, model, endpoint, request).content


@pytest.mark.parametrize("address", ["ftp://127.0.0.1/", "http://", "127.0.0.1", "http://[::1", "http://a b/"])
def test_an_address_that_is_none(address: str) -> None:
    assert isinstance(taken(address).error, NotConfigured)


# What comes back


def test_events_arrive_while_the_reply_is_still_running() -> None:
    go_on = threading.Event()
    with ByteServer([EVENTS, chunk(HEL), go_on, chunk(event(delta("lo", "stop")) + DONE), LAST_CHUNK]) as server:
        found = taken(server.url, on_event=lambda found: go_on.set())
    assert found.text == "Hello"


def test_everything_that_waits_is_read_before_the_nap() -> None:
    pieces = [event(delta(letter)) for letter in "abcdefgh"]
    script = [b"".join([EVENTS, *map(chunk, pieces), chunk(event(delta(finish="stop")) + DONE), LAST_CHUNK])]
    begun = time.monotonic()
    with ByteServer(script) as server:
        found = taken(server.url, limits=replace(QUICK, nap=5))
    assert found.text == "abcdefgh"
    assert time.monotonic() - begun < 4


@pytest.mark.parametrize("is_chunked", [True, False])
def test_a_reader_of_a_stream_naps_when_nothing_more_waits(is_chunked: bool) -> None:
    napped = threading.Event()

    class Napping(wire.Call):
        def wait(self, seconds: float) -> bool:
            napped.set()
            return super().wait(0)

    rest = event(delta("lo", "stop")) + DONE
    chunks: list[Any] = [EVENTS, chunk(HEL), napped, chunk(rest), LAST_CHUNK]
    script: list[Any] = chunks if is_chunked else [CLOSING, HEL, napped, rest, CLOSE]
    with ByteServer(script) as server:
        assert taken(server.url, call=Napping()).text == "Hello"


def test_a_reader_of_a_whole_reply_never_naps() -> None:
    seen = threading.Event()

    class Sleepless(wire.Call):
        def wait(self, seconds: float) -> bool:
            seen.set()
            return super().wait(0)

    with ByteServer(chunked(byte_by_byte(completion(said("Hello"))), "application/json")) as server:
        assert taken(server.url, call=Sleepless()).text == "Hello"
    assert not seen.is_set()


def test_the_first_content_is_not_kept_waiting_by_a_nap() -> None:
    """A chunk with nothing but the role often comes a moment before it."""
    role = event(delta("", role="assistant"))

    def script() -> Iterator[bytes]:
        yield EVENTS + chunk(role)
        threading.Event().wait(0.1)
        yield chunk(event(delta("Hello", "stop")) + DONE) + LAST_CHUNK

    begun = time.monotonic()
    with ByteServer(script()) as server:
        assert taken(server.url, limits=replace(QUICK, nap=5)).text == "Hello"
    assert time.monotonic() - begun < 4


def test_an_endless_error_body_is_left() -> None:
    def script() -> Iterator[bytes]:
        yield head("500 No", Connection="close") + b'{"error": "Why"}'
        while True:
            yield b" " * 10_000

    with ByteServer(script()) as server:
        found = taken(server.url)
        assert server.client_left.wait(PATIENCE)
    assert found.outcome == ("Unavailable", "Why", 500, None)


def test_the_credits_come_first_also_with_an_error() -> None:
    with ByteServer([whole(b"{}", "429 Busy", x_remaining_credits="1.5", Retry_After=60)]) as server:
        found = taken(server.url)
    assert found.events[0] == found.credits
    assert isinstance(found.credits, Credits)
    assert found.outcome == ("RateLimited", "429 Too Many Requests", 429, 60.0)


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"])
def test_no_redirect_is_followed(status: str) -> None:
    with ByteServer([HELLO]) as other:
        endless: list[Any] = [head(status, Location=other.url, Content_Length=10**9), b"x" * 100_000, GONE]
        with ByteServer(endless) as server:
            found = taken(server.url)
    assert found.reason == "unexpected_reply"
    assert other.received == []


@pytest.mark.parametrize("is_chunked", [True, False])
def test_a_compressed_reply_is_read_although_nobody_asked(is_chunked: bool) -> None:
    body = gzip.compress(stream(delta("Hel"), delta("lo", "stop")))
    script = list(chunked([body], Content_Encoding="gzip")) if is_chunked else [whole(body, Content_Encoding="gzip")]
    with ByteServer(script) as server:
        assert taken(server.url).text == "Hello"


def test_what_a_compressed_reply_unfolds_to_is_bounded() -> None:
    bomb = gzip.compress(b'{"a": "' + bytes(64 << 20))
    tracemalloc.start()
    try:
        with ByteServer([whole(bomb, Content_Encoding="gzip")]) as server:
            found = taken(server.url, limits=replace(QUICK, caps=Caps(body=1 << 20)))
        assert tracemalloc.get_traced_memory()[1] < 8 << 20
    finally:
        tracemalloc.stop()
    assert found.reason == "too_large"


def test_nonsense_that_claims_to_be_compressed() -> None:
    with ByteServer([whole(b"nonsense", Content_Encoding="gzip")]) as server:
        assert taken(server.url).reason == "unexpected_reply"


BROKEN: dict[str, tuple[list[Any], str, str]] = {
    "before a reply": ([CLOSE], "", "network"),
    "reset before a reply": ([RESET], "", "network"),
    "within the head": ([EVENTS[:40], CLOSE], "", "network"),
    "after a line of the head": ([head()[: head().index(b"\r\n") + 2], CLOSE], "", "network"),
    "no HTTP": ([b"SSH-2.0-OpenSSH_9.2\r\n", CLOSE], "", "unexpected_reply"),
    "two lengths": ([head(Content_Length=5, Content_length=6), CLOSE], "", "unexpected_reply"),
    "a length that is none": ([head(Content_Length="many") + completion(said("Hello")), CLOSE], "Hello", "complete"),
    "endless headers": ([b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 2000, CLOSE], "", "unexpected_reply"),
    "before the body": ([EVENTS, CLOSE], "", "network"),
    "reset before the body": ([EVENTS, RESET], "", "network"),
    "within a chunk": ([EVENTS, chunk(HEL), chunk(HEL)[:20], CLOSE], "Hel", "interrupted"),
    "between chunks": ([EVENTS, chunk(HEL), CLOSE], "Hel", "interrupted"),
    "a chunk without a size": ([EVENTS, chunk(HEL), b"zz\r\n", CLOSE], "Hel", "interrupted"),
    "a stream without a length": ([CLOSING, HEL, CLOSE], "Hel", "interrupted"),
    "a whole reply": ([HELLO[:-10], CLOSE], "", "network"),
    "a whole reply without a length": (
        [head(Connection="close"), completion(said("x"))[:-5], CLOSE],
        "",
        "interrupted",
    ),
    "a picture": ([whole(PNG)[:-5], CLOSE], "", "network"),
    "an error": ([whole(b'{"error": "Why"}', "500 No")[:-1], CLOSE], "", "provider_down"),
    "behind the finish reason": ([EVENTS, chunk(HEL), chunk(event(delta("lo", "stop"))), CLOSE], "Hello", "complete"),
    "behind [DONE]": ([EVENTS, chunk(HEL + DONE), CLOSE], "Hel", "complete"),
    "behind a whole reply": ([whole(completion(said("Hello")) + b" " * 9)[:-9], CLOSE], "Hello", "complete"),
}


@pytest.mark.parametrize(("script", "text", "reason"), BROKEN.values(), ids=BROKEN)
def test_connections_that_break(script: Script, text: str, reason: str) -> None:
    with ByteServer(script) as server:
        found = taken(server.url)
    assert (found.text, found.reason) == (text, reason)


def test_a_reset_in_the_middle_keeps_the_text() -> None:
    """A reset may overtake the data before it, so it is sent only after the text has been read."""
    seen = threading.Event()
    with ByteServer([EVENTS, chunk(HEL), seen, RESET]) as server:
        found = taken(server.url, on_event=lambda event: seen.set())
    assert (found.text, found.reason) == ("Hel", "interrupted")


# Connections


@pytest.mark.parametrize("kind", ["whole", "stream", "no done", "error", "empty", "tls"])
@pytest.mark.usefixtures("trusted")
def test_connections_are_used_again(kind: str) -> None:
    script: list[bytes] = {
        "whole": [HELLO],
        "tls": [HELLO],
        "stream": list(chunked([HEL, DONE])),
        "no done": list(chunked([HEL, event(delta(finish="stop"))])),
        "error": [whole(b"{}", "401 No")],
        "empty": [head("204 No Content")],
    }[kind]
    with ByteServer(script, script, script, tls=kind == "tls") as server:
        assert taken(server.url) == taken(server.url) == taken(server.url)
    assert len(server.received) == 3
    assert server.connections == 1


@pytest.mark.parametrize(
    "script",
    [
        [EVENTS, chunk(HEL + event({"error": "x"})), GONE],
        [EVENTS, chunk(b"data: " + b"x" * 2000), GONE],
        [EVENTS, chunk(HEL), GONE],
    ],
    ids=["error event", "too large", "silence"],
)
def test_half_read_connections_are_not_used_again(script: Script) -> None:
    with ByteServer(script, [HELLO]) as server:
        taken(server.url, limits=replace(QUICK, no_progress=0.1, caps=Caps(body=1000)))
        assert taken(server.url).text == "Hello"
    assert server.connections == 2


def test_a_connection_that_the_server_has_closed_is_not_used_again() -> None:
    with ByteServer([HELLO, CLOSE], [HELLO]) as server:
        assert taken(server.url).text == "Hello"
        assert server.closed.wait(PATIENCE)
        assert taken(server.url).text == "Hello"
    assert server.connections == 2


def test_a_connection_that_was_long_idle_is_not_used_again(monkeypatch: pytest.MonkeyPatch) -> None:
    with ByteServer([HELLO], [HELLO]) as server:
        assert taken(server.url).text == "Hello"
        monkeypatch.setattr(connections, "LONGEST_IDLE", -1.0)
        assert taken(server.url).text == "Hello"
    assert server.connections == 2


def test_no_file_descriptor_is_left_behind() -> None:
    scripts: list[Script] = [[EVENTS, chunk(HEL), CLOSE], [RESET], [HELLO[:-3], CLOSE], [whole(b"{}", "500 No"), CLOSE]]
    with ByteServer(*scripts * 4) as server:
        for _ in scripts:
            taken(server.url)
        before = len(os.listdir("/proc/self/fd"))
        for _ in scripts * 3:
            taken(server.url)
        # The server closes its side in its own time.
        last_moment = time.monotonic() + PATIENCE
        while len(os.listdir("/proc/self/fd")) > before and time.monotonic() < last_moment:
            threading.Event().wait(0.01)
        assert len(os.listdir("/proc/self/fd")) <= before


def test_a_certificate_that_nobody_vouches_for(monkeypatch: pytest.MonkeyPatch) -> None:
    with ByteServer([HELLO], tls=True) as server:
        found = taken(server.url)
    assert found.outcome == ("Unreachable", "no trusted connection to the provider", None, None)
    assert server.received == []
