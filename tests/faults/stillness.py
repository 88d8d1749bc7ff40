"""How long this process itself stood still: on a machine that is put to sleep nobody is late for that."""

import threading
import time
from collections.abc import Callable

TICK = 0.1  # seconds
NOTICED = 1.0  # seconds that a tick may come late by itself


class Stopwatch:
    """Seconds since it was made, without those in which this process did not run."""

    def __init__(self) -> None:
        self._begun, self._stood, self._is_over = time.monotonic(), 0.0, threading.Event()
        threading.Thread(target=self._watch, daemon=True).start()

    def _watch(self) -> None:
        last = time.monotonic()
        while not self._is_over.wait(TICK):
            now = time.monotonic()
            self._stood += now - last if now - last > NOTICED else 0.0
            last = now

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._begun - self._stood

    def until(self, condition: Callable[[], bool], deadline: float) -> bool:
        """Wait for a condition and stop; whether it came true in so many seconds."""
        try:
            while not condition():
                if self.seconds > deadline:
                    time.sleep(2 * TICK)  # the tick that follows a standstill may be due
                    if self.seconds > deadline:
                        return condition()
                time.sleep(0.02)
            return True
        finally:
            self._is_over.set()
