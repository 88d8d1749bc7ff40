"""Limits on tries in a real Redis, and without it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis as Client

from chatsite.shared_cache import SharedCache
from tests.cluster.processes import Redis

pytestmark = pytest.mark.django_db
MINUTE = 60


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[Redis]:
    running = Redis(tmp_path)
    running.start()
    yield running
    running.kill()


def cache_of(redis: Redis) -> SharedCache:
    return SharedCache(redis.url, {"KEY_PREFIX": "chatsite", "OPTIONS": {"socket_connect_timeout": 5}})


def test_processes_see_the_tries_of_each_other_in_redis(redis: Redis) -> None:
    one, another = cache_of(redis), cache_of(redis)
    assert one.add("tries", [[1.5, 1]], MINUTE)
    assert not another.add("tries", [], MINUTE)
    assert another.get("tries") == [[1.5, 1]]
    assert [key.decode() for key in Client.from_url(redis.url).scan_iter()] == ["chatsite:1:tries"]
    assert 0 < Client.from_url(redis.url).ttl("chatsite:1:tries") <= MINUTE
    assert another.delete("tries")
    assert one.get("tries", "nothing") == "nothing"


def test_what_stands_in_redis_is_read_and_never_executed(redis: Redis) -> None:
    cache_of(redis).set("tries", {"of": "alice"}, MINUTE)
    assert Client.from_url(redis.url).get("chatsite:1:tries") == b'{"of": "alice"}'


def test_tries_outlive_redis(redis: Redis) -> None:
    cache = cache_of(redis)
    cache.set("tries", [7], MINUTE)
    redis.kill()
    assert cache.get("tries") == [7]
    assert cache.add("others", 1, MINUTE)
    assert cache.incr("others") == 2
    cache.clear()
    assert cache.get("tries") is None


def test_a_redis_that_came_back_empty_lifts_no_limit(redis: Redis) -> None:
    cache_of(redis).set("tries", [7], MINUTE)
    redis.kill()
    redis.start()
    assert cache_of(redis).get("tries") == [7]
