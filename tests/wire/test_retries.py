"""What is asked a second time, what never is, and what records hear of it."""

import threading
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from conversations.providers import wire
from conversations.providers.base import Endpoint
from conversations.providers.errors import Cancelled, NotConfigured
from conversations.providers.events import TextDelta, Usage
from conversations.providers.turns import ChatRequest, ImagePart, TextPart, Turn

from .byteserver import CLOSE, GONE, PATIENCE, RESET, ByteServer, chunk, whole
from .reading import EVENTS, HEL, HELLO, KEY, PNG, QUESTION, QUICK, answered, chosen, completion, encoded, event, said

AGAIN: dict[str, bytes] = {
    "429": whole(b"{}", "429 Busy"),
    "429 with a short wait": whole(b"{}", "429 Busy", Retry_After=0),
    "429 with a wait in the body": whole(encoded({"error": "Please retry in 10ms"}), "429 Busy"),
    "502": whole(b"<html>", "502 Bad Gateway", "text/html"),
    "503": whole(b"", "503 No"),
    "503 with a short wait": whole(b"", "503 No", Retry_After="10ms"),
}


@pytest.mark.parametrize("first", AGAIN.values(), ids=AGAIN)
def test_asked_once_more(first: bytes) -> None:
    with ByteServer([first], [HELLO]) as server:
        found, attempts = answered(server.url)
    assert found.text == "Hello"
    assert found.error is None
    assert len(server.received) == 2
    assert server.received[0].raw == server.received[1].raw
    assert [attempt.number for attempt in attempts] == [1, 1, 2, 2]


@pytest.mark.parametrize("first", AGAIN.values(), ids=AGAIN)
def test_asked_only_once_more(first: bytes) -> None:
    with ByteServer([first], [first], [HELLO]) as server:
        found, _ = answered(server.url)
    assert found.reason in ("rate_limited", "provider_down")
    assert len(server.received) == 2


NEVER_AGAIN: dict[str, list[Any]] = {
    "400": [whole(b"{}", "400 No")],
    "401": [whole(b"{}", "401 No")],
    "402": [whole(b"{}", "402 No")],
    "403": [whole(b"{}", "403 No")],
    "404": [whole(b"{}", "404 No")],
    "406": [whole(b"{}", "406 No")],
    "408": [whole(b"{}", "408 No")],
    "413": [whole(b"{}", "413 No")],
    "500": [whole(b"{}", "500 No")],
    "504": [whole(b"{}", "504 No")],
    "529": [whole(b"{}", "529 No")],
    "429 with a long wait": [whole(b"{}", "429 Busy", Retry_After=21)],
    "429 without credit": [whole(encoded({"error": {"message": "x", "code": "insufficient_quota"}}), "429 Busy")],
    "429 for the day": [whole(encoded({"error": "Quota per day used up, retry in 1s"}), "429 Busy")],
    "503 with a long wait": [whole(b"{}", "503 No", Retry_After=21)],
    "a redirect": [whole(b"", "307 Elsewhere", Location="/")],
    "an error inside a good status": [whole(encoded({"error": {"message": "x", "code": 503}}))],
    "a rate limit inside a good status": [whole(encoded({"error": {"message": "x", "code": 429}}))],
    "an empty reply": [whole(completion(said("")))],
    "an unreadable reply": [whole(b"<html>")],
    "closed before a reply": [CLOSE],
    "reset before a reply": [RESET],
    "closed before the text": [EVENTS, CLOSE],
    "closed after some text": [EVENTS, chunk(HEL), CLOSE],
    "an error after some text": [EVENTS, chunk(HEL + event({"error": {"message": "x", "code": 503}}))],
}


@pytest.mark.parametrize("script", NEVER_AGAIN.values(), ids=NEVER_AGAIN)
def test_never_asked_again(script: list[Any]) -> None:
    with ByteServer(script, [HELLO]) as server:
        found, attempts = answered(server.url)
    assert found.error is not None
    assert len(server.received) == 1
    assert [attempt.outcome for attempt in attempts] == ["", found.reason]


def test_no_answer_in_time_is_not_asked_again() -> None:
    with ByteServer([GONE], [HELLO]) as server:
        found, _ = answered(server.url, limits=replace(QUICK, first_byte=0.1))
    assert found.reason == "timeout"
    assert len(server.received) == 1


def test_a_refused_connection_is_tried_again() -> None:
    with ByteServer() as server:
        url = server.url
    found, attempts = answered(url)
    assert found.outcome == ("Refused", "the connection was refused", None, None)
    assert found.reason == "network"
    assert [(attempt.number, attempt.outcome) for attempt in attempts] == [
        (1, ""),
        (1, "network"),
        (2, ""),
        (2, "network"),
    ]


def test_a_name_that_does_not_exist_is_not_tried_again() -> None:
    found, attempts = answered("http://does-not-exist.invalid")
    assert found.reason == "network"
    assert len(attempts) == 2


