"""Redis: how long to wait for it, and what is called how there."""

from functools import cache
from typing import Any

import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry

Lost = redis.RedisError
"""What is raised while Redis cannot be used."""

WAITING = "chatsite:waiting"  # sorted set: replies that no worker has begun, by the time they were handed on
QUEUE = "chatsite:replies"  # list, of Celery: tasks that are not handed out
LIVES = 20 * 60  # seconds; longer than the longest reply
LIVES_ON = 60  # seconds after the end of a reply


def stream(reply: int) -> str:
    return f"chatsite:log:{reply}"


@cache
def client() -> Any:
    """For all threads. Nothing is tried again unseen: who uses it has to know that Redis was lost."""
    return redis.Redis.from_url(
        settings.REDIS_URL,
        decode_responses=True,
        socket_connect_timeout=1,
        socket_timeout=3,
        retry=Retry(NoBackoff(), 0),
        client_name="chatsite",
    )
