"""The engine of every process where Celery workers answer replies: it only hands on and tells."""

import json
import logging
import math
import time
from collections.abc import Callable
from typing import Any

from kombu.exceptions import OperationalError

from conversations.generation.log import hub
from conversations.generation.relay import entries, streams
from conversations.generation.relay.mirror import Mirror
from conversations.services.dispatch import Fresh

logger = logging.getLogger(__name__)

LOST_AFTER = 20.0  # seconds

mirror = Mirror(hub)


class CeleryEngine:
    """While Redis is lost nothing can be handed on: replies stay PENDING, and a worker or the sweeper finds them."""

    def __init__(self, publish: Callable[[int], Any]) -> None:
        self._publish = publish

    def start(self, reply: int, fresh: Fresh | None = None) -> None:
        if hub.on_unknown:
            hub.on_unknown(reply)  # this process has streams, and whoever sent it will ask for its stream at once
        self._hand_on(reply, begins_anew=False)

    def go_on(self, reply: int) -> None:
        self._hand_on(reply, begins_anew=True)

    def cancel(self, reply: int) -> None:
        """Let followers everywhere know. The worker that has it sees within a second that it has ended."""
        try:
            pipeline = streams.client().pipeline(transaction=False)
            pipeline.zrem(streams.WAITING, str(reply))
            pipeline.xadd(streams.stream(reply), {"e": json.dumps(entries.end())})
            pipeline.expire(streams.stream(reply), streams.LIVES_ON)
            pipeline.execute()
        except streams.Lost as error:
            logger.warning("reply=%s: its end could not be told (%s)", reply, error.__class__.__name__)

    def known(self) -> set[int]:
        """Replies that wait for a worker. Raises streams.Lost.

        One that has waited for long while Celery has nothing to hand out is not known to anybody any more: a worker
        died with its task before it began.
        """
        pipeline = streams.client().pipeline(transaction=False)
        pipeline.zrange(streams.WAITING, 0, -1, withscores=True)
        pipeline.llen(streams.QUEUE)
        waiting, handed_out_later = pipeline.execute()
        oldest = -math.inf if handed_out_later else time.time() - LOST_AFTER
        return {int(member) for member, since in waiting if since > oldest}

    def running(self) -> set[int]:
        """None in this process."""
        return set()

    def _hand_on(self, reply: int, *, begins_anew: bool) -> None:
        try:
            pipeline = streams.client().pipeline(transaction=False)
            pipeline.zadd(streams.WAITING, {str(reply): time.time()}, nx=True)
            if begins_anew:
                pipeline.delete(streams.stream(reply))
            pipeline.execute()
            self._publish(reply)
        except (streams.Lost, OperationalError) as error:
            logger.warning("reply=%s could not be handed on (%s); it begins later", reply, error.__class__.__name__)


def taken(reply: int) -> None:
    """A worker begins it: it does not wait in line any more."""
    try:
        streams.client().zrem(streams.WAITING, str(reply))
    except streams.Lost:
        logger.warning("reply=%s begins without Redis", reply)
