"""The chain of records: each carries a digest over its own content and the digest of the one before.

Who changes a record, or takes one out, breaks the chain from there on. Who can write the database may compute a whole
chain anew, or cut its end off; that shows only against a head that was noted elsewhere: `verify` prints one.
"""

import datetime as dt
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass

from django.db import connection

from conversations.models import Look

FIRST = "0" * 64  # what the first record has for a digest before it
MOST_FAULTS = 20
LAST_GIVEN = {
    "sqlite": "SELECT seq FROM sqlite_sequence WHERE name = 'conversations_look'",
    "postgresql": "SELECT last_value FROM conversations_look_id_seq WHERE is_called",
}


@dataclass(frozen=True, slots=True)
class Head:
    """The end of a chain: number and digest of the last record. As text: `12:ab34…`."""

    number: int = 0
    digest: str = FIRST

    @classmethod
    def read(cls, text: str) -> "Head":
        """Raises ValueError where the text is none."""
        number, _colon, digest = text.strip().partition(":")
        if len(digest) != len(FIRST):
            raise ValueError("a head is a number, a colon and 64 characters")
        return cls(int(number), digest)

    def __str__(self) -> str:
        return f"{self.number}:{self.digest}"


@dataclass(frozen=True, slots=True)
class Report:
    """What was found: the head, and a sentence for each fault. `doubts` need not be faults."""

    head: Head
    faults: list[str]
    doubts: list[str]


def digest_of(look: Look) -> str:
    """SHA-256 over the record as canonical JSON: sorted names, no spaces, UTF-8, the moment in UTC."""
    content = {
        "number": look.number,
        "at": look.created_at.astimezone(dt.UTC).isoformat(timespec="microseconds"),
        "reviewer": look.reviewer_id,
        "reviewer_name": look.reviewer_name,
        "owner": look.owner_id,
        "owner_name": look.owner_name,
        "conversation": str(look.conversation or ""),
        "what": look.what,
        "detail": look.detail,
        "reason": look.reason,
        "previous": look.previous,
    }
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def head() -> Head:
    last = Look.objects.order_by("-number").values_list("number", "digest").first()
    return Head(*last) if last else Head()


def verify(noted: Head | None = None) -> Report:
    """Go through all records. `noted`: a head of before, which has to be part of the chain still."""
    faults: list[str] = []
    before = Head()
    noted_digest = FIRST if noted and noted.number == 0 else ""
    for look in Look.objects.order_by("number").iterator(chunk_size=1000):
        if len(faults) < MOST_FAULTS:
            faults += _faults(look, before)
        before = Head(look.number, look.digest)
        if noted and noted.number == look.number:
            noted_digest = look.digest
    if noted and noted_digest != noted.digest:
        faults.append(f"record {noted.number} is not what was noted: it was removed, or the chain was written anew")
    if connection.vendor == "sqlite":  # there the count is exact
        return Report(before, [*faults, *_cut_off()], [])
    return Report(before, faults, [f"{one}, or a transaction was rolled back" for one in _cut_off()])


def _faults(look: Look, before: Head) -> Iterator[str]:
    if look.number != before.number + 1:
        yield f"record {look.number} follows {before.number}: records between them were removed"
    elif look.previous != before.digest:
        yield f"record {look.number} does not continue record {before.number}"
    if look.digest != digest_of(look):
        yield f"record {look.number} was changed"


def _cut_off() -> Iterator[str]:
    """The database counts the rows it has ever stored. PostgreSQL also counts what was rolled back."""
    with connection.cursor() as cursor:
        cursor.execute(LAST_GIVEN[connection.vendor])
        given = (cursor.fetchone() or (0,))[0]
    last = Look.objects.order_by("-id").values_list("id", flat=True).first() or 0
    if given > last:
        yield f"the database has given the row number {given}, the last record has {last}: the end was cut off"
