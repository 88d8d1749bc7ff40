"""A backup of a running server, and its way back: equal to the last row and file, whole while people write."""

import hashlib
import json
import threading
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests import backups, everything
from tests.live.browserless import Person, Sent
from tests.services.photographs import photograph
from tests.serving import PASSWORD, Server, until
from tests.simulator import Simulator

FLASH = "aimlapi/google/gemini-2.5-flash"
PAINTER = "segmind/gemini-2-flash-image-generation"

ADD_WHAT_PAGES_DO_NOT = """
from datetime import timedelta
from django.contrib.auth.models import Group, Permission
from django.utils import timezone
from conversations import models
from conversations.models import Connection, Conversation, OfferedModel, Preset, Prompt, User
from conversations.services import connections, review
alice, bob = User.objects.get(username="alice"), User.objects.get(username="bob")
readers = Group.objects.create(name="Prüfer")
readers.permissions.add(Permission.objects.get(codename="review_conversations"))
bob.groups.add(readers)
bob.user_permissions.add(Permission.objects.get(codename="view_look"))
Prompt.objects.create(owner=alice, name="grüße", text="Viele Grüße an {{wen}} 👋\\r\\n\\u2028")
Preset.objects.create(owner=alice, name="x", model="m", parameters={"temperature": 0.5, "max_tokens": None})
first = Conversation.objects.earliest("pk")
Conversation.objects.create(owner=alice, model="m", active_at=timezone.now(), forked_from=first.messages.latest("pk"))
house = Connection(slug="house", label="House", base_url="https://models.example/v1", takes_own_keys=True)
connections.store(house, key="house-key-0123456789", headers="X-Gate: gate-secret-0123")
OfferedModel.objects.create(connection=house, name="chat", price_input="0.075").groups.add(readers)
connections.bring_key(alice, house, "alices-own-key-0123456789")
said = first.messages.filter(role="assistant").first()
models.Rating.objects.create(message=said, value=1, comment="gut")
models.Rule.objects.create(name="r", kind="words", words="w")
models.Retention.objects.create(days=300)
models.Notices.objects.create(banner="Hallo")
models.Hold.objects.create(reason="h", conversation=first)
case = models.Case.objects.create(conversation=first)
case.labels.add(models.Label.objects.create(name="l"))
models.Flag.objects.create(case=case, message=said, cause="reported", comment="c")
models.Note.objects.create(case=case, author=bob, author_name="bob", text="n")
until = timezone.now() + timedelta(days=1)
invitation = models.Invitation.objects.create(digest="d" * 64, inviter=bob, expires_at=until)
invitation.groups.add(readers)
budget = models.Budget.objects.create(scope="each", period="day", messages=10**6, money="99.5", set_aside="0.01")
spending = models.Spending.objects.create(budget=budget, subject=alice.pk, begins=timezone.localdate(), reserved=10**7)
models.Reservation.objects.create(reply=10**6, run=1, spending=spending, money=10**7)
models.LedgerSum.objects.create(by="day", day=timezone.localdate(), currency="USD", calls=1, up_to=1)
review.record_look(bob, first, "thread", "Quality of answers")
"""


def fill(server: Server, alice: Person) -> Sent:
    """A bit of everything that is stored, a reply that is being written among it."""
    picture = ("boot.jpg", photograph(300, 200), "image/jpeg")
    seen = alice.send("Was ist das? 🚤", model=FLASH, images=[picture])
    alice.follow(seen.reply_uuid, reconnect=True)
    drawn = alice.send("Draw a red circle on a blue background", seen.conversation_uuid, model=PAINTER)
    alice.follow(drawn.reply_uuid, reconnect=True)
    failed = alice.send("[[fault:500]]", model=FLASH)
    alice.follow(failed.reply_uuid, reconnect=True)
    server.manage("shell", "-v0", "-c", ADD_WHAT_PAGES_DO_NOT)
    running = alice.send("[[tokens:4000]]", model=FLASH)
    alice.follow(running.reply_uuid, leave=lambda _event, shown: len(shown.text) > 20)
    return running


@pytest.fixture
def elsewhere(tmp_path: Path) -> Server:
    """Another installation, where nothing is yet."""
    data = tmp_path / "elsewhere"
    data.mkdir()
    return Server(data)


