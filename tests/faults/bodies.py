"""Faults that strike at a place: the reply up to there is good, then something happens, and perhaps it goes on."""

import gzip
import json
from collections.abc import Callable, Iterator
from itertools import chain, repeat
from typing import Any

from tests.faults.place import DONE, ENDING, STOP, Fault, Place, delta, event
from tests.wire.byteserver import CLOSE, GONE, HALF, LAST_CHUNK, RESET, Script, Step, byte_by_byte, chunk, whole

MIB = 1 << 20
DRIP = 0.05  # seconds
WRONG = "WRONG"
"""A word that belongs to another reply and must never be seen."""
STALE = whole(json.dumps({"choices": [{"message": {"content": WRONG}, "finish_reason": "stop"}]}).encode())


def then(*steps: Step) -> Callable[[Place], Script]:
    """This instead of the rest."""
    return lambda place: (*place.sent, *steps)


def inserted(data: bytes, *, raw: bool = False) -> Callable[[Place], Script]:
    """This, then the rest. `raw`: beside the framing of the body."""
    return lambda place: (*place.sent, data if raw else place.wrapped(data), *place.rest)


def forever(data: bytes, *, every: float = 0.0, raw: bool = False) -> Callable[[Place], Script]:
    """This again and again, with pauses of so many seconds."""

    def script(place: Place) -> Iterator[Step]:
        yield from place.sent
        piece = data if raw else place.wrapped(data)
        while True:
            yield piece
            if every:
                yield every

    return script


def flood(pieces: int, data: bytes, begin: bytes = b"", end: bytes = b"") -> Callable[[Place], Script]:
    """Much of it and then the rest."""

    def script(place: Place) -> Iterator[Step]:
        yield from place.sent
        yield from map(place.wrapped, chain([begin] if begin else [], repeat(data, pieces), [end] if end else []))
        yield from place.rest

    return script


def dripped(place: Place) -> Iterator[Step]:
    yield from place.sent
    for piece in byte_by_byte(b"".join(step for step in place.rest if isinstance(step, bytes))):
        yield piece
        yield 0.001


def repeated(place: Place) -> Iterator[Step]:
    """What came last comes again, a few times."""
    yield from place.sent
    yield from repeat(place.sent[-1] if place.sent else b"", 3)
    yield from place.rest


def spoken(value: Any) -> Callable[[Place], Script]:
    return inserted(event(value))


def choice(**fields: Any) -> Callable[[Place], Script]:
    return spoken({"choices": [{"index": 0, **fields}]})


