"""Brings the logs that somebody follows here from Redis into the hub of this process: one thread, one blocking read.

A log is mirrored from the moment somebody asks for it until nobody has followed it for a while. While Redis is lost
nothing is mirrored: the streams are ended, browsers come back at once and are told what is stored.
"""

import json
import logging
import threading
import time

from django.db import close_old_connections

from chatsite import database
from conversations.generation.log import Hub, ReplyLog, State
from conversations.generation.relay import entries, streams
from conversations.models import Message

logger = logging.getLogger(__name__)

BLOCK = 25  # milliseconds; a log that is asked for meanwhile has to wait as long
PACE = 0.025  # seconds between two reads, so that one brings much
LOOK_EVERY = 2.0  # seconds between two looks into the database
KEPT = 10.0  # seconds that a log is mirrored which nobody follows
RETRY = 0.5  # seconds


class Mirror:
    """`watch` may be called from any thread and never waits."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._lock = threading.Lock()
        self._last: dict[int, str] = {}  # the id of the last entry that was read, by reply
        self._wanted_at: dict[int, float] = {}
        self._asked = threading.Event()
        self.is_lost = False

    def start(self) -> None:
        threading.Thread(target=self._keep_reading, name="mirror", daemon=True).start()
        threading.Thread(target=self._keep_looking, name="mirror-look", daemon=True).start()

    def watch(self, reply: int) -> ReplyLog | None:
        """The log of this reply, empty until it is read; None while Redis is lost."""
        if self.is_lost:
            return None
        with self._lock:
            log = self._hub.open(reply, epoch="")
            self._last.setdefault(reply, "0")
            self._wanted_at[reply] = time.monotonic()
        self._asked.set()
        return log

    # --- Reading ------------------------------------------------------------------------------------------------------
    def _keep_reading(self) -> None:
        while True:
            try:
                if self.is_lost:
                    streams.client().ping()
                    logger.warning("Redis is back")
                    self.is_lost = False
                self._read()
            except streams.Lost as error:
                self._lose(error)
            except Exception:
                logger.exception("logs of replies could not be read")
                time.sleep(RETRY)

    def _read(self) -> None:
        with self._lock:
            last = {streams.stream(reply): entry for reply, entry in self._last.items()}
        if not last:
            self._asked.wait(1.0)
            self._asked.clear()
            return
        found = streams.client().xread(last, block=BLOCK)
        changed: list[ReplyLog] = []
        over: list[ReplyLog] = []
        for name, items in found:
            reply = int(name.rpartition(":")[2])
            log = self._hub.get(reply)
            if log is None:
                self._forget(reply)
                continue
            has_ended = self._apply(log, items)
            with self._lock:
                if reply in self._last:
                    self._last[reply] = items[-1][0]
            (over if has_ended else changed).append(log)
        self._hub.wake(changed)
        for log in over:
            self._end(log.reply)
        if found:
            time.sleep(PACE)

    @staticmethod
    def _apply(log: ReplyLog, items: list[tuple[str, dict[str, str]]]) -> bool:
        """Whether the reply has ended."""
        has_ended = False
        for _, fields in items:
            has_ended |= entries.apply(log, json.loads(fields["e"]))
        return has_ended

    def _lose(self, error: Exception) -> None:
        if not self.is_lost:
            logger.warning("Redis is lost (%s); browsers see what is stored", error.__class__.__name__)
        self.is_lost = True
        with self._lock:
            replies = list(self._last)
        for reply in replies:
            self._hub.drop(reply)
            self._forget(reply)
        time.sleep(RETRY)

    def _end(self, reply: int) -> None:
        self._hub.end(reply)
        self._forget(reply)

    def _forget(self, reply: int) -> None:
        with self._lock:
            self._last.pop(reply, None)
            self._wanted_at.pop(reply, None)

    # --- Looking after ------------------------------------------------------------------------------------------------
    def _keep_looking(self) -> None:
        while True:
            time.sleep(LOOK_EVERY)
            close_old_connections()
            try:
                database.keep_place()
                self._look()
            except Exception as error:
                logger.warning("mirrored logs could not be looked after: %s", error.__class__.__name__)

    def _look(self) -> None:
        """End what has ended in the database, let go of what nobody follows, tell places in line."""
        with self._lock:
            mirrored = dict(self._wanted_at)
        logs = {reply: log for reply in mirrored if (log := self._hub.get(reply))}
        if not logs:
            return
        running = set(Message.objects.running().filter(pk__in=logs).values_list("pk", flat=True))
        for reply, log in logs.items():
            if reply not in running:
                self._end(reply)
            elif self._hub.is_followed(log):
                self._keep(reply)
            elif time.monotonic() - mirrored[reply] > KEPT:
                self._hub.drop(reply)
                self._forget(reply)
        self._tell_places([log for log in logs.values() if not log.epoch])

    def _keep(self, reply: int) -> None:
        with self._lock:
            if reply in self._wanted_at:
                self._wanted_at[reply] = time.monotonic()

    def _tell_places(self, waiting: list[ReplyLog]) -> None:
        if not waiting:
            return
        pipeline = streams.client().pipeline(transaction=False)
        for log in waiting:
            pipeline.zrank(streams.WAITING, str(log.reply))
        for log, rank in zip(waiting, pipeline.execute(), strict=True):
            if rank is not None and not log.epoch:
                log.state = State("queued", rank + 1)
        self._hub.wake(waiting)
