"""A backup brought back into the same installation: what is there afterwards, and what is where it cannot be used."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.files.storage import default_storage
from django.db import IntegrityError
from pytest_django import Settings

from conversations.backup import restoring, saving
from conversations.backup.archive import Unusable
from conversations.models import Attachment, Conversation, Message, Part, User
from conversations.services import attachments
from conversations.storage import ImageStorage
from tests import backups
from tests.conftest import send
from tests.services.test_backup import picture_of

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def saved(alice: User, tmp_path: Path) -> Path:
    picture_of(alice, "boat.jpg", 200)
    saving.save(tmp_path / "saved.zip")
    return tmp_path / "saved.zip"


def files() -> list[str]:
    return [name for name, _changed in default_storage.listed("", 1000)]  # type: ignore[attr-defined]


def changed(archive: Path, change: Callable[[str, bytes], bytes | None]) -> Path:
    """A copy with checksums that fit."""
    return backups.signed(backups.rewritten(archive, archive.with_name("changed.zip"), change))


def refusal(archive: Path) -> str:
    with pytest.raises(Unusable) as caught:
        restoring.restore(archive, replace=True)
    return str(caught.value)


def test_what_was_saved_takes_the_place_of_what_is_there(saved: Path, alice: User, bob: User) -> None:
    kept = Attachment.objects.get()
    before = {name: default_storage.path(name) for name in files()}
    changed_at = Path(before[kept.path]).stat().st_mtime_ns
    Path(before[kept.thumbnail_path]).write_bytes(b"damaged")
    picture_of(bob, "late.jpg", 300)
    Part.objects.filter(text="boat.jpg").update(text="other words")
    assert len(files()) == 4

    manifest = restoring.restore(saved, replace=True)

    assert (manifest.files, manifest.missing) == (2, [])
    assert list(User.objects.values_list("username", flat=True)) == ["alice"]
    assert [part.text for part in Message.objects.get(role="user").parts.exclude(text="")] == ["boat.jpg"]
    assert files() == sorted(before)
    assert Path(before[kept.path]).stat().st_mtime_ns == changed_at  # the same was there
    assert Path(before[kept.thumbnail_path]).read_bytes() != b"damaged"
    assert Attachment.objects.get().read()
    with pytest.raises(IntegrityError):  # references are watched again
        Message.objects.update(conversation_id=10**6)
    newest = Message.objects.latest("pk").pk
    assert send(User.objects.get(), "and on").message.pk > newest
    assert list(attachments.find(User.objects.get(), [str(kept.uuid)])) == [str(kept.uuid)]


def test_it_is_not_restored_over_something_without_a_word(saved: Path, bob: User) -> None:
    send(bob, "late")
    default_storage.delete(files()[0])
    there = files()
    with pytest.raises(Unusable, match=r"^There is something stored already; with --replace it is replaced by"):
        restoring.restore(saved)
    assert Conversation.objects.filter(owner=bob).exists()
    assert files() == there


def test_it_can_be_compared_with_its_checksums_alone(saved: Path, bob: User) -> None:
    assert restoring.check(saved).rows["conversations.user"] == 1
    assert User.objects.count() == 2


def test_one_of_a_newer_version_is_refused(saved: Path) -> None:
    def newer(name: str, data: bytes) -> bytes:
        manifest = json.loads(data) if name == "manifest.json" else {}
        return json.dumps(manifest | {"migrations": {"conversations": ["9999_later"]}}).encode() if manifest else data

    archive = changed(saved, newer)
    sentence = "The backup was made by a newer version of Chatsite; restore it with that."
    assert refusal(archive) == sentence
    with pytest.raises(Unusable, match="newer version"):
        restoring.check(archive)
    assert User.objects.exists()


class Full(ImageStorage):
    def _save(self, name: str, content: object) -> str:
        raise OSError(28, "No space left on device")


def test_pictures_that_cannot_be_written_leave_every_row(saved: Path, settings: Settings) -> None:
    default_storage.delete(files()[0])
    default = settings.STORAGES["default"] | {"BACKEND": f"{__name__}.Full"}
    settings.STORAGES = settings.STORAGES | {"default": default}
    assert refusal(saved) == "The pictures could not be written: No space left on device."
    assert User.objects.exists()


def with_a_row_less(saved: Path, *, counted: int) -> Path:
    """The picture is left out; the manifest says how many there are."""

    def change(name: str, data: bytes) -> bytes:
        if name == "manifest.json":
            manifest = json.loads(data)
            manifest["rows"]["conversations.attachment"] = counted
            return json.dumps(manifest).encode()
        return data.splitlines(keepends=True)[0] if name == "rows/conversations.attachment.jsonl" else data

    return changed(saved, change)


def without_a_table(saved: Path) -> Path:
    return changed(saved, lambda name, data: None if name == "rows/conversations.rule.jsonl" else data)


UNFIT: dict[str, Callable[[Path], Path]] = {
    "The backup is damaged: its tables are not those of its version.": without_a_table,
    "The backup is damaged: conversations.attachment has 0 rows.": lambda saved: with_a_row_less(saved, counted=1),
    "The database refuses the backup: IntegrityError.": lambda saved: with_a_row_less(saved, counted=0),
}


@pytest.mark.parametrize("sentence", UNFIT)
def test_one_whose_rows_do_not_fit_together_changes_nothing(saved: Path, bob: User, sentence: str) -> None:
    late = picture_of(bob, "late.jpg", 300)
    there = files()
    assert refusal(UNFIT[sentence](saved)) == sentence
    assert sorted(User.objects.values_list("username", flat=True)) == ["alice", "bob"]
    assert files() == there
    assert late.read()
