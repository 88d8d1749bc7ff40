"""The engine inside the server: so many replies run at a time, the others wait visibly.

A reply passes through three kinds of threads, never two at a time: a few desks do what needs the database (they keep
their connections), lines wait for providers, and the one reader takes the streams. A watch closes calls that are
overdue and renews the leases of the running ones.
"""

import logging
import threading
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from django.conf import settings
from django.db import InterfaceError, OperationalError, close_old_connections, connection

from conversations.generation.answer import Answer
from conversations.generation.log import State, hub
from conversations.generation.reader import Reader
from conversations.generation.recorder import flusher, show_stored
from conversations.generation.tally import tally
from conversations.models import Part
from conversations.providers.events import Pause
from conversations.providers.wire import Call
from conversations.services import replies
from conversations.services.dispatch import Fresh
from conversations.services.replies import Ended
from conversations.services.tracing import present

logger = logging.getLogger(__name__)

DESKS = 2  # threads; more of them would only fight for the interpreter and wait for the database
LINES = 256  # threads; calls that wait for the head of a reply or take a whole one, streams hold none
WATCH_EVERY = 1.0  # seconds
RENEW_EVERY = 5  # watches
END_AGAIN_AFTER = 1.0  # seconds


class Pool:
    """Starts, watches and cancels the answering of replies; all methods may be called from any thread."""

    def __init__(self, limit: int | None = None) -> None:
        self._limit = limit
        self._lock = threading.Lock()
        self._queue: OrderedDict[int, Fresh | None] = OrderedDict()
        self._running: dict[int, Call] = {}
        self._again: set[int] = set()
        self._requests: dict[int, str] = {}  # that caused the replies, for the log
        self._desk = ThreadPoolExecutor(DESKS, thread_name_prefix="desk")
        self._lines = ThreadPoolExecutor(LINES, thread_name_prefix="line")
        self._reader = Reader(after_round=flusher.hurry)
        self._nothing_runs = threading.Condition(self._lock)
        self._watch: threading.Thread | None = None
        self._left: dict[int, threading.Event] = {}
        self._is_closed = False

    @property
    def limit(self) -> int:
        limit: int = self._limit or settings.CHATSITE_REPLIES
        return limit

    def start(self, reply: int, fresh: Fresh | None = None) -> None:
        """Take the reply into the queue; it begins at once where there is room."""
        with self._lock:
            if reply in self._running:
                self._again.add(reply)  # it was stopped and continued, and the stopped call is still being closed
            if self._is_closed or reply in self._running or reply in self._queue:
                return
            hub.open(reply)
            self._requests[reply] = present.request
            self._queue[reply] = fresh if len(self._running) < self.limit else None
        self._admit()
        self._start_watch()

    def answer(self, reply: int) -> None:
        """As `start`; returns when the reply has left the pool again."""
        left = self._left.setdefault(reply, threading.Event())
        self.start(reply)
        if reply in self.known():
            left.wait()
        self._left.pop(reply, None)

    def go_on(self, reply: int) -> None:
        """As `start`, for a reply that may have parts of an earlier run: who follows it begins with those."""
        show_stored(hub.open(reply), Part.objects.filter(message=reply).select_related("attachment"))
        self.start(reply)

    def cancel(self, reply: int) -> None:
        """Close the call of a running reply, or forget a waiting one."""
        with self._lock:
            call = self._running.get(reply)
            if self._queue.pop(reply, False) is not False:
                self._requests.pop(reply, None)
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

    def wait(self, patience: float) -> None:
        """Wait until nothing runs, at most for so many seconds."""
        with self._nothing_runs:
            self._nothing_runs.wait_for(lambda: not self._running, patience)

    def close(self, patience: float = 5.0) -> None:
        """Park everything for the end of the process: running replies end as interrupted, waiting ones stay pending.

        `patience`: seconds to wait until what they have is stored.
        """
        with self._lock:
            self._is_closed = True
            self._queue.clear()
            calls = list(self._running.values())
        for call in calls:
            call.close()
        self.wait(patience)
        for left in list(self._left.values()):
            left.set()
        self._lines.shutdown(wait=False, cancel_futures=True)
        self._desk.shutdown(wait=False, cancel_futures=True)

    # --- The way of one reply -----------------------------------------------------------------------------------------
    def _admit(self) -> None:
        """Begin as many waiting replies as may run, and tell the others their place in line."""
        with self._lock:
            while self._queue and len(self._running) < self.limit:
                reply, fresh = self._queue.popitem(last=False)
                self._running[reply] = call = Call()
                self._desk.submit(self._guarded, reply, self._begin, reply, call, fresh)
        self._tell_places()

    def _begin(self, reply: int, call: Call, fresh: Fresh | None) -> None:
        close_old_connections()
        answer = Answer.begin(reply, call, fresh=fresh, parked=lambda: self._is_closed)
        if answer:
            self._go_on(answer, False)
        else:
            self._leave(reply)

    def _go_on(self, answer: Answer, may_wait: bool) -> None:
        self._hand_on(answer, answer.go_on(may_wait=may_wait))

    def _hand_on(self, answer: Answer, pause: Pause | None) -> None:
        """To the threads that can do what the answer needs next."""
        reply = answer.reply.pk
        if pause is None:
            answer.recorder.when_drained(lambda: self._submit(self._desk, reply, self._end, answer))
        elif pause.fileno is None:
            self._submit(self._lines, reply, self._go_on, answer, True)
        else:
            self._reader.watch(pause.fileno, answer, lambda: self._read(answer))

    def _read(self, answer: Answer) -> bool:
        """One turn of the reader; whether there will be another."""
        reply = answer.reply.pk
        present.take_up(self._requests.get(reply, ""), reply)
        pause = answer.go_on(may_wait=False)
        present.put_down()
        if pause and pause.fileno is not None:
            return True
        self._hand_on(answer, pause)
        return False

    def _end(self, answer: Answer) -> None:
        close_old_connections()
        try:
            ended = answer.finish()
        except (OperationalError, InterfaceError):
            logger.warning("reply=%s: its end could not be stored; trying again", answer.reply.pk)
            connection.close()
            self._submit(self._lines, answer.reply.pk, self._end_later, answer)
            return
        # Siblings would have to be looked up; one that answers a new message alone has none.
        is_alone = answer.asked is not None and answer.reply.column is None
        self._leave(answer.reply.pk, ended if is_alone else None)

    def _end_later(self, answer: Answer) -> None:
        """The disk is full or the database is away; the reply has ended when it could be stored that it has."""
        threading.Event().wait(END_AGAIN_AFTER)
        self._submit(self._desk, answer.reply.pk, self._end, answer)

    def _submit(self, threads: ThreadPoolExecutor, reply: int, work: Callable[..., None], *arguments: object) -> None:
        try:
            threads.submit(self._guarded, reply, work, *arguments)
        except RuntimeError:  # the process ends; the next one settles what this one left behind
            self._leave(reply)

    def _guarded(self, reply: int, work: Callable[..., None], *arguments: object) -> None:
        present.take_up(self._requests.get(reply, ""), reply)
        try:
            work(*arguments)
        except Exception:
            logger.exception("reply=%s ended by a fault of the server", reply)
            self._leave(reply)
        finally:
            present.put_down()

    def _leave(self, reply: int, ended: Ended | None = None) -> None:
        with self._lock:
            self._running.pop(reply, None)
            self._requests.pop(reply, None)
            is_wanted_again = reply in self._again
            self._again.discard(reply)
            self._nothing_runs.notify_all()
        hub.end(reply, ended)
        if left := self._left.get(reply):
            left.set()
        self._admit()
        try:
            if is_wanted_again:
                self.go_on(reply)
        except Exception:
            logger.exception("reply=%s could not be begun again; the sweeper will", reply)

    def _tell_places(self) -> None:
        """Let those who wait know their place in line."""
        if not self._queue:
            return
        changed = []
        with self._lock:
            waiting = list(self._queue)
        for place, reply in enumerate(waiting, start=1):
            log = hub.get(reply)
            if log and log.state != State("queued", place):
                log.state = State("queued", place)
                changed.append(log)
        if changed:
            hub.wake(changed)

    # --- The watch ----------------------------------------------------------------------------------------------------
    def _start_watch(self) -> None:
        if self._watch is None or not self._watch.is_alive():
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
            if running and rounds % RENEW_EVERY == 0:
                self._renew(running)

    def _renew(self, running: dict[int, Call]) -> None:
        try:
            replies.renew(running)
        except Exception:
            logger.exception("leases could not be renewed")
        finally:
            connection.close()


pool = Pool()
tally.gauge("running", lambda: len(pool.running()))
tally.gauge("queued", lambda: len(pool.known()) - len(pool.running()))
