"""Files that are removed with their last row at the worst moment of a backup."""

import json
import threading
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import pytest
from django.core.files.base import File
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.utils import timezone
from pytest_django import Settings

from conversations.backup import archive, saving
from conversations.models import Attachment, User
from conversations.services import conversations, retention
from conversations.storage import ImageStorage
from tests.conftest import send
from tests.services.photographs import photograph

pytestmark = pytest.mark.django_db(transaction=True)


class Interrupting(ImageStorage):
    """A storage that somebody else uses just before a file of it is opened, in a transaction of their own."""

    meanwhile: ClassVar[dict[str, Callable[[], None]]] = {}

    def open(self, name: str, mode: str = "rb") -> "File[Any]":
        if name in self.meanwhile:
            thread = threading.Thread(target=self.meanwhile.pop(name))
            thread.start()
            thread.join()
        return super().open(name, mode)


@pytest.fixture
def interrupting(settings: Settings) -> type[Interrupting]:
    storages = dict(settings.STORAGES)
    storages["default"] = storages["default"] | {"BACKEND": f"{__name__}.Interrupting"}
    settings.STORAGES = storages
    return Interrupting


def picture_of(owner: User, name: str, width: int) -> Attachment:
    upload = SimpleUploadedFile(name, photograph(width, 100), "image/jpeg")
    part = send(owner, name, images=[upload]).message.parts.get(kind="image")
    assert part.attachment
    return part.attachment


def rows_of(path: Path, label: str) -> list[list[Any]]:
    with zipfile.ZipFile(path) as opened:
        return [json.loads(line) for line in opened.read(f"rows/{label}.jsonl").splitlines()][1:]


def remove(attachment: Attachment) -> None:
    """Delete the conversation of a picture for good."""
    conversation = attachment.parts.get().message.conversation
    conversations.delete(conversation)
    retention.purge_deleted(before=timezone.now())
    connection.close()


def test_a_picture_removed_while_files_are_copied_is_not_missed(
    alice: User, interrupting: type[Interrupting], tmp_path: Path
) -> None:
    kept, gone = picture_of(alice, "kept.jpg", 200), picture_of(alice, "gone.jpg", 300)
    interrupting.meanwhile[kept.path] = lambda: remove(gone)
    manifest = saving.save(tmp_path / "saved.zip")
    assert manifest.missing == []
    assert len(rows_of(tmp_path / "saved.zip", "conversations.attachment")) == 1
    with archive.reading(tmp_path / "saved.zip") as reader:
        assert sorted(reader.files) == sorted([kept.path, kept.thumbnail_path])


def test_a_picture_that_comes_and_goes_while_a_moment_is_held_is_there_whole_or_not_at_all(
    alice: User, interrupting: type[Interrupting], tmp_path: Path
) -> None:
    early = picture_of(alice, "early.jpg", 200)

    def add() -> None:
        late = picture_of(alice, "late.jpg", 300)
        interrupting.meanwhile[late.path] = lambda: remove(late)
        connection.close()

    interrupting.meanwhile[early.path] = add
    manifest = saving.save(tmp_path / "saved.zip")
    assert interrupting.meanwhile == {}
    assert manifest.missing == []
    assert len(rows_of(tmp_path / "saved.zip", "conversations.attachment")) == 1


def test_a_picture_that_comes_while_the_backup_is_taken_is_there_where_its_row_is(
    alice: User, interrupting: type[Interrupting], tmp_path: Path
) -> None:
    early = picture_of(alice, "early.jpg", 200)

    def add() -> None:
        picture_of(alice, "late.jpg", 300)
        connection.close()

    interrupting.meanwhile[early.path] = add
    saving.save(tmp_path / "saved.zip")
    assert len(rows_of(tmp_path / "saved.zip", "conversations.attachment")) == 2
    with archive.reading(tmp_path / "saved.zip") as reader:
        assert set(reader.files) == set(saving.named_files())


def test_a_file_that_was_lost_before_is_named_and_the_rest_is_saved(alice: User, tmp_path: Path) -> None:
    lost, kept = picture_of(alice, "lost.jpg", 200), picture_of(alice, "kept.jpg", 300)
    default_storage.delete(lost.path)
    manifest = saving.save(tmp_path / "saved.zip")
    assert manifest.missing == [lost.path]
    with archive.reading(tmp_path / "saved.zip") as reader:
        assert set(reader.files) == {lost.thumbnail_path, kept.path, kept.thumbnail_path}