@pytest.mark.parametrize(("said_wait", "longest"), [("0.3", 0.3), ("0.29", 0.3)])
def test_the_wait_is_honoured_up_to_the_longest(said_wait: str, longest: float) -> None:
    limits = replace(QUICK, longest_wait=longest)
    with ByteServer([whole(b"{}", "429 Busy", Retry_After=said_wait)], [HELLO]) as server:
        call = wire.Call()
        found, attempts = answered(server.url, call=call, limits=limits)
        assert found.text == "Hello"
    assert len(attempts) == 4


def test_the_wait_is_really_waited(monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []

    class Patient(wire.Call):
        def wait(self, seconds: float) -> bool:
            waits.append(seconds)
            return super().wait(0)

    with ByteServer([whole(b"{}", "429 Busy", Retry_After=7)], [HELLO]) as server:
        answered(server.url, call=Patient(), limits=replace(QUICK, pause=0.5))
    assert len(waits) == 1
    assert 7 <= waits[0] <= 7.5


def test_closing_the_call_ends_the_wait() -> None:
    call = wire.Call()
    with ByteServer([whole(b"{}", "429 Busy", Retry_After=15)], [HELLO]) as server:
        timer = threading.Timer(0.1, call.close)
        timer.start()
        found, attempts = answered(server.url, call=call)
        timer.join()
    assert isinstance(found.error, Cancelled)
    assert len(server.received) == 1
    assert [attempt.outcome for attempt in attempts] == ["", "rate_limited"]


# Records


def test_what_records_hear_of_a_good_answer() -> None:
    spent = {"usage": {"prompt_tokens": 3}, "meta": {"usage": {"usd_spent": 0.5}}}
    with ByteServer([whole(completion(said("Hello"), **spent), x_remaining_credits="7.25")]) as server:
        _, (begun, ended) = answered(server.url)
    assert begun == wire.Attempt(1, server.received[0].body)
    assert ended.outcome == "complete"
    assert ended.body == begun.body
    assert ended.status_code == 200
    assert ended.usage == Usage(prompt=3, cost_usd=Decimal("0.5"))
    assert ended.credits == Decimal("7.25")
    assert ended.reply_shape == "openai"
    assert ended.first_byte is not None
    assert ended.total is not None
    assert 0 < ended.first_byte <= ended.total


def test_what_records_hear_of_a_failure() -> None:
    reply = completion(said(""), "length", usage={"completion_tokens": 512})
    with ByteServer([whole(reply, x_remaining_credits="7")]) as server:
        _, (_, ended) = answered(server.url)
    assert (ended.outcome, ended.status_code, ended.credits) == ("empty_reply", 200, Decimal(7))
    assert ended.usage == Usage(output=512)


def test_what_records_hear_of_a_call_without_a_reply() -> None:
    with ByteServer([CLOSE]) as server:
        _, (_, ended) = answered(server.url)
    assert (ended.outcome, ended.status_code, ended.reply_shape) == ("network", None, "")
    assert ended.first_byte is None
    assert ended.total is not None


def test_records_hold_the_digest_of_a_picture_and_never_the_key() -> None:
    vendor, model = chosen("aimlapi/google/gemini-2.5-flash")
    request = ChatRequest((Turn("user", (TextPart("What?"), ImagePart("image/png", PNG))),))
    attempts: list[wire.Attempt] = []
    with ByteServer([HELLO]) as server:
        call = wire.Call()
        here = Endpoint(server.url, KEY)
        list(wire.answer(vendor, model, here, request, call=call, on_attempt=attempts.append, limits=QUICK))
    shown = repr(attempts)
    assert "sha256:" in shown
    assert "iVBORw0KGgo" not in shown
    assert KEY not in shown


def test_who_leaves_in_the_middle_is_recorded_as_stopped() -> None:
    vendor, model = chosen("aimlapi/google/gemini-2.5-flash")
    attempts: list[wire.Attempt] = []
    with ByteServer([EVENTS, chunk(HEL), GONE]) as server:
        call, here = wire.Call(), Endpoint(server.url, KEY)
        found = wire.answer(vendor, model, here, QUESTION, call=call, on_attempt=attempts.append, limits=QUICK)
        assert next(found) == TextDelta("Hel")
        found.close()  # type: ignore[attr-defined]
        assert server.client_left.wait(PATIENCE)
    assert [attempt.outcome for attempt in attempts] == ["", "stopped"]


def test_without_a_key_nothing_is_attempted() -> None:
    vendor, model = chosen("segmind/gemini-2.5-flash")
    attempts: list[wire.Attempt] = []
    events = wire.answer(vendor, model, Endpoint(""), QUESTION, call=wire.Call(), on_attempt=attempts.append)
    with pytest.raises(NotConfigured):
        next(events)
    assert attempts == []
