"""The cache of several processes: in Redis, and in the database for the time in which Redis is lost."""

import json
import time
from collections.abc import Callable
from typing import Any

import redis
from django.core.cache.backends.base import DEFAULT_TIMEOUT
from django.core.cache.backends.redis import RedisCache

from chatsite.cache import StoredCache

PAUSE = 2.0  # seconds in which a Redis that was found lost is not asked again


class SharedCache(StoredCache):
    """What is set goes to both; Redis is asked first, the database where Redis has nothing or is lost."""

    def __init__(self, location: str, params: dict[str, Any]) -> None:
        super().__init__(location, params)
        options = {**params.get("OPTIONS", {}), "serializer": JSONSerializer}
        self._redis = RedisCache(location, {**params, "OPTIONS": options})
        self._lost_until = 0.0

    def add(self, key: str, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> bool:
        if not super().add(key, value, timeout, version):
            return False
        self._ask(self._redis.set, key, value, timeout, version)
        return True

    def get(self, key: str, default: Any = None, version: int | None = None) -> Any:
        found = self._ask(self._redis.get, key, None, version)
        return super().get(key, default, version) if found is None else found

    def set(self, key: str, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> None:
        super().set(key, value, timeout, version)
        self._ask(self._redis.set, key, value, timeout, version)

    def touch(self, key: str, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> bool:
        self._ask(self._redis.touch, key, timeout, version)
        return super().touch(key, timeout, version)

    def delete(self, key: str, version: int | None = None) -> bool:
        self._ask(self._redis.delete, key, version)
        return super().delete(key, version)

    def clear(self) -> None:
        self._ask(self._redis.clear)
        super().clear()

    def _ask(self, method: Callable[..., Any], *arguments: Any) -> Any:
        """None where Redis is lost."""
        if time.monotonic() < self._lost_until:
            return None
        try:
            return method(*arguments)
        except redis.RedisError:
            self._lost_until = time.monotonic() + PAUSE
            return None


class JSONSerializer:
    def dumps(self, value: Any) -> str:
        return json.dumps(value)

    def loads(self, value: bytes) -> Any:
        return json.loads(value)
