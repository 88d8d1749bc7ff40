"""However a reply is cut into reads, the same events come of it."""

import json
from itertools import pairwise
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from conversations.providers.events import Finished, ImageDelta, TextDelta
from tests.wire.reading import (
    DONE,
    PNG,
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

# Letters of one to four bytes, line ends that are none, halves of pairs, and what JSON and Markdown must escape.
LETTERS = st.sampled_from("ab é€\U0001f600👩🏽‍🚀\u0085\u2028\r\n\t\\\"'{}[](),:!<>\0\ud83d\ude00")
TEXT = st.lists(LETTERS | st.characters(), max_size=12).map("".join)
PICTURE = st.just(f"![x]({data_url(PNG)})")
OPENINGS = st.sampled_from(["![", "![a](", "![a](data:image/png;base64,"])
PROSE = st.lists(TEXT | PICTURE | OPENINGS, max_size=4).map("".join)
LINE_ENDS = st.sampled_from([b"\n", b"\r", b"\r\n"])
NOISE = st.sampled_from([b"", b": ping\n\n", b"data:\n\n", b"event: ping\ndata: {}\n\n", b"id: 1\n", b"data: {no\n\n"])
CUTS = st.lists(st.integers(min_value=0), max_size=8)


def cut(body: bytes, cuts: list[int]) -> list[bytes]:
    """The body in pieces, some of them empty."""
    places = sorted({0, len(body), *(place % (len(body) + 1) for place in cuts)})
    return [body[start:end] for start, end in pairwise(places)] or [b""]


def loosely(value: Any) -> bytes:
    """JSON with every letter outside ASCII escaped, so that also half of a surrogate pair can be sent."""
    return json.dumps(value).encode()


def assert_same(body: bytes, cuts: list[int], headers: dict[str, str]) -> None:
    whole = decoded([body], headers=headers)
    assert decoded(cut(body, cuts), headers=headers) == whole
    assert decoded([body[at : at + 1] for at in range(len(body))], headers=headers) == whole


@given(texts=st.lists(PROSE, max_size=5), end=LINE_ENDS, noise=NOISE, cuts=CUTS, data=st.data())
@settings(max_examples=200, deadline=None)
def test_any_cutting_of_an_event_stream(
    texts: list[str], end: bytes, noise: bytes, cuts: list[int], data: st.DataObject
) -> None:
    events = [b"data: " + loosely(delta(text)) + b"\n\n" for text in texts]
    ending = data.draw(st.sampled_from([DONE, event(delta(finish="stop")) + DONE, event({"error": "x"}), b""]))
    body = noise.join([b"", *events, ending]).replace(b"\n", end)
    assert_same(body, cuts, {"content-type": "text/event-stream"})


@given(texts=st.lists(PROSE, max_size=4), signed=st.booleans(), indent=st.sampled_from([None, 1]), cuts=CUTS)
@settings(max_examples=200, deadline=None)
def test_any_cutting_of_gemini_replies(texts: list[str], signed: bool, indent: int | None, cuts: list[int]) -> None:
    parts = [{"text": text} | ({"thoughtSignature": "c2ln"} if signed else {}) for text in texts]
    replies = [gemini(part, inline(PNG), finish=None) for part in parts] + [gemini({"text": "."})]
    assert_same(json.dumps(replies, indent=indent).encode(), cuts, {})
    assert_same(b"".join(b"data: " + loosely(reply) + b"\n\n" for reply in replies), cuts, {})
    assert_same(loosely(replies[0]), cuts, {})


@given(body=st.binary(max_size=80), cuts=CUTS, content_type=st.sampled_from(["", "text/event-stream", "image/png"]))
@settings(max_examples=300, deadline=None)
def test_any_cutting_of_any_bytes(body: bytes, cuts: list[int], content_type: str) -> None:
    assert_same(body, cuts, {"content-type": content_type})


STARTS = st.sampled_from([b"data: ", b'{"choices": ', b"[", b'"', b"event: error\ndata: ", b"error: ", b"<", PNG, b""])
MARKS = st.sampled_from([b"[", b"]", b"{", b"}", b'"', b"\\", b",", b"\n\n", b"\xff", b"1", b"\r"])
INSIDES = st.lists(MARKS, max_size=30)


@given(start=STARTS, inside=INSIDES, cuts=CUTS)
@settings(max_examples=300, deadline=None)
def test_any_cutting_of_broken_replies(start: bytes, inside: list[bytes], cuts: list[int]) -> None:
    assert_same(start + b"".join(inside), cuts, {})


@given(text=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0!"), min_size=1), cuts=CUTS)
@settings(max_examples=200, deadline=None)
def test_all_of_the_text_arrives(text: str, cuts: list[int]) -> None:
    pieces = cut(text.encode(), cuts)
    letters = [text[at : at + 3] for at in range(0, len(text), 3)]
    for body in (completion(said(text)), stream(*map(delta, letters)), encoded(gemini({"text": text}))):
        assert decoded(cut(body, cuts)).text == text
    assert b"".join(pieces).decode() == text


@given(before=TEXT, after=TEXT, size=st.integers(1, 60))
@settings(max_examples=200, deadline=None)
def test_a_picture_in_text_is_found_however_the_text_is_cut(before: str, after: str, size: int) -> None:
    before, after = (text.replace("!", "").replace("\0", "") for text in (before, after))
    before, after = (text.encode(errors="replace").decode() for text in (before, after))
    text = f"{before}![a picture]({data_url(PNG)}){after}"
    found = decoded([stream(*(delta(text[at : at + size]) for at in range(0, len(text), size)))])
    assert found.images == [ImageDelta("image/png", PNG)]
    place = found.events.index(found.images[0])
    texts = [one.text if isinstance(one, TextDelta) else "" for one in found.events]
    assert ("".join(texts[:place]), "".join(texts[place:])) == (before, after)
    assert found.events[-1] == Finished("complete")
