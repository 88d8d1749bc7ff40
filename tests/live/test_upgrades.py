"""From every schema there ever was, with data in it, to today's: nothing is lost, and people go on."""

import os
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from tests import backups, everything
from tests.faults.site import Held
from tests.live.browserless import Person
from tests.live.pages import Page
from tests.once import once
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


# Starting a server for each is for `make soak`; what becomes of the rows is looked at for each every time.
STARTED = everything.SCHEMAS if "EVERY_SCHEMA" in os.environ else (everything.SCHEMAS[0], everything.SCHEMAS[-2])
UPGRADE = "from django.core.management import call_command as call; call('backup', {!r}); call('migrate', verbosity=0)"


@pytest.fixture(scope="session")
def stores(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return once(tmp_path_factory, "stores", everything.stores)


@pytest.mark.parametrize("schema", everything.SCHEMAS)
def test_every_value_is_kept_and_a_backup_is_the_way_back_and_forth(schema: str, stores: Path, tmp_path: Path) -> None:
    old, elsewhere = Server(tmp_path), tmp_path / "elsewhere"
    everything.lay_out(stores, schema, old.data)
    elsewhere.mkdir()
    before = stored(old.data)
    old.manage("shell", "-v0", "-c", UPGRADE.format(str(tmp_path / "before.zip")))
    upgraded = stored(old.data)
    assert is_kept(before, upgraded)
    Server(elsewhere).manage("restore", str(tmp_path / "before.zip"))
    assert stored(elsewhere) == upgraded
    assert backups.files(elsewhere) == backups.files(old.data) != {}


@pytest.mark.parametrize("schema", STARTED)
def test_people_who_come_during_an_upgrade_wait_for_it_and_find_everything(
    schema: str, stores: Path, tmp_path: Path
) -> None:
    server = Held(tmp_path)
    everything.lay_out(stores, schema, server.data)
    address = f"/c/{UUID(stored(tmp_path)['conversations_conversation'][0]['uuid'])}/"
    with ThreadPoolExecutor() as people:
        seen = [people.submit(look, server, address) for _ in range(3)]
        with server:
            for page, picture in (one.result(120) for one in seen):
                assert "Was ist das?" in page.text
                assert page.replies[0].text == "Ein Boot."
                assert picture == photograph(300, 200)


def look(server: Server, address: str) -> tuple[Page, bytes]:
    """The conversation as somebody sees it who has not even logged in yet, and its picture."""
    alice = Person(server.url, timeout=120)
    alice.log_in("alice", PASSWORD)
    page = alice.get(address)
    (picture,) = [original for article in page.articles for original in article.originals]
    return page, alice.session.get(picture, timeout=120).content


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


def test_records_of_looks_from_before_they_were_chained_are_carried_over(stores: Path, tmp_path: Path) -> None:
    server = Server(tmp_path)
    everything.lay_out(stores, "0004_review_at_scale", server.data)
    server.manage("migrate", "-v0")
    assert server.manage("verify_audit").stdout.startswith("1 records, each continues the one before.")
    (look,) = stored(tmp_path)["conversations_look"]
    assert (look["number"], look["reviewer_name"], look["reason"]) == (1, "alice", "")