NONSENSE_IMAGE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,bm90IGEgcGljdHVyZQ=="}}
LETTERS = b"x" * (MIB // 4)

CONNECTION = (
    Fault("closed", then(CLOSE)),
    Fault("reset", then(RESET)),
    Fault("silent", then(GONE)),
    Fault("half-closed", then(HALF)),
    Fault("a pause", lambda place: (*place.sent, 0.4, *place.rest)),
    Fault("byte by byte", dripped),
    Fault("comments for ever", forever(b": still here\n\n", every=DRIP)),
    Fault("blank lines for ever", forever(b"\r\n", every=DRIP)),
    Fault("empty deltas for ever", forever(delta(""), every=DRIP)),
    Fault("usage for ever", forever(event({"choices": [], "usage": {"prompt_tokens": 1}}), every=DRIP)),
    Fault("a line that drips for ever", forever(b"x", every=DRIP)),
    Fault("a word now and then for ever", forever(delta("and "), every=0.2)),
    Fault("bytes behind the end", lambda place: (*place.sent, *place.rest, STALE, CLOSE)),
    Fault("reset behind the end", lambda place: (*place.sent, *place.rest, RESET)),
)
FRAMING = (
    Fault("a chunk size that is no number", inserted(b"zz\r\nwhat\r\n", raw=True)),
    Fault("a negative chunk size", inserted(b"-5\r\nabcde\r\n", raw=True)),
    Fault("a chunk of 2**60 bytes", inserted(b"1000000000000000\r\n", raw=True)),
    Fault("a chunk longer than its size", inserted(b"2\r\nabcdef\r\n", raw=True)),
    Fault("a last chunk in the middle", inserted(LAST_CHUNK, raw=True)),
    Fault("another reply in the middle", inserted(STALE, raw=True)),
    Fault("a chunk extension without end", forever(b"5;" + b"x" * 4096, every=DRIP, raw=True)),
    Fault("trailers without end", forever(b"0\r\nX-Trailer: y\r\n", every=DRIP, raw=True)),
    Fault("line feeds between chunks", inserted(b"\n\n\n", raw=True)),
)
BYTES = (
    Fault("invalid UTF-8", inserted(b'data: {"choices":[{"delta":{"content":"\xff\xfe\xc3"}}]}\n\n')),
    Fault("every byte there is", inserted(bytes(range(256)))),
    Fault("NUL bytes", inserted(b"\0" * 100)),
    Fault("a byte order mark", inserted(b"\xef\xbb\xbf")),
    Fault("a gzip member", inserted(gzip.compress(delta("zipped")))),
    Fault("half a line, then the end", lambda place: (*place.sent, place.wrapped(b'data: {"cho'), LAST_CHUNK, CLOSE)),
    Fault("carriage returns alone", inserted(delta("cr ").replace(b"\n", b"\r"))),
)
JSON = (
    Fault("no JSON", inserted(b"\n\ndata: {choices: oops\n\n")),
    Fault("a number", inserted(b"\n\ndata: 42\n\n")),
    Fault("null", inserted(b"\n\ndata: null\n\n")),
    Fault("a list", inserted(b"\n\ndata: [[[]]]\n\n")),
    Fault("100,000 levels", inserted(b"\n\ndata: " + b"[" * 100_000 + b"\n\n")),
    Fault("a number of 100,000 digits", inserted(b'\n\ndata: {"choices": [], "n": ' + b"9" * 100_000 + b"}\n\n")),
    Fault("choices of a wrong type", spoken({"choices": {"delta": 7}})),
    Fault("a delta of a wrong type", choice(delta="text")),
    Fault("content of a wrong type", choice(delta={"content": {"a": [1]}})),
    Fault("lone surrogates", inserted(b'\n\ndata: {"choices":[{"delta":{"content":"\\ud800 \\udfff"}}]}\n\n')),
    Fault("an index out of range", spoken({"choices": [{"index": 10**30, "delta": {"content": "far "}}]})),
)
PROTOCOL = (
    Fault("the last event again", repeated),
    Fault("an error object", spoken({"error": {"message": "it broke", "code": 500}})),
    Fault("an error event", inserted(b'\n\nevent: error\ndata: {"message": "it broke"}\n\n')),
    Fault("an HTML page", inserted(b"\n\n<!doctype html><h1>502 Bad Gateway</h1>\n\n")),
    Fault("the end mark in the middle", inserted(b"\n\n" + DONE)),
    Fault("the end twice", lambda place: (*place.sent, *place.rest[:-1], chunk(STOP), *ENDING)),
    Fault("a finish reason nobody knows", choice(delta={}, finish_reason="whatever")),
    Fault("a finish reason that is an object", choice(delta={}, finish_reason={"why": []})),
    Fault("a tool call", choice(delta={"tool_calls": [{"function": {"name": "rm", "arguments": "-rf"}}]})),
    Fault("a picture that is none", choice(delta={"content": [NONSENSE_IMAGE]})),
    Fault("negative usage", spoken({"choices": [], "usage": {"prompt_tokens": -1, "completion_tokens": -(10**40)}})),
    Fault("usage beyond measure", spoken({"choices": [], "usage": {"prompt_tokens": 10**40, "cost": 1e308}})),
    Fault("unknown events", inserted(b"\n\nevent: hello\nid: 7\nretry: 1\ndata: {}\n\n" * 100)),
)
HEAVY = (
    Fault("a line without end", forever(LETTERS), is_heavy=True),
    Fault("text without end", forever(delta("word " * 2000)), is_heavy=True),
    Fault(
        "reasoning without end",
        forever(event({"choices": [{"delta": {"reasoning_content": "hm " * 3000}}]})),
        is_heavy=True,
    ),
    Fault("an event of 31 MiB", flood(31 * 4, LETTERS, b'\n\ndata: {"choices":[],"pad":"', b'"}\n\n'), is_heavy=True),
    Fault("an event of 33 MiB", flood(33 * 4, LETTERS, b'\n\ndata: {"choices":[],"pad":"', b'"}\n\n'), is_heavy=True),
    Fault("100 MiB of blank lines", flood(400, b"\n" * (MIB // 4)), is_heavy=True),
    Fault("100 MiB of comments", flood(400, b": " + b"x" * (MIB // 4) + b"\n"), is_heavy=True),
    Fault("20 MiB of tiny events", flood(400, b"data: {}\n\n" * 5000), is_heavy=True),
    Fault(
        "a picture of 20 MiB that is none",
        choice(
            delta={
                "content": [{"type": "image_url", "image_url": {"url": "data:image/png;base64," + "A" * (20 * MIB)}}]
            }
        ),
        is_heavy=True,
    ),
)
FAULTS: tuple[Fault, ...] = (*CONNECTION, *FRAMING, *BYTES, *JSON, *PROTOCOL, *HEAVY)