def test_what_is_restored_equals_what_was_saved_and_people_go_on(
    server: Server, alice: Person, elsewhere: Server
) -> None:
    running = fill(server, alice)
    server.kill()
    shown = backups.query(server.data, "SELECT text FROM conversations_piece ORDER BY sequence")
    assert shown
    archive = server.data / "saved.zip"
    said = server.manage("backup", str(archive)).stdout
    assert said == f"Saved 3 people, 4 conversations, 8 messages and 4 picture files to {archive}.\n"
    elsewhere.manage("restore", str(archive))
    saved = backups.rows(server.data)
    assert backups.rows(elsewhere.data) == saved
    assert backups.files(elsewhere.data) == backups.files(server.data) != {}
    of_libraries = ("account_", "django_", "mfa_", "socialaccount_", "usersessions_")
    assert [name for name, rows in saved.items() if not rows and not name.startswith(of_libraries)] == []
    assert archive.stat().st_mode & 0o777 == 0o600
    with elsewhere:
        again = Person(elsewhere.url)
        again.log_in("alice", PASSWORD)
        reply = again.page(running.conversation_uuid).replies[-1]
        assert (reply.uuid, reply.status) == (running.reply_uuid, "interrupted")
        assert reply.text == "".join(text for (text,) in shown).strip()


@dataclass
class Writing:
    """People who write, with pictures, and who withdraw pictures, until it is enough."""

    server: Server
    acknowledged: list[str] = field(default_factory=list)
    withdrawn: int = 0
    is_enough: threading.Event = field(default_factory=threading.Event)
    troubles: list[BaseException] = field(default_factory=list)

    def write(self, name: str) -> None:
        try:
            person, count = Person(self.server.url), 0
            person.log_in(name, PASSWORD)
            while not self.is_enough.is_set():
                count += 1
                text = f"{name} {count}"
                picture = ("a.png", photograph(40, 40, "PNG", seed=hash(text)), "image/png")
                sent = person.send(f"{text} [[tokens:3]]", model=FLASH, images=[picture])
                assert sent.reply_uuid
                self.acknowledged.append(text)
        except BaseException as trouble:
            self.troubles.append(trouble)

    def withdraw(self, name: str) -> None:
        """Pictures come and go: each is in a message that waits for a reply and is taken back."""
        try:
            person = Person(self.server.url)
            person.log_in(name, PASSWORD)
            first = person.send("[[hold]]", model=FLASH)
            while not self.is_enough.is_set():
                picture = ("b.png", photograph(40, 40, "PNG", seed=self.withdrawn + 10_000), "image/png")
                sent = person.send("and then?", first.conversation_uuid, model=FLASH, images=[picture])
                person.press(sent.page, "Withdraw")
                self.withdrawn += 1
        except BaseException as trouble:
            self.troubles.append(trouble)


@contextmanager
def writing(server: Server) -> Iterator[Writing]:
    people = Writing(server)
    jobs: list[tuple[Callable[[str], None], str]] = [(people.write, "alice"), (people.withdraw, "bob")]
    threads = [threading.Thread(target=work, args=(name,)) for work, name in jobs]
    for thread in threads:
        thread.start()
    try:
        yield people
    finally:
        people.is_enough.set()
        for thread in threads:
            thread.join(60)
    assert not people.troubles


def test_a_backup_taken_while_people_write_is_of_one_moment(server: Server, elsewhere: Server) -> None:
    archive = server.data / "saved.zip"
    with writing(server) as people:
        until(lambda: len(people.acknowledged) >= 3 and people.withdrawn >= 2, "some writing", 60)
        before = list(people.acknowledged)
        server.manage("backup", str(archive))
        until(lambda: len(people.acknowledged) > len(before), "writing that goes on", 60)
    elsewhere.manage("restore", str(archive))
    data = elsewhere.data
    assert backups.query(data, "PRAGMA integrity_check") == [("ok",)]
    assert backups.query(data, "PRAGMA foreign_key_check") == []
    texts = {text for (text,) in backups.query(data, "SELECT text FROM conversations_part")}
    assert {f"{text} [[tokens:3]]" for text in before} <= texts
    alone = "SELECT count(*) FROM conversations_message m WHERE role = 'user' AND status = 'complete' AND NOT EXISTS"
    assert backups.query(data, f"{alone} (SELECT 1 FROM conversations_message r WHERE r.parent_id = m.id)") == [(0,)]
    named = {sha256 for (sha256,) in backups.query(data, "SELECT sha256 FROM conversations_attachment")}
    kept = {path: digest for path, digest in backups.files(data).items() if "thumbnail" not in path}
    assert named == set(kept.values())
    assert all(hashlib.sha256((data / "images" / path).read_bytes()).hexdigest() in path for path in kept)


