"""A row of everything that is stored, in a database of any schema there ever was."""

import shutil
from pathlib import Path

from tests.services.photographs import photograph
from tests.serving import PASSWORD, ROOT, Server

SCHEMAS = sorted(path.stem for path in (ROOT / "conversations" / "migrations").glob("0*.py"))

MAKE = """
import hashlib
import sqlite3
from pathlib import Path
from django.contrib.auth.hashers import make_password
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

now = timezone.now()


def migrated(schema):
    executor = MigrationExecutor(connection)
    leaves = [node for node in executor.loader.graph.leaf_nodes() if node[0] != "conversations"]
    executor.migrate([*leaves, ("conversations", schema)])
    return MigrationExecutor(connection).loader.project_state([*leaves, ("conversations", schema)]).apps


def fill(apps):
    def make(label, /, **values):
        model = apps.get_model("conversations", label)
        known = {{field.name for field in model._meta.fields}}
        return model.objects.create(**{{name: value for name, value in values.items() if name in known}})

    alice = make("User", username="alice", password=make_password({password!r}), language="de", enter_sends=False)
    talk = make(
        "Conversation", owner=alice, title="Grüße 👋", model="m", parameters={{"temperature": 0.25}}, active_at=now,
    )
    other = make("Conversation", owner=alice, title="deleted", model="m", active_at=now, deleted_at=now)
    data = Path({picture!r}).read_bytes()
    digest = hashlib.sha256(data).hexdigest()
    for suffix in ("", ".thumbnail"):
        name = digest[:2] + "/" + digest + suffix + ".jpg"
        if not default_storage.exists(name):
            default_storage.save(name, ContentFile(data))
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
    make("Look", reviewer=alice, reviewer_name="alice", owner=alice, owner_name="alice", conversation=talk.uuid,
         what="t", number=1, previous="0" * 64, digest="d" * 64, created_at=now)
    if "invitation" in [model._meta.model_name for model in apps.get_models()]:
        make("Invitation", digest="d" * 64, role="reviewer", email="b@example.com", inviter=alice, expires_at=now)
    for label, values in (
        ("Rating", {{"message": said, "value": 1, "comment": "gut"}}),
        ("Rule", {{"name": "r", "kind": "words", "words": "w"}}),
        ("Label", {{"name": "l"}}),
        ("Retention", {{"days": 300}}),
        ("Notices", {{"banner": "Hallo", "terms": "Seid nett.", "terms_since": None}}),
        ("Hold", {{"reason": "h", "conversation": talk}}),
        ("Remembered", {{"key": "k", "value": [1.5], "until": now}}),
    ):
        if label.lower() in [model._meta.model_name for model in apps.get_models()]:
            make(label, **values)
    if "case" in [model._meta.model_name for model in apps.get_models()]:
        case = make("Case", conversation=talk)
        make("Flag", case=case, message=said, cause="reported", comment="c")
        make("Note", case=case, author=alice, author_name="alice", text="n")
    if "ownkey" in [model._meta.model_name for model in apps.get_models()]:
        house = make("Connection", slug="house", label="Haus", base_url="https://models.example", sealed_key="v1.x.y")
        chat = make("OfferedModel", connection=house, name="chat", price_input="0.00000001", extra={{"top_p": 0.5}})
        chat.groups.add(apps.get_model("auth", "Group").objects.create(name="Prüfer"))
        make("OwnKey", owner=alice, connection=house, sealed_key="v1.x.z", key_hint="wxyz")
    if "ledgersum" in [model._meta.model_name for model in apps.get_models()]:
        make("LedgerSum", by="person", day=now.date(), key=str(alice.pk), name="alice", currency="USD", up_to=1)
    if "budget" in [model._meta.model_name for model in apps.get_models()]:
        budget = make("Budget", scope="site", period="month", messages=10**6, money="9999.5", set_aside="0.01")
        spending = make("Spending", budget=budget, subject=0, begins=now.date().replace(day=1), messages=1,
                        reserved=10**7)
        make("Reservation", reply=said.pk, run=1, spending=spending, money=10**7)
        make(
            "LedgerEntry", call=10**6, reply=said.pk, attempt=1, at=now, day=now.date(), person=alice.pk, model="m",
            person_name="alice", prices={{"input": "0.1"}}, amount=10**6, currency="USD", basis="priced", outcome="ok",
        )
    if "prompt" in [model._meta.model_name for model in apps.get_models()]:
        make("Prompt", owner=alice, name="hallo", text="Hallo {{{{wer}}}}", is_shared=True)
        make("Preset", owner=alice, name="x", model="m", parameters={{"max_tokens": 5}})


for schema, copy in {wanted!r}:
    apps = migrated(schema)
    if not copy:
        fill(apps)
        continue
    empty = copy + ".empty"
    connection.cursor().execute("VACUUM INTO %s", [empty])
    fill(apps)
    connection.cursor().execute("VACUUM INTO %s", [copy])
    sqlite3.connect(empty).backup(connection.connection)
"""


def store(server: Server, folder: Path, schema: str = SCHEMAS[-1]) -> None:
    """Migrate to this schema and store. `folder`: where a file may be left."""
    _make(server, folder, [(schema, "")])


def stores(folder: Path) -> Path:
    """A folder with a database of each schema, named for it, and with the key and the pictures of all of them."""
    server = Server(folder)
    _make(server, folder, [(schema, str(folder / f"{schema}.sqlite3")) for schema in SCHEMAS])
    return folder


def lay_out(folder: Path, schema: str, data: Path) -> None:
    """One of the `stores`, as the data folder of a server."""
    shutil.copyfile(folder / f"{schema}.sqlite3", data / "chatsite.sqlite3")
    shutil.copyfile(folder / "secret-key", data / "secret-key")
    shutil.copytree(folder / "images", data / "images")


def _make(server: Server, folder: Path, wanted: list[tuple[str, str]]) -> None:
    picture = folder / "boot.jpg"
    picture.write_bytes(photograph(300, 200))
    server.manage("shell", "-v0", "-c", MAKE.format(wanted=wanted, password=PASSWORD, picture=str(picture)))
