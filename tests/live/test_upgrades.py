"""From every schema there ever was, with data in it, to today's: nothing is lost, and people go on."""

import sqlite3
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from tests import backups, everything
from tests.live.browserless import Person
from tests.services.photographs import photograph
from tests.serving import PASSWORD, Server


def stored(data: Path) -> dict[str, list[dict[str, Any]]]:
    """Every row of every table of ours, by the names of its columns."""
    connection = sqlite3.connect(data / "chatsite.sqlite3")
    connection.row_factory = sqlite3.Row
    try:
        found = connection.execute(
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND name LIKE 'conversations_%'"
        )
        return {
            name: [dict(row) for row in connection.execute(f"SELECT * FROM {name} ORDER BY id")] for (name,) in found
        }
    finally:
        connection.close()


def is_kept(before: dict[str, list[dict[str, Any]]], after: dict[str, list[dict[str, Any]]]) -> bool:
    """Whether every value of before is still there; tables and columns may have come."""
    for table, rows in before.items():
        assert len(rows) == len(after[table]), table
        for old, new in zip(rows, after[table], strict=True):
            assert {name: new[name] for name in old} == old, table
    return any(before.values())


@pytest.fixture(params=everything.SCHEMAS)
def old(request: pytest.FixtureRequest, tmp_path: Path) -> Server:
    server = Server(tmp_path)
    everything.store(server, tmp_path, schema=request.param)
    return server


def test_every_schema_is_brought_up_to_date_with_everything_in_it(old: Server) -> None:
    before = stored(old.data)
    old.manage("migrate", "-v0")
    assert is_kept(before, stored(old.data))
    with old:
        alice = Person(old.url)
        alice.log_in("alice", PASSWORD)
        page = alice.page(str(UUID(before["conversations_conversation"][0]["uuid"])))
        assert "Was ist das?" in page.text
        assert page.replies[0].text == "Ein Boot."
        (picture,) = [address for article in page.articles for address in article.originals]
        assert alice.session.get(picture, timeout=10).content == photograph(300, 200)


def test_a_backup_of_every_schema_is_the_way_back_and_forth(old: Server, tmp_path: Path) -> None:
    before, elsewhere = stored(old.data), tmp_path / "elsewhere"
    elsewhere.mkdir()
    old.manage("backup", str(tmp_path / "before.zip"))
    old.manage("migrate", "-v0")
    Server(elsewhere).manage("restore", str(tmp_path / "before.zip"))
    after = stored(elsewhere)
    before["conversations_setuplink"] = after["conversations_setuplink"]
    assert is_kept(before, after)
    assert after == stored(old.data)
    assert backups.files(elsewhere) == backups.files(old.data)


def test_a_database_or_backup_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    server = Server(tmp_path)
    server.manage("migrate", "-v0")
    server.manage("backup", str(tmp_path / "whole.zip"))

    def of_tomorrow(name: str, data: bytes) -> bytes:
        return data.replace(everything.SCHEMAS[-1].encode(), b"9999_tomorrow") if name == "manifest.json" else data

    archive = backups.signed(backups.rewritten(tmp_path / "whole.zip", tmp_path / "new.zip", of_tomorrow))
    refused = server.manage("restore", "--check", str(archive), check=False)
    assert refused.stderr == (
        "CommandError: The backup was made by a newer version of Chatsite; restore it with that.\n"
    )
    with sqlite3.connect(tmp_path / "chatsite.sqlite3") as connection:
        connection.execute(
            "UPDATE django_migrations SET name = '9999_tomorrow' WHERE name = ?", [everything.SCHEMAS[-1]]
        )
    connection.close()
    refused = server.manage("backup", str(tmp_path / "again.zip"), check=False)
    assert refused.stderr == "CommandError: The database was made by a newer version of Chatsite; use that.\n"
