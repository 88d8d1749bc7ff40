"""The proof of the backups: taken while people write, restored on SQLite, on PostgreSQL, and back, they are equal."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests import backups
from tests.cluster.processes import Bucket
from tests.faults import invariants
from tests.faults.crash import Crowd, Spoken
from tests.faults.site import Embedded, logged_in
from tests.postgres import Postgres
from tests.postgresql.test_moving import tables
from tests.serving import until

KEYS = "SELECT key FROM conversations_message WHERE key IS NOT NULL"
RUNNING = ("a reply is neither running nor ended",)
"""What may be so in a backup of a running server."""


@dataclass
class Figures:
    """What came out. `wrong`: a line for each thing that is not as promised; `size` in bytes."""

    backups: int = 0
    rows: int = 0
    files: int = 0
    size: int = 0
    wrong: list[str] = field(default_factory=list)

    def told(self) -> list[str]:
        return [
            f"{self.backups} backups under load, restored on SQLite and PostgreSQL and back: "
            f"{self.rows} rows and {self.files} files, {self.size >> 10} KiB, equal to the last"
        ]


def prove(site: Embedded, folder: Path, rounds: int, *, messages: int) -> Figures:
    """Save a running site so often, each time after so many messages more, while four people write to it."""
    figures = Figures()
    with Crowd([logged_in(site.url, "alice")] * 4, 1, lambda: None, stays=False) as crowd:
        for number in range(rounds):
            here = folder / f"round{number}"
            here.mkdir()
            enough = len(crowd.spoken) + messages
            until(lambda enough=enough: len(crowd.spoken) >= enough, "more messages", 300)  # type: ignore[misc]
            taken = [one for one in list(crowd.spoken) if one.is_taken]
            site.manage("backup", str(here / "saved.zip"))
            figures.backups += 1
            figures.wrong += [f"round {number}: {line}" for line in _wrong(here, taken, figures)]
    return figures


def _wrong(here: Path, taken: Sequence[Spoken], figures: Figures) -> list[str]:
    """What is not as promised about one backup."""
    saved, again = here / "saved.zip", here / "again.zip"
    small, back = _place(here / "small"), _place(here / "back")
    small.manage("restore", str(saved))
    with Postgres() as postgres:
        bucket = Bucket(here)
        bucket.start()
        try:
            large = _place(here / "large", DATABASE_URL=postgres.url, **bucket.settings)
            large.manage("restore", str(saved))
            large.manage("backup", str(again))
            names = bucket.names()
        finally:
            bucket.kill()
    back.manage("restore", str(again))
    rows, files = backups.rows(small.data), backups.files(small.data)
    figures.rows += sum(map(len, rows.values()))
    figures.files += len(files)
    figures.size += saved.stat().st_size
    kept = {key for (key,) in small.rows(KEYS)}
    differences = {
        "PostgreSQL differs": tables(again) != tables(saved),
        "SQLite differs after PostgreSQL": backups.rows(back.data) != rows or backups.files(back.data) != files,
        "the bucket differs": names != set(files),
        "an acknowledged message is missing": any(one.key not in kept for one in taken),
    }
    return [what for what, is_so in differences.items() if is_so] + invariants.broken(small, RUNNING)


def _place(folder: Path, **settings: str) -> Embedded:
    folder.mkdir()
    return Embedded(folder, settings)
