"""The framing of a stream's body, read without waiting: the same however it is cut; faults keep what came before."""

import socket
from collections.abc import Iterator

import pytest

from conversations.providers import taps
from conversations.providers.taps import BadFraming, Chunked, Framing, Sized, Tap, UntilClose

CHUNKED = b"5\r\nHello\r\n1;a=b\r\n,\r\n00a\r\n wonderful\r\n7\r\n\r\nworld\r\n0\r\nX-Trailer: 1\r\n\r\n"
CONTENT = b"Hello, wonderful\r\nworld"

BROKEN = {
    "no size": (b"2\r\nok\r\nzz\r\n", b"ok"),
    "a signed size": (b"2\r\nok\r\n+2\r\nno\r\n", b"ok"),
    "a size with an underscore": (b"2\r\nok\r\n1_0\r\n", b"ok"),
    "an empty size": (b"2\r\nok\r\n\r\n", b"ok"),
    "a chunk longer than its size": (b"2\r\nok!\r\n", b"ok"),
    "a size line without an end": (b"2\r\nok\r\n" + b"1" * 5000, b"ok"),
    "a size beyond all measure": (b"2\r\nok\r\n" + b"f" * 16 + b"\r\n", b"ok"),
}


def fed(framing: Framing, pieces: list[bytes]) -> bytes:
    return b"".join(framing.feed(piece) for piece in pieces)


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


@pytest.mark.parametrize("cut", range(len(CHUNKED) + 1))
def test_chunks_cut_anywhere_give_their_content(cut: int) -> None:
    framing = Chunked()
    assert fed(framing, [CHUNKED[:cut], CHUNKED[cut:]]) == CONTENT
    assert framing.is_over


def test_chunks_byte_by_byte_give_their_content() -> None:
    framing = Chunked()
    assert fed(framing, [bytes([byte]) for byte in CHUNKED]) == CONTENT
    assert framing.is_over


@pytest.mark.parametrize("end", range(len(CHUNKED)))
def test_chunks_that_end_early_are_no_whole_body(end: int) -> None:
    framing = Chunked()
    framing.feed(CHUNKED[:end])
    with pytest.raises(BadFraming):
        framing.end()


@pytest.mark.parametrize(("data", "content"), BROKEN.values(), ids=BROKEN)
def test_a_fault_in_the_framing_keeps_what_came_before_it(
    data: bytes, content: bytes, pair: tuple[socket.socket, socket.socket]
) -> None:
    ours, theirs = pair
    theirs.sendall(data)
    tap = Tap(ours, b"", Chunked())
    assert tap.take() == content
    with pytest.raises(BadFraming):
        tap.take()


def test_a_fault_with_nothing_before_it_is_raised_at_once(pair: tuple[socket.socket, socket.socket]) -> None:
    ours, theirs = pair
    theirs.sendall(b"zz\r\n")
    with pytest.raises(BadFraming):
        Tap(ours, b"", Chunked()).take()


def test_a_body_of_known_length_ends_there() -> None:
    framing = Sized(5)
    assert fed(framing, [b"Hel", b"lo, and more"]) == b"Hello"
    assert framing.is_over


def test_a_body_of_known_length_that_ends_early_is_not_whole() -> None:
    framing = Sized(5)
    framing.feed(b"Hel")
    with pytest.raises(BadFraming):
        framing.end()


def test_taking_never_waits(pair: tuple[socket.socket, socket.socket]) -> None:
    ours, theirs = pair
    tap = Tap(ours, b"", UntilClose())
    assert tap.take() is None
    theirs.sendall(b"Hello")
    assert tap.take() == b"Hello"
    assert tap.take() is None
    theirs.sendall(b", world")
    assert tap.take() == b", world"
    theirs.close()
    assert tap.take() is None  # nothing was left of the last read; what follows is asked for next time
    assert tap.take() == b""


def test_half_of_a_chunks_size_holds_nobody_up(pair: tuple[socket.socket, socket.socket]) -> None:
    ours, theirs = pair
    tap = Tap(ours, b"5\r\nHel", Chunked())
    assert tap.take() == b"Hel"
    assert tap.take() is None
    theirs.sendall(b"lo\r\n1")
    assert tap.take() == b"lo"
    assert tap.take() is None


@pytest.mark.parametrize(
    ("headers", "kind"),
    [
        ({"transfer-encoding": "chunked"}, Chunked),
        ({"transfer-encoding": "Chunked"}, Chunked),
        ({"content-length": "12"}, Sized),
        ({"content-length": "12", "transfer-encoding": "chunked"}, Chunked),
        ({"content-encoding": "identity"}, UntilClose),
        ({}, UntilClose),
        ({"content-encoding": "gzip"}, type(None)),
        ({"transfer-encoding": "gzip, chunked"}, type(None)),
        ({"content-length": "twelve"}, type(None)),
        ({"content-length": "-1"}, type(None)),
    ],
)
def test_what_is_coded_otherwise_is_not_for_taps(headers: dict[str, str], kind: type) -> None:
    assert type(taps.framing_of(headers)) is kind
