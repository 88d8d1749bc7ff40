"""From every schema there ever was, with data in it, to today's: nothing is lost, and people go on."""

import sqlite3
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from tests import backups
from tests.live.browserless import Person
from tests.services.photographs import photograph
from tests.serving import PASSWORD, ROOT, Server

SCHEMAS = sorted(path.stem for path in (ROOT / "conversations" / "migrations").glob("0*.py"))

MAKE = """
import hashlib
from pathlib import Path
from django.contrib.auth.hashers import make_password
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

executor = MigrationExecutor(connection)
leaves = [node for node in executor.loader.graph.leaf_nodes() if node[0] != "conversations"]
executor.migrate([*leaves, ("conversations", {schema!r})])
apps = MigrationExecutor(connection).loader.project_state([*leaves, ("conversations", {schema!r})]).apps
now = timezone.now()


def make(label, /, **values):
    model = apps.get_model("conversations", label)
    known = {{field.name for field in model._meta.fields}}
    return model.objects.create(**{{name: value for name, value in values.items() if name in known}})


alice = make("User", username="alice", password=make_password({password!r}), language="de", enter_sends=False)
talk = make("Conversation", owner=alice, title="Grüße 👋", model="m", parameters={{"temperature": 0.25}}, active_at=now)
other = make("Conversation", owner=alice, title="deleted", model="m", active_at=now, deleted_at=now)
data = Path({picture!r}).read_bytes()
digest = hashlib.sha256(data).hexdigest()
for suffix in ("", ".thumbnail"):
    default_storage.save(digest[:2] + "/" + digest + suffix + ".jpg", ContentFile(data))
picture = make(
    "Attachment", owner=alice, origin="uploaded", name="Boot.jpg", alt="ein Boot", sha256=digest,
    media_type="image/jpeg", thumbnail_type="image/jpeg", width=300, height=200, bytes=len(data),
)
asked = make("Message", conversation=talk, role="user", sender=alice, key="k", key_digest="d")
make("Part", message=asked, position=0, kind="text", text="Was ist das?")
make("Part", message=asked, position=1, kind="image", attachment=picture)
said = make(
    "Message", conversation=talk, parent=asked, depth=1, role="assistant", model="m", prompt_tokens=12,
    output_tokens=34, remaining_credits="99.5", cost_usd="0.0000012345", notices=["truncated"], first_token_ms=50,
)
make("Part", message=said, position=0, kind="text", text="Ein **Boot**.", html="<p>old</p>", signature="s")
make("ProviderCall", message=said, attempt=1, model="m", request_deflated=b"\\x00\\xff", status_code=200)
running = make(
    "Message", conversation=other, role="assistant", status="streaming", claim="c", leased_until=now, on_path=False,
)
make("Piece", message=running, sequence=0, kind="text", text="so far")
make("Look", reviewer=alice, reviewer_name="alice", owner=alice, owner_name="alice", conversation=talk.uuid, what="t")
if "prompt" in [model._meta.model_name for model in apps.get_models()]:
    make("Prompt", owner=alice, name="hallo", text="Hallo {{{{wer}}}}", is_shared=True)
    make("Preset", owner=alice, name="x", model="m", parameters={{"max_tokens": 5}})
"""


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


@pytest.fixture(params=SCHEMAS)
def old(request: pytest.FixtureRequest, tmp_path: Path) -> Server:
    server = Server(tmp_path)
    picture = tmp_path / "boot.jpg"
    picture.write_bytes(photograph(300, 200))
    server.manage("shell", "-v0", "-c", MAKE.format(schema=request.param, password=PASSWORD, picture=str(picture)))
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
        return data.replace(SCHEMAS[-1].encode(), b"9999_tomorrow") if name == "manifest.json" else data

    archive = backups.signed(backups.rewritten(tmp_path / "whole.zip", tmp_path / "new.zip", of_tomorrow))
    refused = server.manage("restore", "--check", str(archive), check=False)
    assert refused.stderr == (
        "CommandError: The backup was made by a newer version of Chatsite; restore it with that.\n"
    )
    with sqlite3.connect(tmp_path / "chatsite.sqlite3") as connection:
        connection.execute("UPDATE django_migrations SET name = '9999_tomorrow' WHERE name = ?", [SCHEMAS[-1]])
    connection.close()
    refused = server.manage("backup", str(tmp_path / "again.zip"), check=False)
    assert refused.stderr == "CommandError: The database was made by a newer version of Chatsite; use that.\n"