def test_restoring_over_something_needs_a_word_and_leaves_nothing_of_it(
    server: Server, alice: Person, elsewhere: Server
) -> None:
    archive = server.data / "saved.zip"
    server.manage("backup", str(archive))
    sent = alice.send("later", model=FLASH, images=[("a.jpg", photograph(300, 200), "image/jpeg")])
    alice.follow(sent.reply_uuid, reconnect=True)
    refused = server.manage("restore", str(archive), check=False)
    assert refused.returncode == 1
    assert "Another server is already using" in refused.stderr
    server.stop()
    before = backups.rows(server.data)
    refused = server.manage("restore", str(archive), check=False)
    assert refused.returncode == 1
    assert refused.stderr == (
        "CommandError: There is something stored already; with --replace it is replaced by the backup.\n"
    )
    assert backups.rows(server.data) == before
    server.manage("restore", str(archive), "--replace")
    assert backups.rows(server.data)["conversations_message"] == []
    assert backups.files(server.data) == {}


def test_a_restore_that_fails_in_the_middle_changes_no_row(tmp_path: Path) -> None:
    """The checksums are right, but a table lacks what another one refers to."""
    stored = Server(tmp_path)
    everything.store(stored, tmp_path)
    stored.manage("backup", str(tmp_path / "saved.zip"))
    before = backups.rows(tmp_path)

    def without_pictures(name: str, data: bytes) -> bytes:
        if name == "manifest.json":
            manifest = json.loads(data)
            manifest["rows"]["conversations.attachment"] = 0
            return json.dumps(manifest).encode()
        return data.splitlines(keepends=True)[0] if name == "rows/conversations.attachment.jsonl" else data

    archive = backups.signed(backups.rewritten(tmp_path / "saved.zip", tmp_path / "other.zip", without_pictures))
    refused = stored.manage("restore", str(archive), "--replace", check=False)
    assert refused.returncode == 1
    assert refused.stderr == "CommandError: The database refuses the backup: IntegrityError.\n"
    assert backups.rows(tmp_path) == before != {}


ADD_MEGABYTES = """
from django.utils import timezone
from conversations.models import Conversation, Message, Part, User
owner = User.objects.get(username="alice")
one = Conversation.objects.create(owner=owner, model="m", active_at=timezone.now())
for depth in range(64):
    message = Message.objects.create(conversation=one, depth=depth, role="user")
    Part.objects.create(message=message, position=0, kind="text", text=f"{depth:03}" * 300_000)
"""


def test_memory_does_not_grow_with_what_is_stored(server: Server, elsewhere: Server) -> None:
    server.stop()
    # Not the peak of getrusage: that begins with what the process that started this one has.
    peak = "import re; print(int(re.search(r'VmHWM:\\s+(\\d+)', open('/proc/self/status').read())[1]) // 1024)"
    run = "from django.core.management import call_command; "
    empty = int(server.manage("shell", "-v0", "-c", peak).stdout)
    server.manage("shell", "-v0", "-c", ADD_MEGABYTES)
    archive = server.data / "saved.zip"
    saving = server.manage("shell", "-v0", "-c", f"{run}call_command('backup', {str(archive)!r}); {peak}")
    loading = elsewhere.manage("shell", "-v0", "-c", f"{run}call_command('restore', {str(archive)!r}); {peak}")
    assert (server.data / "chatsite.sqlite3").stat().st_size > 57_000_000
    assert int(saving.stdout.split()[-1]) < empty + 45
    assert int(loading.stdout.split()[-1]) < empty + 45


def test_stored_keys_come_back_with_the_secret_and_not_without(
    server: Server, elsewhere: Server, simulator: Simulator
) -> None:
    set_up = f"""
from conversations.models import Connection, OfferedModel, User
from conversations.services import connections
house = Connection(slug="house", label="House", base_url="{simulator.base_url}", may_be_private=True)
connections.store(house, key="{simulator.key}")
OfferedModel.objects.create(connection=house, name="google/gemini-2.5-flash", default_max_tokens=100)
"""
    server.manage("shell", "-v0", "-c", set_up)
    archive = server.data / "saved.zip"
    server.manage("backup", str(archive))
    with zipfile.ZipFile(archive) as opened:
        content = b"".join(opened.read(name) for name in opened.namelist())
    assert b"house" in content
    assert simulator.key.encode() not in content
    elsewhere.manage("restore", str(archive))
    model = "house/google/gemini-2.5-flash"
    without = elsewhere.manage("check_providers", model, check=False)
    assert "No model is configured" in without.stderr
    assert "connection:" in elsewhere.manage("rotate_keys", check=False).stderr
    (elsewhere.data / "secret-key").write_text((server.data / "secret-key").read_text())
    assert f"{model}: ok" in elsewhere.manage("check_providers", model).stdout
