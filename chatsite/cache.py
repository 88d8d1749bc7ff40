"""The cache: little is kept in it, limits on tries above all, which neither a restart nor a lost Redis may lift.

It is in the database; see shared_cache.py for several processes. Values are JSON: what is read from outside the process
is never executed.
"""

from datetime import UTC, datetime
from typing import Any

from django.core.cache.backends.base import DEFAULT_TIMEOUT, BaseCache
from django.utils import timezone
from django.utils.crypto import salted_hmac

NEVER = datetime(9999, 1, 1, tzinfo=UTC)


class StoredCache(BaseCache):
    def __init__(self, _location: str, params: dict[str, Any]) -> None:
        super().__init__(params)

    def add(self, key: str, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> bool:
        rows = self._rows()
        rows.filter(until__lte=timezone.now()).delete()
        fields = {"value": value, "until": self._until(timeout)}
        return bool(rows.get_or_create(key=self._digest(key, version), defaults=fields)[1])

    def get(self, key: str, default: Any = None, version: int | None = None) -> Any:
        found = self._rows().filter(key=self._digest(key, version), until__gt=timezone.now()).first()
        return found.value if found else default

    def set(self, key: str, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> None:
        fields = {"value": value, "until": self._until(timeout)}
        self._rows().update_or_create(key=self._digest(key, version), defaults=fields)

    def touch(self, key: str, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> bool:
        living = self._rows().filter(key=self._digest(key, version), until__gt=timezone.now())
        return bool(living.update(until=self._until(timeout)))

    def delete(self, key: str, version: int | None = None) -> bool:
        return bool(self._rows().filter(key=self._digest(key, version)).delete()[0])

    def clear(self) -> None:
        self._rows().delete()

    def _rows(self) -> Any:
        from conversations.models import Remembered  # not before Django is ready

        return Remembered.objects.all()

    def _digest(self, key: str, version: int | None) -> str:
        return salted_hmac("chatsite.cache", self.make_key(key, version), algorithm="sha256").hexdigest()

    def _until(self, timeout: Any) -> datetime:
        moment = self.get_backend_timeout(timeout)
        return NEVER if moment is None else datetime.fromtimestamp(moment, UTC)
