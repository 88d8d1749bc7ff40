"""The one thread that reads all streams: who comes when, and who is let go."""

import os
import threading
import time
from collections.abc import Callable

import pytest

from conversations.generation.reader import LONGEST_ROUND, ROUND, Pace, Reader

DEADLINE = 10.0


class Pipe:
    """A stream for the reader: counts its turns, and is over when it reads an "x"."""

    def __init__(self, *, has_begun: bool = False) -> None:
        self.out, self._in = os.pipe()
        os.set_blocking(self.out, False)
        self.has_begun = has_begun
        self.turns = 0
        self.threads: set[str] = set()

    def write(self, data: bytes) -> None:
        os.write(self._in, data)

    def go_on(self) -> bool:
        self.turns += 1
        self.threads.add(threading.current_thread().name)
        self.has_begun = True
        return b"x" not in os.read(self.out, 100)


@pytest.fixture
def rounds() -> list[float]:
    return []


@pytest.fixture
def reader(rounds: list[float]) -> Reader:
    return Reader(after_round=lambda: rounds.append(time.monotonic()))


def soon(condition: Callable[[], bool]) -> bool:
    last_moment = time.monotonic() + DEADLINE
    while not condition() and time.monotonic() < last_moment:
        time.sleep(0.005)
    return condition()


def test_a_stream_that_has_not_begun_is_read_as_soon_as_something_comes(reader: Reader) -> None:
    pipe = Pipe()
    reader.watch(pipe.out, pipe, pipe.go_on)
    pipe.write(b"a")
    assert soon(lambda: pipe.turns == 1)
    assert pipe.threads == {"reader"}


def test_a_stream_that_has_begun_is_read_in_rounds_each_told_of(reader: Reader, rounds: list[float]) -> None:
    pipe = Pipe(has_begun=True)
    reader.watch(pipe.out, pipe, pipe.go_on)
    for turn in range(1, 4):
        pipe.write(b"a")
        assert soon(lambda turn=turn: pipe.turns == turn)  # type: ignore[misc]
    assert soon(lambda: len(rounds) >= 3)


def test_many_pieces_are_one_turn_of_a_round(reader: Reader) -> None:
    first, other = Pipe(has_begun=True), Pipe(has_begun=True)
    for piece in (b"a", b"b", b"c"):
        first.write(piece)
    for pipe in (first, other):
        reader.watch(pipe.out, pipe, pipe.go_on)
    other.write(b"a")
    assert soon(lambda: other.turns == 1)
    assert first.turns == 1


def test_a_stream_that_is_over_is_let_go(reader: Reader) -> None:
    over, other = Pipe(has_begun=True), Pipe()
    reader.watch(over.out, over, over.go_on)
    over.write(b"x")
    assert soon(lambda: over.turns == 1)
    over.write(b"more")
    reader.watch(other.out, other, other.go_on)
    other.write(b"a")
    assert soon(lambda: other.turns == 1)
    assert over.turns == 1


def test_a_descriptor_can_be_watched_again_for_another_stream(reader: Reader) -> None:
    pipe = Pipe()
    reader.watch(pipe.out, pipe, pipe.go_on)
    pipe.write(b"x")
    assert soon(lambda: pipe.turns == 1)
    reader.watch(pipe.out, pipe, pipe.go_on)
    pipe.write(b"a")
    assert soon(lambda: pipe.turns == 2)


def test_a_fault_of_one_stream_does_not_end_the_reading_of_the_others(reader: Reader) -> None:
    broken, other = Pipe(), Pipe()

    def fail() -> bool:
        broken.turns += 1
        raise RuntimeError("broken")

    reader.watch(broken.out, broken, fail)
    broken.write(b"a")
    assert soon(lambda: broken.turns == 1)
    reader.watch(other.out, other, other.go_on)
    other.write(b"a")
    assert soon(lambda: other.turns == 1)
    assert broken.turns == 1


def test_rounds_of_a_process_that_has_time_are_short() -> None:
    pace = Pace()
    assert [pace.after(now, now * 0.3) for now in range(5)] == [ROUND] * 5


def test_rounds_of_a_busy_process_grow_and_shrink_again_when_it_has_time() -> None:
    pace = Pace()
    busy = [pace.after(now, now * 0.95) for now in range(20)]
    assert busy == sorted(busy)
    assert (busy[0], busy[-1]) == (ROUND, LONGEST_ROUND)
    idle = [pace.after(now, 19 * 0.95) for now in range(20, 40)]
    assert idle == sorted(idle, reverse=True)
    assert idle[-1] == ROUND
