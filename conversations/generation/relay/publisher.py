"""Sends what has changed in the logs of this process to Redis: one thread, one pipeline at a time for all replies.

Nothing is queued: what to send is the difference between a log and what its stream holds. So while Redis is slow
changes add up, and after it was lost every log is sent whole again.
"""

import json
import logging
import math
import threading
import time
from collections.abc import Iterable, Mapping

from conversations.generation.log import ReplyLog
from conversations.generation.relay import entries, streams
from conversations.generation.relay.entries import Sent

logger = logging.getLogger(__name__)

LOOK_EVERY = 1.0  # seconds between two looks whether Redis is there, while nothing changes


class Publisher:
    """`changed` may be called from any thread; it never waits for Redis."""

    def __init__(self) -> None:
        self._wanted = threading.Condition()
        self._changed: dict[int, ReplyLog] = {}
        self._live: dict[int, ReplyLog] = {}
        self._sent: dict[int, Sent] = {}
        self._thread = threading.Thread(target=self._run, name="publisher", daemon=True)
        self.is_lost = False
        self._lost_at = -math.inf

    def was_lost(self, within: float) -> bool:
        """Whether Redis is lost or was so less than so many seconds ago."""
        return self.is_lost or time.monotonic() - self._lost_at < within

    def start(self) -> None:
        self._thread.start()

    def changed(self, logs: Iterable[ReplyLog]) -> None:
        with self._wanted:
            self._changed |= {log.reply: log for log in logs}
            self._wanted.notify()

    def flush(self, patience: float) -> None:
        """Wait until everything is sent, at most for so many seconds."""
        end = time.monotonic() + patience
        while (self._changed or self._live) and time.monotonic() < end:
            time.sleep(0.01)

    def _run(self) -> None:
        while True:
            with self._wanted:
                if not self._changed:
                    self._wanted.wait(LOOK_EVERY)
                changed, self._changed = self._changed, {}
            self._live |= changed
            try:
                self._send(self._live if self.is_lost else changed)
            except streams.Lost as error:
                self._lose(error)
            except Exception:
                logger.exception("logs of replies could not be sent")
                self._sent.clear()

    def _lose(self, error: Exception) -> None:
        if not self.is_lost:
            logger.warning("Redis is lost (%s); browsers see what is stored", error.__class__.__name__)
        self.is_lost = True
        self._lost_at = time.monotonic()
        self._sent.clear()
        time.sleep(LOOK_EVERY)

    def _send(self, logs: Mapping[int, ReplyLog]) -> None:
        pipeline = streams.client().pipeline(transaction=False)
        if not logs:
            pipeline.ping()
        wholes, over = [], []
        for reply, log in logs.items():
            with log.lock:
                found, self._sent[reply] = entries.entry(log, self._sent.get(reply))
            pipeline.xadd(streams.stream(reply), {"e": json.dumps(found, ensure_ascii=False)})
            if "whole" in found:
                wholes.append((reply, len(pipeline) - 1))
                pipeline.expire(streams.stream(reply), streams.LIVES)
            if found["ended"]:
                over.append(reply)
                pipeline.expire(streams.stream(reply), streams.LIVES_ON)
        results = pipeline.execute()
        if self.is_lost:
            logger.warning("Redis is back")
            self.is_lost = False
        self._trim([(reply, results[place]) for reply, place in wholes])
        for reply in over:
            self._live.pop(reply, None)
            self._sent.pop(reply, None)

    def _trim(self, wholes: Iterable[tuple[int, str]]) -> None:
        """Nobody needs what stands in front of a whole log."""
        pipeline = streams.client().pipeline(transaction=False)
        for reply, entry_id in wholes:
            pipeline.xtrim(streams.stream(reply), minid=entry_id, approximate=False)
        pipeline.execute()
