"""Celery's way to Redis, made to outlive the loss of Redis.

kombu 5.7 stumbles over a task that was begun before its connection was lost and acknowledged, or given back, after it:
the worker would end. Here such a task is left: Redis delivers it again later, which does no harm, since who claims
the reply writes it.
"""

from typing import Any

from kombu.transport import redis


class Deliveries(redis.QoS):
    def ack(self, delivery_tag: str) -> None:
        if self._has_connection:
            super().ack(delivery_tag)  # type: ignore[no-untyped-call]

    def restore_unacked_once(self, stderr: Any = None) -> None:
        if not self._has_connection:
            self._delivered.clear()
        super().restore_unacked_once(stderr)  # type: ignore[no-untyped-call]

    @property
    def _has_connection(self) -> bool:
        transport = self.channel.connection
        return transport is not None and transport.client is not None


class Channel(redis.Channel):
    QoS = Deliveries


class Transport(redis.Transport):
    Channel = Channel
