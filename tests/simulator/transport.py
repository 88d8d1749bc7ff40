"""Puts a Reply on a socket, and notices at once when the client leaves, also while nothing is being sent."""

import os
import select
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email.utils import formatdate
from http.client import responses
from typing import Literal

from .reply import Checkpoint, Cut, Pause, Raw, Reply, Reset, Silence, Step

Outcome = Literal["", "sent", "left", "cut", "reset"]
# Where the system cannot report a half-closed peer, readable stands in: nobody here pipelines requests.
HANG_UP: int = getattr(select, "POLLRDHUP", select.POLLIN)


class Left(Exception):
    """The client has closed the connection."""


class Ended(Exception):
    """The reply asked for the connection to end here."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome)
        self.outcome: Outcome = outcome


class Gate:
    """Lets replies wait for a word of the test."""

    def __init__(self) -> None:
        self.changed = threading.Condition()
        self.closed = False
        self._releases = 0
        self._bells: set[socket.socket] = set()

    @property
    def waiting(self) -> int:
        """How many replies stand still here."""
        return len(self._bells)

    def hold(self) -> None:
        with self.changed:
            self.closed = True

    def release(self) -> None:
        with self.changed:
            self.closed = False
            self._releases += 1
            for bell in self._bells:
                bell.send(b"x")

    def pass_through(self, wait: Callable[[socket.socket], None]) -> None:
        """Return when the gate is open; `wait` sleeps until the bell it is given rings."""
        while self.closed:
            with self._standing() as (bell, _):
                if self.closed:
                    wait(bell)

    def next_release(self, wait: Callable[[socket.socket], None]) -> None:
        """Return after the next `release()`, whether the gate is closed or not."""
        with self._standing() as (bell, releases):
            while self._releases == releases:
                wait(bell)

    @contextmanager
    def _standing(self) -> Iterator[tuple[socket.socket, int]]:
        near, far = socket.socketpair()
        with near, far:
            with self.changed:
                self._bells.add(far)
                releases = self._releases
                self.changed.notify_all()
            try:
                yield near, releases
            finally:
                with self.changed:
                    self._bells.discard(far)
                    self.changed.notify_all()


class Player:
    """One reply on one connection."""

    def __init__(self, conn: socket.socket, reply: Reply, gate: Gate) -> None:
        self.conn, self.reply, self.gate = conn, reply, gate
        # A body of framing "length" is measured before it is sent, so it must be walked twice.
        self.body = tuple(reply.body) if reply.framing == "length" else reply.body

    def play(self) -> Outcome:
        try:
            for step in self.reply.before:
                self._take(step)
            self._head()
            for step in self.body:
                self._take(step)
            if self.reply.framing == "chunked":
                self.conn.sendall(b"0\r\n\r\n")
        except Ended as end:
            return end.outcome
        except (Left, OSError):
            return "left"
        return "sent"

    def _head(self) -> None:
        lines = [line.encode("latin-1") + b"\r\n" for line in self._head_lines()]
        if not self.reply.head_pause:
            lines = [b"".join(lines)]
        for line in lines:
            self._wait(self.reply.head_pause)
            self.conn.sendall(line)

    def _head_lines(self) -> Iterator[str]:
        reply = self.reply
        yield f"HTTP/1.1 {reply.status} {responses.get(reply.status, 'Unknown')}"
        yield f"Date: {formatdate(time.time(), usegmt=True)}"
        if reply.content_type:
            yield f"Content-Type: {reply.content_type}"
        yield from (f"{name}: {value}" for name, value in reply.headers)
        if reply.framing == "chunked":
            yield "Transfer-Encoding: chunked"
        elif reply.framing == "close":
            yield "Connection: close"
        else:
            yield f"Content-Length: {sum(len(s) for s in self.body if isinstance(s, bytes)) + reply.missing}"
        yield ""

    def _take(self, step: Step) -> None:
        match step:
            case bytes():
                self._send(step)
            case Raw(data):
                self.conn.sendall(data)
            case Pause(seconds):
                self._wait(seconds)
            case Checkpoint():
                self.gate.pass_through(lambda bell: self._wait(None, bell))
            case Silence():
                self.gate.next_release(lambda bell: self._wait(None, bell))
            case Cut():
                raise Ended("cut")
            case Reset():
                reset(self.conn)
                raise Ended("reset")

    def _send(self, data: bytes) -> None:
        if self.reply.framing == "chunked" and data:
            data = b"%x\r\n%b\r\n" % (len(data), data)
        self.conn.sendall(data)

    def _wait(self, seconds: float | None, bell: socket.socket | None = None) -> None:
        """Sleep for `seconds` (None: for ever) or until the bell rings; raises Left as soon as the client goes."""
        if seconds == 0:
            return
        poll = select.poll()
        poll.register(self.conn, HANG_UP)
        if bell is not None:
            poll.register(bell, select.POLLIN)
        ready = poll.poll(None if seconds is None else seconds * 1000)
        if any(number == self.conn.fileno() for number, _ in ready):
            raise Left


def reset(conn: socket.socket) -> None:
    """Close so that the client sees a reset: lingering for no time, and past Python's own reference counting."""
    conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    os.close(conn.detach())


def play(conn: socket.socket, reply: Reply, gate: Gate) -> Outcome:
    """Send `reply`, wherever it leads; says how it ended."""
    return Player(conn, reply, gate).play()
