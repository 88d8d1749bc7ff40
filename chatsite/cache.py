"""The cache of several processes, in Redis. While Redis is lost each process keeps its own: limits then count apart.

Nothing that must not be lost is kept in a cache; sessions are in the database.
"""

import time
from collections.abc import Callable
from typing import Any

import redis
from django.core.cache.backends.base import BaseCache
from django.core.cache.backends.locmem import LocMemCache
from django.core.cache.backends.redis import RedisCache

PAUSE = 2.0  # seconds in which a Redis that was found lost is not asked again


class SharedCache(BaseCache):
    def __init__(self, location: str, params: dict[str, Any]) -> None:
        super().__init__(params)
        self._shared = RedisCache(location, params)
        self._own = LocMemCache("while-redis-is-lost", {})
        self._lost_until = 0.0

    def add(self, *arguments: Any, **options: Any) -> bool:
        return bool(self._ask("add", *arguments, **options))

    def get(self, *arguments: Any, **options: Any) -> Any:
        return self._ask("get", *arguments, **options)

    def set(self, *arguments: Any, **options: Any) -> None:
        self._ask("set", *arguments, **options)

    def touch(self, *arguments: Any, **options: Any) -> bool:
        return bool(self._ask("touch", *arguments, **options))

    def delete(self, *arguments: Any, **options: Any) -> bool:
        return bool(self._ask("delete", *arguments, **options))

    def incr(self, *arguments: Any, **options: Any) -> int:
        return int(self._ask("incr", *arguments, **options))

    def has_key(self, *arguments: Any, **options: Any) -> bool:
        return bool(self._ask("has_key", *arguments, **options))

    def clear(self) -> None:
        self._ask("clear")

    def _ask(self, name: str, *arguments: Any, **options: Any) -> Any:
        if time.monotonic() >= self._lost_until:
            try:
                return self._method(self._shared, name)(*arguments, **options)
            except redis.RedisError:
                self._lost_until = time.monotonic() + PAUSE
        return self._method(self._own, name)(*arguments, **options)

    @staticmethod
    def _method(cache: BaseCache, name: str) -> Callable[..., Any]:
        method: Callable[..., Any] = getattr(cache, name)
        return method
