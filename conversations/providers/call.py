"""A call as other threads see it: its clock, its deadlines, and the handle that ends it. No sockets in here."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from conversations.providers.errors import Cancelled, TimedOut
from conversations.providers.replies.collector import DEFAULT_CAPS, Caps


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of one answer; all but `caps` in seconds.

    `first_byte`: from the request's last byte to the head of the reply, and to its first content where the head comes
    early. `no_progress`: without new content, whatever else arrives. `after_end`: the same behind a finish reason,
    which need not be the end. `total`: all attempts and waits together. `linger`: for the last bytes of a body whose
    reply has ended. `nap`: between two reads of a stream. `longest_wait`: before the one retry. `pause`: before it
    where no wait is asked for, and the most that is added so that many callers do not come back at once.
    """

    connect: float = 10.0
    first_byte: float = 120.0
    no_progress: float = 90.0
    total: float = 900.0
    after_end: float = 15.0
    linger: float = 0.2
    nap: float = 0.035
    longest_wait: float = 20.0
    pause: float = 0.7
    caps: Caps = DEFAULT_CAPS


DEFAULT_LIMITS = Limits()


class Call:
    """One answer being fetched. `close`, `close_if_overdue` and `overdue` may be called from any thread, at any time.

    `status_code`, `started`, `first_byte` and `ended` (monotonic seconds) are those of the latest attempt.
    """

    def __init__(self) -> None:
        self.status_code: int | None = None
        self.started: float | None = None
        self.first_byte: float | None = None
        self.ended: float | None = None
        self._limits = DEFAULT_LIMITS
        self._deadline: float | None = None
        self._last_moment: float | None = None
        self._waits_until = 0.0
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._is_late = False
        self._hang_up: Callable[[], None] | None = None

    # From any thread

    @property
    def is_closed(self) -> bool:
        return self._closed.is_set()

    def close(self) -> None:
        """End the call, even while the other side is silent; the thread that reads it gets Cancelled."""
        self._close(is_late=False)

    def close_if_overdue(self, now: float | None = None) -> bool:
        """End the call where a deadline has passed unnoticed; the thread that reads it gets TimedOut.

        The reading thread keeps its deadlines itself, except while a reply's head or a chunk's size drips in.
        """
        is_late = self.overdue(time.monotonic() if now is None else now)
        if is_late:
            self._close(is_late=True)
        return is_late

    def overdue(self, now: float) -> bool:
        """Whether a deadline of the running attempt has passed; `now` in monotonic seconds."""
        deadline = self._deadline
        return deadline is not None and now >= deadline

    def _close(self, *, is_late: bool) -> None:
        with self._lock:
            if self._closed.is_set():
                return
            self._is_late = is_late
            self._closed.set()
            if self._hang_up:
                self._hang_up()

    # From the thread that makes the call

    def check(self) -> None:
        """Raises Cancelled after `close`, TimedOut after `close_if_overdue`."""
        if self._closed.is_set():
            raise TimedOut("no progress for too long") if self._is_late else Cancelled()

    def wait(self, seconds: float) -> bool:
        """Wait; whether the call was closed meanwhile."""
        return self._closed.wait(seconds)

    def attach(self, hang_up: Callable[[], None]) -> None:
        """From now on closing the call means `hang_up`, which must return at once. Raises as `check` does."""
        with self._lock:
            self.check()
            self._hang_up = hang_up

    def detach(self) -> None:
        """The connection is not ours any more; when this returns, no `hang_up` is running or will run."""
        with self._lock:
            self._hang_up = None

    def begin(self, limits: Limits) -> None:
        """An attempt starts."""
        self.check()
        self.status_code = self.first_byte = self.ended = None
        self._limits = limits
        self.started = time.monotonic()
        if self._last_moment is None:
            self._last_moment = self.started + limits.total
        self._set_deadline(limits.connect + limits.first_byte)

    def sent(self) -> None:
        """The request is on its way."""
        self._waits_until = time.monotonic() + self._limits.first_byte
        self._set_deadline(self._limits.first_byte)

    def answered(self, status_code: int) -> None:
        """The head of the reply is here; content may take as long as if it were not."""
        self.first_byte = time.monotonic()
        self.status_code = status_code
        self._set_deadline(max(self._limits.no_progress, self._waits_until - self.first_byte))

    def progressed(self, *, may_end: bool) -> None:
        """New content came. `may_end`: with a finish reason, so that perhaps only the usage follows."""
        self._set_deadline(self._limits.after_end if may_end else self._limits.no_progress)

    def remaining(self) -> float:
        """Seconds to the deadline. Raises TimedOut where there are none."""
        seconds = (self._deadline or 0.0) - time.monotonic()
        if seconds <= 0:
            raise TimedOut("no progress for too long" if self.first_byte else "no answer for too long")
        return seconds

    def end(self) -> None:
        """The attempt is over."""
        self.ended = time.monotonic()
        self._deadline = None

    def _set_deadline(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        self._deadline = deadline if self._last_moment is None else min(deadline, self._last_moment)
