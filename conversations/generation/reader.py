"""One thread reads all streams: as soon as something comes where nothing has been shown yet, else all in rounds.

A thread for each reply would be woken for each token; waking costs more than what is then done. `selectors` says which
sockets have something, taps take it without waiting.
"""

import logging
import os
import selectors
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

logger = logging.getLogger(__name__)

ROUND = 0.040  # seconds between two rounds of a process that has time
LONGEST_ROUND = 0.12
BUSY = 0.9  # of a processor; a process that is busier reads less often, more at a time


class Stream(Protocol):
    """A reply that is being read."""

    @property
    def has_begun(self) -> bool:
        """Whether anything of it can be shown."""


@dataclass(frozen=True, slots=True)
class Watched:
    """A stream and how it goes on: by taking what has come; True where more is to come on the same socket."""

    stream: Stream
    go_on: Callable[[], bool]


class Pace:
    """How long to wait for the next round: longer step by step while the process is busy, quickly shorter when not.

    What a round costs depends little on how much has come. So when many people start at once, their starts get the
    processor's time, and the running replies catch up a moment later.
    """

    def __init__(self) -> None:
        self._seconds = ROUND
        self._last: tuple[float, float] | None = None

    def after(self, now: float, spent: float) -> float:
        """Seconds; `now` on a monotonic clock, `spent`: seconds of processor time this process has used."""
        if self._last and now > self._last[0]:
            share = (spent - self._last[1]) / (now - self._last[0])
            self._seconds *= 1.3 if share > BUSY else 0.5
            self._seconds = min(LONGEST_ROUND, max(ROUND, self._seconds))
        self._last = now, spent
        return self._seconds


class Reader:
    """Its thread begins with the first stream; `watch` may be called from any thread."""

    def __init__(self, *, after_round: Callable[[], None]) -> None:
        self._after_round = after_round
        self._lock = threading.Lock()
        self._arrived: list[tuple[int, Watched]] = []
        self._new, self._begun = selectors.DefaultSelector(), selectors.DefaultSelector()
        self._bell, self._rope = os.pipe()
        os.set_blocking(self._bell, False)
        self._new.register(self._bell, selectors.EVENT_READ)
        self._thread: threading.Thread | None = None
        self._pace = Pace()
        self._next_round = 0.0

    def watch(self, fileno: int, stream: Stream, go_on: Callable[[], bool]) -> None:
        """Call `go_on`, in the reader's thread, when there is something to read, for as long as it gives True."""
        with self._lock:
            self._arrived.append((fileno, Watched(stream, go_on)))
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="reader", daemon=True)
                self._thread.start()
        os.write(self._rope, b"!")

    def _run(self) -> None:
        while True:
            try:
                self._tick()
            except Exception:
                logger.exception("reading streams failed")
                time.sleep(ROUND)

    def _tick(self) -> None:
        """Wait for a stream's beginning, or for the time of the next round."""
        begun = len(self._begun.get_map())
        timeout = max(0.0, self._next_round - time.monotonic()) if begun else None
        for key, _ in self._new.select(timeout):
            if key.fd == self._bell:
                self._welcome()
            else:
                self._go_on(self._new, key)
        now = time.monotonic()
        if begun and now >= self._next_round:
            self._next_round = now + self._pace.after(now, time.process_time())
            for key, _ in self._begun.select(0):
                self._go_on(self._begun, key)
            self._after_round()

    def _welcome(self) -> None:
        os.read(self._bell, 1 << 16)
        with self._lock:
            arrived, self._arrived = self._arrived, []
        for fileno, watched in arrived:
            selector = self._begun if watched.stream.has_begun else self._new
            selector.register(fileno, selectors.EVENT_READ, watched)

    def _go_on(self, selector: selectors.BaseSelector, key: selectors.SelectorKey) -> None:
        watched: Watched = key.data
        has_more = False
        try:
            has_more = watched.go_on()
        except Exception:
            logger.exception("a stream could not go on")
        if not has_more:
            selector.unregister(key.fd)
        elif selector is self._new and watched.stream.has_begun:
            selector.unregister(key.fd)
            self._begun.register(key.fd, selectors.EVENT_READ, watched)
