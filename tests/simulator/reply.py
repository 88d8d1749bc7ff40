"""What goes on the wire, as data: a head and a row of steps. No I/O.

A step is bytes (one write, framed as the body asks) or one of the classes below.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Literal

Json = Any
Framing = Literal["length", "chunked", "close"]


@dataclass(frozen=True, slots=True)
class Raw:
    """Bytes that go out as they are, outside the framing of the body."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Pause:
    """Nothing for so many seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Wait here while the simulator is held."""


@dataclass(frozen=True, slots=True)
class Silence:
    """Nothing at all until the next `release()`."""


@dataclass(frozen=True, slots=True)
class Cut:
    """Close the connection in good order, whatever was promised."""


@dataclass(frozen=True, slots=True)
class Reset:
    """Break the connection with a TCP reset."""


Step = bytes | Raw | Pause | Checkpoint | Silence | Cut | Reset


@dataclass(frozen=True, slots=True)
class Reply:
    """One HTTP reply.

    body       steps; finite under framing "length", which needs their size in advance
    before     steps ahead of the first byte of the head
    head_pause seconds between two lines of the head
    missing    bytes that Content-Length promises and the body does not bring
    """

    status: int = 200
    body: Iterable[Step] = ()
    content_type: str = "application/json"
    headers: tuple[tuple[str, str], ...] = ()
    framing: Framing = "length"
    before: tuple[Step, ...] = ()
    head_pause: float = 0.0
    missing: int = 0

    def adding(self, *headers: tuple[str, str]) -> "Reply":
        return replace(self, headers=self.headers + headers)

    def after(self, *steps: Step) -> "Reply":
        return replace(self, before=steps + self.before)

    def in_pieces(self, size: int) -> "Reply":
        """The same bytes, at most `size` of them to a write."""
        return replace(
            self, body=tuple(pieces(self.body, size)) if self.framing == "length" else pieces(self.body, size)
        )


def pieces(steps: Iterable[Step], size: int) -> Iterator[Step]:
    for step in steps:
        if isinstance(step, bytes):
            yield from (step[start : start + size] for start in range(0, len(step), size))
        else:
            yield step


def encode(value: Json) -> bytes:
    """JSON as these servers write it: UTF-8, no escapes for letters outside ASCII."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode(errors="replace")


def json_reply(value: Json, status: int = 200, *headers: tuple[str, str]) -> Reply:
    return Reply(status=status, body=(encode(value),), headers=headers)
