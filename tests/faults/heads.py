"""Faults of the head: a reply with an odd head that goes on well and then ends at a place.

At the first place the head itself breaks off. Where the end of the reply is the place, it is whole.
"""

import gzip
from collections.abc import Callable, Iterator
from functools import cache

from tests.faults.place import BEFORE, DONE, END, STOP, Fault, Place
from tests.wire.byteserver import CLOSE, Script, Step

MIB = 1 << 20
EVENTS = "Content-Type: text/event-stream"
REFUSING = (400, 401, 402, 403, 404, 405, 406, 408, 409, 413, 418, 422, 429, 451, 500, 501, 502, 503, 504, 520, 529)
ODD = (199, 204, 205, 206, 299, 304, 305, 599, 999)


def lines(*fields: str, status: str = "HTTP/1.1 200 OK") -> bytes:
    return "\r\n".join([status, *fields, "", ""]).encode("latin-1")


def headed(head: bytes, *, coded: Callable[[bytes], bytes] = lambda body: body) -> Callable[[Place], Script]:
    """The body up to the place behind this head; the connection tells its end."""

    def script(place: Place) -> Iterator[Step]:
        if place.name == BEFORE:
            yield head[: len(head) // 2]
        else:
            yield head
            yield coded(place.content + (STOP + DONE if place.name == END else b""))
        yield CLOSE

    return script


def endless(first: bytes, again: bytes) -> Callable[[Place], Script]:
    """A head that never comes to its end; with a beginning that depends on the place."""

    def script(place: Place) -> Iterator[Step]:
        yield first + b"X-Place: " + place.name.encode() + b"\r\n" if first else b""
        while True:
            yield again
            yield 0.05

    return script


@cache
def bomb(mebibytes: int) -> bytes:
    return gzip.compress(b'data: {"choices":[],"pad":"' + b"x" * (mebibytes * MIB) + b'"}\n\n')


def status(number: int, *fields: str) -> bytes:
    return lines(EVENTS, *fields, status=f"HTTP/1.1 {number} Whatever")


STATUSES = (
    *(Fault(f"status {number}", headed(status(number)), keeps=False) for number in (*REFUSING, *ODD)),
    *(
        Fault(f"a redirect ({number})", headed(status(number, "Location: {canary}")), keeps=False)
        for number in (301, 302, 303, 307, 308)
    ),
    Fault("come back never", headed(status(429, "Retry-After: 99999999999999999999")), keeps=False),
    Fault("come back in the past", headed(status(429, "Retry-After: Wed, 21 Oct 2015 07:28:00 GMT")), keeps=False),
    Fault("come back at once", headed(status(503, "Retry-After: -5")), keeps=False),
)
ODD_HEADS = (
    Fault("no status line", headed(b"hello\r\n\r\n"), keeps=False),
    Fault("an empty status line", headed(b"\r\n\r\n\r\n"), keeps=False),
    Fault("the preface of HTTP/2", headed(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), keeps=False),
    Fault("another protocol", headed(b"SSH-2.0-OpenSSH_9.2\r\n"), keeps=False),
    Fault("HTTP/1.0", headed(lines(EVENTS, status="HTTP/1.0 200 OK"))),
    Fault("HTTP/9.9", headed(lines(EVENTS, status="HTTP/9.9 200 OK")), keeps=False),
    Fault("a status of words", headed(lines(EVENTS, status="HTTP/1.1 OK OK")), keeps=False),
    Fault("switching protocols", headed(lines("Upgrade: websocket", status="HTTP/1.1 101 Switching")), keeps=False),
    Fault("a thousand interim replies", headed(b"HTTP/1.1 100 Continue\r\n\r\n" * 1000 + lines(EVENTS)), keeps=False),
    Fault("interim replies without end", endless(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 50), keeps=False),
    Fault("3,000 headers", headed(lines(EVENTS, *(f"X-{n}: y" for n in range(3000)))), keeps=False),
    Fault("a header of a mebibyte", headed(lines(EVENTS, "X-Long: " + "y" * MIB)), keeps=False),
    Fault("headers without end", endless(b"HTTP/1.1 200 OK\r\n", b"X-More: y\r\n" * 50), keeps=False),
    Fault("a header without a colon", headed(lines("what is this", EVENTS)), keeps=False),
    Fault("a folded header", headed(lines(EVENTS, "X-Folded: a", "  b"))),
    Fault("bytes beyond ASCII", headed(lines(EVENTS, "X-Odd: \xff\xfe\x01"))),
    Fault("a thousand cookies", headed(lines(EVENTS, *["Set-Cookie: a=" + "b" * 50] * 90))),
)
LENGTHS = (
    Fault("a length too small", headed(lines(EVENTS, "Content-Length: 100")), keeps=False),
    Fault("a length too large", headed(lines(EVENTS, "Content-Length: 9999999"))),
    Fault("a negative length", headed(lines(EVENTS, "Content-Length: -1")), keeps=False),
    Fault("a length of words", headed(lines(EVENTS, "Content-Length: many")), keeps=False),
    Fault("two lengths", headed(lines(EVENTS, "Content-Length: 10", "Content-Length: 9999")), keeps=False),
    Fault(
        "a length and chunks", headed(lines(EVENTS, "Content-Length: 10", "Transfer-Encoding: chunked")), keeps=False
    ),
    Fault("a coding nobody knows", headed(lines(EVENTS, "Transfer-Encoding: rot13")), keeps=False),
)
CODINGS = (
    Fault("said to be gzip", headed(lines(EVENTS, "Content-Encoding: gzip")), keeps=False),
    Fault(
        "gzip that was not asked for", headed(lines(EVENTS, "Content-Encoding: gzip"), coded=gzip.compress), keeps=False
    ),
    Fault(
        "gzip that breaks off",
        headed(lines(EVENTS, "Content-Encoding: gzip"), coded=lambda b: gzip.compress(b)[:-9]),
        keeps=False,
    ),
    Fault("said to be brotli", headed(lines(EVENTS, "Content-Encoding: br")), keeps=False),
    Fault("coded in an unknown way", headed(lines(EVENTS, "Content-Encoding: enigma"))),
    Fault("coded ten times", headed(lines(EVENTS, "Content-Encoding: " + ", ".join(["gzip"] * 10))), keeps=False),
    Fault(
        "a compressed bomb",
        headed(lines(EVENTS, "Content-Encoding: gzip"), coded=lambda body: bomb(200)),
        is_heavy=True,
        keeps=False,
    ),
)
TYPES = tuple(
    Fault(f"said to be {name}", headed(lines(f"Content-Type: {name}")), keeps=False)
    for name in ("text/html", "image/png", "application/json", "text/event-stream; charset=utf-16", "\xff", "")
)
FAULTS: tuple[Fault, ...] = (*STATUSES, *ODD_HEADS, *LENGTHS, *CODINGS, *TYPES)
