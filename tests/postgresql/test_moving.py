"""The way to grow: a backup taken on SQLite is restored into PostgreSQL, and back, and nothing is different."""

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import backups, everything
from tests.cluster.processes import Bucket
from tests.live.browserless import Person
from tests.postgres import Postgres
from tests.serving import PASSWORD, Server


@pytest.fixture
def bucket(tmp_path: Path) -> Iterator[Bucket]:
    store = Bucket(tmp_path)
    store.start()
    try:
        yield store
    finally:
        store.kill()


@pytest.fixture
def postgres() -> Iterator[Postgres]:
    with Postgres() as running:
        yield running


def at(folder: Path, **settings: str) -> Server:
    folder.mkdir()
    return Server(folder, settings)


def tables(archive: Path) -> dict[str, list[Any]]:
    """The rows in an archive; numbers of migrations and of the backup itself left aside."""
    with zipfile.ZipFile(archive) as opened:
        names = [name for name in opened.namelist() if name.startswith("rows/")]
        return {name: [json.loads(line) for line in opened.read(name).splitlines()] for name in names}


def test_everything_moves_to_postgresql_and_a_bucket_and_back(
    postgres: Postgres, bucket: Bucket, tmp_path: Path
) -> None:
    small, back = at(tmp_path / "small"), at(tmp_path / "back")
    large = at(tmp_path / "large", DATABASE_URL=postgres.url, **bucket.settings)
    everything.store(small, tmp_path)
    small.manage("migrate", "-v0")
    there, here = tmp_path / "there.zip", tmp_path / "here.zip"
    small.manage("backup", str(there))
    large.manage("restore", str(there))
    large.manage("backup", str(here))
    assert tables(here) == tables(there)
    assert bucket.names() == set(backups.files(small.data)) != set()
    assert backups.files(large.data) == {}
    back.manage("restore", str(here))
    assert backups.rows(back.data) == backups.rows(small.data)
    assert backups.files(back.data) == backups.files(small.data)

    with large:
        refused = large.manage("restore", "--replace", str(there), check=False)
        assert "Another server is already using" in refused.stderr
        alice = Person(large.url)
        alice.log_in("alice", PASSWORD)
        assert alice.get("/c/").status_code == 200
    large.add_people("bob")  # new rows are numbered behind the old ones
    refused = large.manage("restore", str(there), check=False)
    assert refused.stderr == (
        "CommandError: There is something stored already; with --replace it is replaced by the backup.\n"
    )
    large.manage("restore", "--replace", str(there))
    (tmp_path / "here.zip").unlink()
    large.manage("backup", str(here))
    assert tables(here) == tables(there)


def test_a_character_that_postgresql_refuses_does_not_hold_up_the_move(postgres: Postgres, tmp_path: Path) -> None:
    small = at(tmp_path / "small")
    everything.store(small, tmp_path)
    small.manage("shell", "-v0", "-c", "from conversations.models import Part; Part.objects.update(text='a\\x00b')")
    small.manage("backup", str(tmp_path / "there.zip"))
    large = at(tmp_path / "large", DATABASE_URL=postgres.url)
    large.manage("restore", str(tmp_path / "there.zip"))
    said = large.manage("shell", "-v0", "-c", "from conversations.models import Part; print(Part.objects.first().text)")
    assert said.stdout == "a\ufffdb\n"
