"""What replies may hold: pictures in every spelling, text that cannot be stored as it came, caps, counts and costs."""

import base64
import time
from decimal import Decimal
from typing import Any

import pytest

from conversations.providers.events import Credits, Finished, ImageDelta, Omitted, TextDelta, Usage
from conversations.providers.replies.collector import Caps
from conversations.providers.replies.decoder import Decoder

from .byteserver import byte_by_byte
from .reading import (
    HEL,
    PNG,
    Reader,
    completion,
    data_url,
    decoded,
    delta,
    encoded,
    event,
    gemini,
    inline,
    said,
    stream,
)

BASE64 = base64.b64encode(PNG).decode()
PICTURE = ImageDelta("image/png", PNG)

# Pictures in parts

PICTURES: dict[str, Any] = {
    "data URL": data_url(PNG),
    "bare base64": BASE64,
    "URL-safe": base64.urlsafe_b64encode(PNG).decode(),
    "no padding": BASE64.rstrip("="),
    "line breaks": "\r\n".join(BASE64[at : at + 20] for at in range(0, len(BASE64), 20)),
    "percent signs": data_url(PNG).replace("+", "%2B").replace("=", "%3D").replace("/", "%2F").replace("%2F", "/", 1),
    "inside an object": {"url": data_url(PNG)},
}


@pytest.mark.parametrize("value", PICTURES.values(), ids=PICTURES)
def test_pictures_in_every_spelling(value: Any) -> None:
    parts = [{"type": "image_url", "image_url": value}]
    assert decoded([completion(said(parts))]).images == [PICTURE]


def test_a_data_url_in_place_of_base64(read: Reader) -> None:
    assert read(encoded(gemini({"inlineData": {"data": data_url(PNG)}}))).images == [PICTURE]


@pytest.mark.parametrize("value", ["", "%%%", "aGVsbG8=", "data:image/svg+xml,<svg/>", "data:image/png;base64,", "A"])
def test_pictures_that_are_none_are_omitted(value: str) -> None:
    found = decoded([encoded(gemini({"text": "See"}, {"inlineData": {"mimeType": "image/png", "data": value}}))])
    assert found.events == (TextDelta("See"), Omitted("a picture that cannot be read"), Finished("complete", "STOP"))


def test_no_more_pictures_than_the_cap() -> None:
    parts = [inline(PNG + bytes([number])) for number in range(11)]
    for count, omitted in (
        (7, []),
        (8, []),
        (9, ["more pictures than can be taken"]),
        (11, ["more pictures than can be taken"]),
    ):
        found = decoded([encoded(gemini(*parts[:count]))])
        assert [image.data[-1] for image in found.images] == list(range(min(count, 8)))
        assert found.omitted == omitted
        assert found.reason == "complete"


# Text that cannot be stored as it came


def test_nul_and_lone_surrogates_are_replaced(read: Reader) -> None:
    body = b'{"choices": [{"message": {"content": "a\\u0000b \\ud83d c \\ude00 \\ud83d\\ude00"}}]}'
    assert read(body).text == "a\ufffdb \ufffd c \ufffd \U0001f600"


def test_a_surrogate_pair_torn_between_two_events_is_joined(read: Reader) -> None:
    halves = [b'data: {"choices": [{"delta": {"content": "' + half + b'"}}]}\n\n' for half in (b"\\ud83d", b"\\ude00!")]
    found = read(b"".join(halves) + b"data: [DONE]\n\n", content_type="text/event-stream")
    assert found.text == "\U0001f600!"


def test_half_a_pair_at_the_end_is_replaced() -> None:
    assert decoded([b'data: {"choices": [{"delta": {"content": "a\\ud83d"}}]}\n\n']).text == "a\ufffd"


def test_invalid_utf8_is_replaced(read: Reader) -> None:
    assert read(b'{"choices": [{"message": {"content": "caf\xe9 \xff"}}]}').text == "caf\ufffd \ufffd"


# Caps, each at the cap and one beyond it


@pytest.mark.parametrize("letter", ["a", "é", "€", "\U0001f600"])
@pytest.mark.parametrize("over", [-1, 0, 1])
def test_the_cap_of_text_counts_bytes_and_cuts_between_letters(letter: str, over: int) -> None:
    size = len(letter.encode())
    caps = Caps(text=size * 10)
    found = decoded([stream(*[delta(letter)] * (10 + over), delta(finish="stop"))], caps=caps)
    assert found.text == letter * min(10 + over, 10)
    assert found.reason == ("too_large" if over > 0 else "complete")


def test_the_first_of_two_failures_counts() -> None:
    body = stream(delta("Hello world") | {"error": {"message": "Failed", "code": 401}})
    assert decoded([body], caps=Caps(text=5)).reason == "too_large"


def test_reasoning_counts_for_the_cap_of_text() -> None:
    found = decoded([stream(delta(reasoning="aaaaa"), delta("bbbbb"), delta("c"))], caps=Caps(text=10))
    assert (found.reasoning, found.text, found.reason) == ("aaaaa", "bbbbb", "too_large")


@pytest.mark.parametrize("over", [-1, 0, 1])
def test_the_cap_of_a_whole_body(over: int) -> None:
    body = completion(said("Hello"))
    found = decoded([body[:30], body[30:]], caps=Caps(body=len(body) - over))
    assert found.reason == ("too_large" if over > 0 else "complete")


@pytest.mark.parametrize(
    "line", [b"data: ", b": comment ", b"data: x\ndata: ", b""], ids=["data", "comment", "lines", "blank"]
)
def test_the_cap_of_an_event_binds_before_it_ends(line: bytes) -> None:
    pieces = [stream(delta("Hello"), done=False), line, *[b"x" * 100] * 11]
    found = decoded(pieces, caps=Caps(body=1000))
    assert (found.text, found.reason) == ("Hello", "too_large")


