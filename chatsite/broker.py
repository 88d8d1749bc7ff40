"""Celery's way to Redis, made to outlive the loss of Redis, and to find it again within two seconds of its return.

kombu 5.7 stumbles over a task that was begun before its connection was lost and acknowledged, or given back, after it:
the worker would end. Here such a task is left: Redis delivers it again later, which does no harm, since who claims
the reply writes it.
"""

from typing import Any

from celery.app import amqp
from kombu import connection
from kombu.transport import redis

TRIES_EVERY = 2.0  # seconds


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


class Connection(connection.Connection):
    """By itself a worker tries less and less often, in the end every 32 seconds; Celery has no setting for that."""

    def ensure_connection(self, *arguments: Any, **options: Any) -> Any:
        paced = {"interval_start": 1.0, "interval_step": 1.0, "interval_max": TRIES_EVERY} | options
        return super().ensure_connection(*arguments, **paced)  # type: ignore[no-untyped-call]


class AMQP(amqp.AMQP):  # type: ignore[misc]
    Connection = Connection
