"""Housekeeping of a running server: replies nobody writes, replies nobody began, conversations gone for good."""

import logging
import os
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any, Protocol

from django.db import connection

from chatsite import database
from conversations.models import Message
from conversations.services import (
    attachments,
    budgets,
    conversations,
    ledger,
    replies,
    retention,
    rules,
    strays,
    sums,
)
from conversations.services.budgets import OverBudget

logger = logging.getLogger(__name__)

EVERY = 4.0  # seconds; a deactivated person's calls are closed within 5
PURGE_EVERY = 75  # sweeps
ADD_UP_EVERY = 15
TIDY_EVERY = 900
TIDY_PAGES = 20  # 10,000 files


class Engine(Protocol):
    """What a sweep asks of the engine: the replies it answers or holds in line, and to take up or let go of one."""

    def running(self) -> set[int]: ...
    def known(self) -> set[int]: ...
    def go_on(self, reply: int) -> None: ...
    def cancel(self, reply: int) -> None: ...


class Leases:
    """Which replies of other processes nobody writes any more: their lease was not renewed for its whole length.

    Wall clocks differ between machines and are set on and back; a lease is only compared with itself.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._seen: dict[int, tuple[Any, float]] = {}

    def run_out(self, replies_running: Iterable[Message]) -> list[Message]:
        now, before = self._clock(), self._seen
        found, self._seen = list(replies_running), {}
        for reply in found:
            lease, since = before.get(reply.pk, (None, now))
            self._seen[reply.pk] = (reply.leased_until, since if lease == reply.leased_until else now)
        return [reply for reply in found if now - self._seen[reply.pk][1] > replies.LEASE.total_seconds()]


class Sweeper:
    """A thread that sweeps until it is stopped. With `is_alone`, no other process may be writing this database."""

    def __init__(self, pool: Engine, *, is_alone: bool) -> None:
        self._pool, self._is_alone = pool, is_alone
        self._leases = Leases()
        # Somewhere: one that is started anew each day must not look at the first ones only.
        self._tidied = os.urandom(1).hex()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sweeper", daemon=True)

    def start(self) -> None:
        """Settle what an earlier process left behind, then keep sweeping."""
        self._guarded(lambda: self.sweep(at_start=self._is_alone))
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()

    def sweep(self, *, at_start: bool = False) -> None:
        """One round. `at_start`: whatever runs or waits in the database belongs to a process that is gone."""
        for reply in self._abandoned(at_start):
            if replies.interrupt(reply):
                logger.warning("reply=%s was interrupted: nobody writes it any more", reply.pk)
                self._pool.cancel(reply.pk)
        for reply in replies.unwanted():
            replies.stop(reply)
        for primary_key in replies.vanished(self._pool.running()):
            self._pool.cancel(primary_key)
        for waiting in replies.held_back():
            with suppress(OverBudget):
                replies.release(waiting)
        for primary_key in replies.unclaimed(known=self._pool.known(), whatever_the_age=at_start):
            self._pool.go_on(primary_key)
        budgets.settle_left_behind()

    def _abandoned(self, at_start: bool) -> Iterable[Message]:
        alive = self._pool.running()
        if self._is_alone:
            return replies.abandoned(alive=alive, whatever_the_lease=at_start)
        return self._leases.run_out(replies.abandoned(alive=alive, whatever_the_lease=True))

    def purge(self) -> None:
        if deleted := retention.purge_deleted():
            logger.info("%d deleted conversations were removed for good", deleted)
        if expired := conversations.purge_expired():
            logger.info("%d temporary conversations were removed for good", expired)
        if past := retention.apply():
            logger.info("%d conversations past their time were removed for good", past)
        attachments.discard(attachments.unreferenced())
        attachments.remove_parts()
        if deleted or expired or past:
            database.forget_removed()
        if lost := ledger.close_lost():
            logger.warning("%d calls ended without telling how they went", lost)
        if count := rules.check_all():
            logger.info("%d flags were raised by rules", count)

    def tidy(self) -> None:
        """Go a bounded way on through all files of pictures, and remove what no row names."""
        removed, self._tidied = strays.sweep(self._tidied, pages=TIDY_PAGES)
        if removed:
            logger.warning("%d files of pictures were removed that nothing named", removed)

    def _run(self) -> None:
        rounds = 0
        while not self._stopped.wait(EVERY):
            rounds += 1
            self._guarded(database.keep_place)
            self._guarded(self.sweep)
            if rounds % PURGE_EVERY == 0:
                self._guarded(self.purge)
            if rounds % TIDY_EVERY == 0:
                self._guarded(self.tidy)
            if rounds % ADD_UP_EVERY == 0:
                self._guarded(sums.add_up)

    def _guarded(self, work: Callable[[], object]) -> None:
        """A failing sweep is logged and tried again; housekeeping must not end with one bad moment."""
        try:
            work()
        except Exception:
            logger.exception("sweeping failed")
        finally:
            connection.close()