def test_the_cap_of_a_picture_inside_text() -> None:
    chunks = [delta("A ![x](data:image/png;base64,"), *[delta("iVBO" * 50)] * 16]
    found = decoded([stream(*chunks)], caps=Caps(body=3000))
    assert (found.text, found.reason) == ("A ", "too_large")


def test_the_cap_of_an_element() -> None:
    found = decoded([b'[{"candidates": ["', *[b"x" * 100] * 11], caps=Caps(body=1000))
    assert found.reason == "too_large"


# Progress


def test_progress_is_content_and_not_bytes() -> None:
    decoder = Decoder(200, {})
    seen = [decoder.progress]
    for piece, is_progress in [
        (b": ping\n\n" * 10, False),
        (b":" + b"x" * 200_000, False),
        (b"\n" + event(delta("")), False),
        (event({"choices": [], "usage": {"prompt_tokens": 1}}), False),
        (HEL, True),
        (b"data: ", False),
        (b"x" * 200_000, True),
        (b"\n\n" + HEL, True),
        (event(delta("![x](data:image/png;base64,")), False),
        (event(delta("A" * 200_000)), True),
        (event(delta(finish="stop")), True),
    ]:
        decoder.feed(piece)
        assert (decoder.progress != seen[-1]) is is_progress, piece[:40]
        seen.append(decoder.progress)


# Usage and credits

ABSURD: list[Any] = [-1, 10**13, 10**400, 1.5, "12", True, None, [], {}, float("inf"), float("nan"), 1e300]


@pytest.mark.parametrize("value", ABSURD, ids=[str(value)[:12] for value in ABSURD])
def test_absurd_counts_are_not_said(value: Any) -> None:
    usage = {"prompt_tokens": value, "completion_tokens": 2, "completion_tokens_details": {"reasoning_tokens": value}}
    metadata = {"promptTokenCount": value, "candidatesTokenCount": 2, "thoughtsTokenCount": value}
    assert decoded([completion(said("Hello"), usage=usage)]).usage == Usage(output=2)
    assert decoded([encoded(gemini({"text": "Hello"}, usageMetadata=metadata))]).usage == Usage(output=2)


@pytest.mark.parametrize("value", [-1, "x", 10**13, True, None, "NaN", "1_0", [], 1e300, float("inf")], ids=str)
def test_absurd_costs_are_not_said(value: Any) -> None:
    spent = {"usage": {"usd_spent": value, "credits_used": value}}
    assert decoded([completion(said("Hello"), meta=spent)]).usage is None


def test_costs_are_exact() -> None:
    body = completion(said("x"))[:-1] + (b', "meta": {"usage": {"usd_spent": 0.1234567891234, "credits_used": "3"}}}')
    assert decoded([body]).usage == Usage(cost_usd=Decimal("0.1234567891234"), credits_used=Decimal(3))


def test_aimlapi_names_the_cost_in_headers_too() -> None:
    headers = {"X-AIMLAPI-USD-Spent": "0.00124", "x-aimlapi-credits-used": "2480"}
    found = decoded([completion(said("Hello"), usage={"prompt_tokens": 6})], headers=headers)
    assert found.usage == Usage(prompt=6, cost_usd=Decimal("0.00124"), credits_used=Decimal(2480))


def test_whole_numbers_written_with_a_point_count() -> None:
    assert decoded([completion(said("Hello"), usage={"prompt_tokens": 6.0})]).usage == Usage(prompt=6)


@pytest.mark.parametrize(
    ("value", "credits"),
    [
        ("12.5", Decimal("12.5")),
        (" 0 ", Decimal(0)),
        ("-0.25", Decimal("-0.25")),
        ("1e2", Decimal(100)),
        ("", None),
        ("many", None),
        ("NaN", None),
        ("Infinity", None),
        ("1e99", None),
        ("9" * 400, None),
        ("１２", None),
    ],
)
def test_remaining_credits(value: str, credits: Decimal | None) -> None:
    for status, body in ((200, completion(said("Hello"))), (429, b"{}")):
        found = decoded([body], status, {"X-Remaining-Credits": value})
        assert found.credits == (None if credits is None else Credits(credits))


# Speed: what is received is looked at once


def test_one_event_of_many_megabytes_is_read_in_one_pass() -> None:
    picture = PNG + bytes(15_000_000)
    for body in (event(gemini(inline(picture))), encoded([gemini(inline(picture))]), encoded(gemini(inline(picture)))):
        begun = time.process_time()
        pieces = [body[at : at + 65_536] for at in range(0, len(body), 65_536)]
        assert decoded(pieces).images == [ImageDelta("image/png", picture)]
        assert time.process_time() - begun < 2


def test_a_large_event_byte_by_byte_is_read_in_one_pass() -> None:
    picture = PNG + bytes(100_000)
    for body in (event(gemini(inline(picture))), encoded([gemini(inline(picture))])):
        begun = time.process_time()
        assert decoded(byte_by_byte(body)).images == [ImageDelta("image/png", picture)]
        assert time.process_time() - begun < 2


def test_a_large_picture_in_streamed_text_is_read_in_one_pass() -> None:
    picture = PNG + bytes(100_000)
    text = f"![x]({data_url(picture)})"
    body = stream(*[delta(text[at : at + 8]) for at in range(0, len(text), 8)], delta(finish="stop"))
    begun = time.process_time()
    assert decoded([body]).images == [ImageDelta("image/png", picture)]
    assert time.process_time() - begun < 2
