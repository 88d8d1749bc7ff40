"""Answers for a thread that never waits, and calls that are closed or cut at the worst moments."""

import select
import socket
import threading
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from conversations.providers import connections, errors, listings, wire
from conversations.providers.base import Endpoint
from conversations.providers.call import Call, Limits
from conversations.providers.connections import Line
from conversations.providers.events import Event, Finished, Pause, TextDelta

from .byteserver import LAST_CHUNK, PATIENCE, RESET, ByteServer, chunk
from .reading import DONE, EVENTS, HEL, HELLO, KEY, QUESTION, QUICK, chosen, delta, event, taken

VENDOR, MODEL = chosen("aimlapi/google/gemini-2.5-flash")
LO = event(delta("lo", "stop"))


def paced(url: str) -> Any:
    return wire.paced_answer(
        VENDOR, MODEL, Endpoint(url, KEY), QUESTION, call=Call(), on_attempt=lambda told: None, limits=QUICK
    )


def waited(one: Event | Pause) -> bool:
    """Whether this told what to wait for; then that has come."""
    if not isinstance(one, Pause) or one.fileno is None:
        return False
    readable, _, _ = select.select([one.fileno], [], [], PATIENCE)
    assert readable
    return True


def test_a_pause_comes_before_anything_that_waits() -> None:
    with ByteServer([HELLO]) as server:
        found = paced(server.url)
        assert next(found) == Pause()
        assert not server.accepted.is_set()
        assert list(found) == [TextDelta("Hello"), Finished("complete", "stop")]


def test_who_is_not_patient_is_told_what_to_wait_for() -> None:
    go_on = threading.Event()
    with ByteServer([EVENTS, chunk(HEL), go_on, chunk(LO + DONE) + LAST_CHUNK], [HELLO]) as server:
        events: list[Event | Pause] = []
        for one in paced(server.url):
            if TextDelta("Hel") in events:
                go_on.set()
            if not waited(one):
                events.append(one)
        assert events == [Pause(), TextDelta("Hel"), TextDelta("lo"), Finished("complete", "stop")]
        assert taken(server.url).text == "Hello"
        assert server.connections == 1


def test_who_is_not_patient_does_not_wait_for_the_end_of_a_body() -> None:
    ended = threading.Event()
    with ByteServer([EVENTS, chunk(HEL + LO + DONE), ended, LAST_CHUNK], [HELLO]) as server:
        found = [one for one in paced(server.url) if not waited(one)]
        assert found == [Pause(), TextDelta("Hel"), TextDelta("lo"), Finished("complete", "stop")]
        ended.set()
        assert taken(server.url).text == "Hello"
        assert server.connections == 2


def test_who_is_patient_waits_a_moment_for_the_end_of_a_body() -> None:
    ended = threading.Event()

    def see(one: Event) -> None:
        if isinstance(one, Finished):
            ended.set()

    with ByteServer([EVENTS, chunk(HEL + LO + DONE), ended, 0.2, LAST_CHUNK], [HELLO]) as server:
        assert taken(server.url, on_event=see, limits=replace(QUICK, linger=60)).text == "Hello"
        assert taken(server.url).text == "Hello"
        assert server.connections == 1


class ClosedAtOnce(Call):
    """Another thread closes it as soon as it has begun."""

    def begin(self, limits: Limits) -> None:
        super().begin(limits)
        self.close()


@pytest.mark.parametrize("is_idle_one_there", [False, True])
def test_a_call_closed_before_it_has_a_connection_asks_nothing(is_idle_one_there: bool) -> None:
    with ByteServer([HELLO], [HELLO]) as server:
        if is_idle_one_there:
            assert taken(server.url).text == "Hello"
        asked = len(server.received)
        assert isinstance(taken(server.url, call=ClosedAtOnce()).error, errors.Cancelled)
        assert len(server.received) == asked
        assert taken(server.url).text == "Hello"


def test_a_connection_that_breaks_behind_the_head_is_one_that_broke() -> None:
    head_is_here = threading.Event()

    class Waits(Call):
        def answered(self, status_code: int) -> None:
            super().answered(status_code)
            head_is_here.set()
            assert server.closed.wait(PATIENCE)

    with ByteServer([EVENTS, head_is_here, RESET]) as server:
        found = taken(server.url, call=Waits())
    assert found.outcome == ("Unreachable", "the connection broke", None, None)


@pytest.mark.usefixtures("trusted")
def test_a_secure_stream_may_begin_later_than_its_head() -> None:
    looked = threading.Event()

    class Looks(Call):
        def remaining(self) -> float:
            looked.set()
            return super().remaining()

    with ByteServer([EVENTS, looked, chunk(HEL + LO + DONE) + LAST_CHUNK], tls=True) as server:
        assert taken(server.url, call=Looks()).text == "Hello"


def test_a_connection_that_leads_nowhere_any_more_is_not_used() -> None:
    with socket.socket() as lonely:
        connection = SimpleNamespace(sock=lonely, idle_since=float("inf"))
        assert not connections._is_usable(connection, Line(Call(), public_only=True))
        assert connections._is_usable(connection, Line(Call()))


def test_what_is_held_to_the_public_internet_may_reach_it() -> None:
    held, free = Line(Call(), public_only=True), Line(Call())
    assert held.may_reach(("8.8.8.8", 443))
    assert held.may_reach(("2001:4860:4860::8888", 443, 0, 0))
    assert not held.may_reach(("10.0.0.1", 443))
    assert free.may_reach(("10.0.0.1", 443))


def test_a_list_of_models_nobody_answers_for_fails_like_an_answer() -> None:
    with ByteServer() as server:
        url = server.url
    with pytest.raises(errors.Unreachable, match="refused"):
        wire.listing(VENDOR, Endpoint(url, KEY), call=Call(), limits=QUICK)


def test_a_list_of_models_is_taken_to_its_bound_and_no_further(monkeypatch: pytest.MonkeyPatch) -> None:
    body = b'{"data": []}'
    reply = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    with ByteServer([reply], [reply]) as server:
        monkeypatch.setattr(listings, "LARGEST", len(body))
        call = Call()
        assert wire.listing(VENDOR, Endpoint(server.url, KEY), call=call, limits=QUICK) == ()
        assert call.status_code == 200
        assert None not in (call.started, call.first_byte, call.ended)
        monkeypatch.setattr(listings, "LARGEST", len(body) - 1)
        with pytest.raises(errors.TooLarge):
            wire.listing(VENDOR, Endpoint(server.url, KEY), call=Call(), limits=QUICK)
