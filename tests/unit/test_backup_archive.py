"""Archives that are damaged, foreign or hostile are refused with one sentence, before anything of them is used."""

import json
import re
import zipfile
from pathlib import Path

import pytest

from conversations.backup import archive
from conversations.backup.archive import Manifest, Unusable, Writer
from tests import backups

PICTURE = f"files/ab/ab{'0' * 62}.png"
ROWS = "rows/conversations.user.jsonl"


@pytest.fixture
def whole(tmp_path: Path) -> Path:
    path = tmp_path / "whole.zip"
    with archive.new(path) as file, Writer(file) as writer:
        with writer.member(ROWS) as write:
            write(b'["id"]\n[1]\n')
        with writer.member(PICTURE, compressed=False) as write:
            write(b"picture")
        writer.finish(Manifest("2026-11-21T16:00:00+00:00", {"conversations": ["0001_initial"]}, {}, 1))
    return path


def refusal(path: Path) -> str:
    with pytest.raises(Unusable) as caught, archive.reading(path):
        pass
    return str(caught.value)


def with_member(path: Path, name: str | zipfile.ZipInfo, data: bytes = b"x") -> Path:
    with zipfile.ZipFile(path, "a") as opened:
        opened.writestr(name, data)
    return path


def test_what_was_written_is_read(whole: Path) -> None:
    with archive.reading(whole) as reader:
        assert reader.tables == ["conversations.user"]
        assert list(reader.lines("conversations.user")) == [b'["id"]\n', b"[1]\n"]
        assert reader.files == [PICTURE.removeprefix("files/")]
        assert reader.file(reader.files[0]).read() == b"picture"
        assert reader.manifest.migrations == {"conversations": ["0001_initial"]}


def test_an_archive_cut_anywhere_is_refused(whole: Path) -> None:
    data = whole.read_bytes()
    for size in range(0, len(data), 41):
        whole.write_bytes(data[:size])
        assert refusal(whole).endswith("is no backup of Chatsite, or its end is missing.")


def test_a_bit_that_fell_over_anywhere_in_a_member_is_found(whole: Path) -> None:
    data = whole.read_bytes()
    with zipfile.ZipFile(whole) as opened:
        start = data.index(b"picture", opened.getinfo(PICTURE).header_offset)
    for place in range(start, start + len(b"picture")):
        whole.write_bytes(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])
        assert re.search("is damaged: BadZipFile", refusal(whole))


def test_a_member_that_is_not_what_its_checksum_says_is_named(whole: Path, tmp_path: Path) -> None:
    changed = backups.rewritten(whole, tmp_path / "x.zip", lambda name, data: data + b"!" if name == PICTURE else data)
    assert refusal(changed) == f"The backup is damaged: {PICTURE} does not match its checksum."


def test_a_member_that_is_missing_is_missed(whole: Path, tmp_path: Path) -> None:
    changed = backups.rewritten(whole, tmp_path / "x.zip", lambda name, data: None if name == PICTURE else data)
    assert refusal(changed) == "The backup is damaged: its members are not those that were written."


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_member_that_is_there_twice_is_refused(whole: Path) -> None:
    assert refusal(with_member(whole, PICTURE)) == "The backup is damaged: its members are not those that were written."


@pytest.mark.parametrize(
    "name",
    ["../../etc/cron.d/evil", "/etc/passwd", "files/../secret-key", "files/ab/evil.py", "C:\\evil", "rows/../x.jsonl"],
)
def test_a_member_with_another_name_is_refused(whole: Path, name: str) -> None:
    foreign = backups.signed(with_member(whole, name))
    assert refusal(foreign) == "This is no backup of Chatsite: it holds a member that no backup has."


def test_a_link_is_refused(whole: Path, tmp_path: Path) -> None:
    link = zipfile.ZipInfo(PICTURE)
    link.external_attr = 0o120777 << 16
    others = backups.rewritten(whole, tmp_path / "x.zip", lambda name, data: None if name == PICTURE else data)
    assert refusal(with_member(others, link, b"/etc/passwd")) == (
        "This is no backup of Chatsite: it holds a member that no backup has."
    )


def test_other_files_are_refused(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("not an archive")
    assert refusal(tmp_path / "text").endswith("is no backup of Chatsite, or its end is missing.")
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as other:
        other.writestr("holiday.txt", "sun")
    assert refusal(tmp_path / "other.zip") == "This is no backup of Chatsite."
    assert refusal(tmp_path / "nothing").endswith("cannot be read: No such file or directory.")


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"format": "another"}, "This is no backup of Chatsite."),
        ({"version": 2}, "The backup was made by a newer version of Chatsite; restore it with that."),
        ({"beside": 1}, "The backup is damaged: its manifest cannot be read."),
    ],
)
def test_a_manifest_of_another_kind_is_refused(
    whole: Path, tmp_path: Path, change: dict[str, object], sentence: str
) -> None:
    def changed(name: str, data: bytes) -> bytes:
        return json.dumps(json.loads(data) | change).encode() if name == "manifest.json" else data

    assert refusal(backups.signed(backups.rewritten(whole, tmp_path / "x.zip", changed))) == sentence


def write_half(path: Path) -> None:
    with archive.new(path) as file:
        file.write(b"half")
        raise OSError(28, "No space left on device")


def test_a_backup_never_replaces_a_file_and_leaves_none_that_is_not_whole(tmp_path: Path) -> None:
    (tmp_path / "taken.zip").write_text("mine")
    with pytest.raises(Unusable, match="exists already"), archive.new(tmp_path / "taken.zip"):
        pass
    assert (tmp_path / "taken.zip").read_text() == "mine"
    with pytest.raises(Unusable, match="could not be written: No space left"):
        write_half(tmp_path / "new.zip")
    assert [path.name for path in tmp_path.iterdir()] == ["taken.zip"]
