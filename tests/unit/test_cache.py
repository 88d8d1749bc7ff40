"""The shared cache while Redis is away."""

import time

from chatsite.cache import SharedCache
from tests.serving import free_port


def test_without_redis_a_process_keeps_what_it_caches_itself() -> None:
    cache = SharedCache(f"redis://127.0.0.1:{free_port()}/0", {"OPTIONS": {"socket_connect_timeout": 0.5}})
    cache.clear()
    assert cache.add("tries", 1, 60)
    assert not cache.add("tries", 1, 60)
    assert cache.incr("tries") == 2
    assert cache.get("tries") == 2
    assert cache.delete("tries")
    assert cache.get("tries", "nothing") == "nothing"


def test_redis_is_not_asked_each_time_while_it_is_away() -> None:
    cache = SharedCache("redis://192.0.2.1:6379/0", {"OPTIONS": {"socket_connect_timeout": 0.2}})  # answers nobody
    begun = time.monotonic()
    for number in range(100):
        cache.set(f"key{number}", number, 60)
    assert time.monotonic() - begun < 2
