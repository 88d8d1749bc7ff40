"""A bounded pool of worker threads inside the server: as many replies at a time as there are workers, others wait.

The queue is visible: each waiting reply's log says its place in line. A watch thread closes calls that are overdue and
renews the leases of the running ones.
"""

import logging
import threading
from collections import OrderedDict

from django.conf import settings
from django.db import connection

from conversations.generation import answer
from conversations.generation.log import State, hub
from conversations.generation.recorder import show_stored
from conversations.models import Part
from conversations.providers.wire import Call
from conversations.services import replies

logger = logging.getLogger(__name__)

WATCH_EVERY = 1.0  # seconds
RENEW_EVERY = 5  # watches
NAP_PER_CALL = 0.002  # seconds that each running call adds to the pause between two reads of all of them
LONGEST_NAP = 0.4  # seconds


class Pool:
    """Starts, watches and cancels the answering of replies; all methods may be called from any thread."""

    def __init__(self, workers: int | None = None) -> None:
        self._workers = workers
        self._lock = threading.Lock()
        self._queue: OrderedDict[int, None] = OrderedDict()
        self._running: dict[int, Call] = {}
        self._again: set[int] = set()
        self._idle = 0
        self._threads: set[threading.Thread] = set()
        self._wanted = threading.Condition(self._lock)
        self._watch: threading.Thread | None = None
        self._is_closed = False

    @property
    def size(self) -> int:
        workers: int = self._workers or settings.CHATSITE_WORKERS
        return workers

    def start(self, reply: int) -> None:
        """Take the reply into the queue; a free worker begins at once."""
        with self._lock:
            if reply in self._running:
                self._again.add(reply)  # it was stopped and continued, and the stopped call is still being closed
            if self._is_closed or reply in self._running or reply in self._queue:
                return
            log = hub.open(reply)
            self._queue[reply] = None
            if len(self._queue) > self._idle and len(self._threads) < self.size:
                self._add_worker()
            elif len(self._queue) > self._idle:
                log.state = State("queued", len(self._queue) - self._idle)
            self._wanted.notify()
        self._start_watch()

    def go_on(self, reply: int) -> None:
        """As `start`, for a reply that may have parts of an earlier run: who follows it begins with those."""
        show_stored(hub.open(reply), Part.objects.filter(message=reply).select_related("attachment"))
        self.start(reply)

    def cancel(self, reply: int) -> None:
        """Close the call of a running reply, or forget a waiting one."""
        with self._lock:
            self._queue.pop(reply, None)
            call = self._running.get(reply)
        if call:
            call.close()
        else:
            hub.end(reply)
        self._tell_places()

    def known(self) -> set[int]:
        """Replies this pool answers or holds in its queue."""
        with self._lock:
            return set(self._running) | set(self._queue)

    def running(self) -> set[int]:
        with self._lock:
            return set(self._running)

    def close(self, patience: float = 5.0) -> None:
        """Park everything for the end of the process: running replies end as interrupted, waiting ones stay pending.

        `patience`: seconds to wait for the workers to store what they have.
        """
        with self._lock:
            self._is_closed = True
            self._queue.clear()
            calls, threads = list(self._running.values()), list(self._threads)
            self._wanted.notify_all()
        for call in calls:
            call.close()
        for thread in threads:
            thread.join(patience)

    def _add_worker(self) -> None:
        thread = threading.Thread(target=self._work, name=f"answer-{len(self._threads)}", daemon=True)
        self._threads.add(thread)
        thread.start()

    def _work(self) -> None:
        while (taken := self._next()) is not None:
            reply, call = taken
            try:
                answer.run(reply, call, parked=lambda: self._is_closed)
            except Exception:
                logger.exception("reply=%s ended by a fault of the server", reply)
            finally:
                self._leave(reply)
        with self._lock:
            self._threads.discard(threading.current_thread())

    def _leave(self, reply: int) -> None:
        with self._lock:
            self._running.pop(reply, None)
            is_wanted_again = reply in self._again
            self._again.discard(reply)
        hub.end(reply)
        try:
            if is_wanted_again:
                self.go_on(reply)
        except Exception:
            logger.exception("reply=%s could not be begun again; the sweeper will", reply)
        finally:
            connection.close()

    def _next(self) -> tuple[int, Call] | None:
        """The next reply of the queue with a new call; waits for one, and gives None at the end of the process."""
        with self._lock:
            self._idle += 1
            while not self._queue and not self._is_closed:
                self._wanted.wait()
            self._idle -= 1
            if self._is_closed:
                return None
            reply, _ = self._queue.popitem(last=False)
            self._running[reply] = call = Call()
            call.nap = nap_for(len(self._running))
        self._tell_places()
        return reply, call

    def _tell_places(self) -> None:
        """Let those who wait know their place in line."""
        changed = []
        with self._lock:
            waiting = list(self._queue)[self._idle :]
        for place, reply in enumerate(waiting, start=1):
            log = hub.get(reply)
            if log and log.state != State("queued", place):
                log.state = State("queued", place)
                changed.append(log)
        if changed:
            hub.wake(changed)

    def _start_watch(self) -> None:
        with self._lock:
            if self._watch is None or not self._watch.is_alive():
                self._watch = threading.Thread(target=self._keep_watch, name="watch", daemon=True)
                self._watch.start()

    def _keep_watch(self) -> None:
        pause, rounds = threading.Event(), 0
        while not self._is_closed:
            pause.wait(WATCH_EVERY)
            rounds += 1
            with self._lock:
                running = dict(self._running)
            for call in running.values():
                call.close_if_overdue()
                call.nap = nap_for(len(running))
            if running and rounds % RENEW_EVERY == 0:
                self._renew(running)

    def _renew(self, running: dict[int, Call]) -> None:
        try:
            replies.renew(running)
        except Exception:
            logger.exception("leases could not be renewed")
        finally:
            connection.close()


def nap_for(running: int) -> float:
    """Seconds between two reads of a call while so many run: waking a thread costs more than what it then does."""
    return min(LONGEST_NAP, running * NAP_PER_CALL)


pool = Pool()
