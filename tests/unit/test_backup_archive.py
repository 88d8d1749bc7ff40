"""Archives that are damaged, foreign or hostile are refused with one sentence, before anything of them is used."""

import hashlib
import json
import re
import zipfile
from datetime import datetime, timedelta
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


def with_sums(whole: Path, target: Path, sums: bytes) -> Path:
    return backups.rewritten(whole, target, lambda name, data: sums if name == "SHA256SUMS" else data)


@pytest.mark.parametrize("sums", [b"nonsense\n", b"\xff\xfe", b"0" * 63 + b"  manifest.json\n"])
def test_checksums_that_cannot_be_read_are_said(whole: Path, tmp_path: Path, sums: bytes) -> None:
    assert refusal(with_sums(whole, tmp_path / "x.zip", sums)) == (
        "The backup is damaged: its checksums cannot be read."
    )


@pytest.mark.parametrize("name", ["SHA256SUMS", "manifest.json"])
def test_one_without_checksums_or_without_manifest_is_no_backup(whole: Path, tmp_path: Path, name: str) -> None:
    without = backups.rewritten(whole, tmp_path / "x.zip", lambda found, data: None if found == name else data)
    assert refusal(without) == "This is no backup of Chatsite."


@pytest.mark.parametrize("manifest", [b"[]", b"7", b"{", b'{"format": "chatsite-backup"}', b"\xff"])
def test_a_manifest_that_cannot_be_read_is_said(whole: Path, tmp_path: Path, manifest: bytes) -> None:
    changed = backups.rewritten(whole, tmp_path / "x.zip", lambda n, data: manifest if n == "manifest.json" else data)
    assert refusal(backups.signed(changed)) == "The backup is damaged: its manifest cannot be read."


@pytest.mark.parametrize(
    ("place", "value", "kind"),
    [(8, 99, "NotImplementedError"), (6, 1, "RuntimeError")],  # of an unknown compression; encrypted
)
def test_a_member_that_nobody_can_unpack_is_damaged(whole: Path, place: int, value: int, kind: str) -> None:
    """Both headers say it: the one before the member and the one in the directory at the end."""
    data = bytearray(whole.read_bytes())
    with zipfile.ZipFile(whole) as opened:
        data[opened.getinfo(PICTURE).header_offset + place] = value
    directory = data.index(b"PK\x01\x02", data.rindex(PICTURE.encode()) - 46)
    data[directory + place + 2] = value
    whole.write_bytes(data)
    assert refusal(whole).endswith(f"is damaged: {kind}.")


def test_a_damaged_compressed_member_is_damaged(whole: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(whole) as opened:
        start = opened.getinfo(ROWS).header_offset + 30 + len(ROWS) + 20  # its header, with sizes of 64 bits
    data = bytearray(whole.read_bytes())
    data[start] = 0xFF
    whole.write_bytes(data)
    assert refusal(whole).endswith("is damaged: error.")


def test_files_that_no_row_names_are_passed_over(tmp_path: Path) -> None:
    other = f"ab/ab{'1' * 62}.thumbnail.webp"
    with archive.new(tmp_path / "x.zip") as file, Writer(file) as writer:
        for name in (PICTURE, f"files/{other}"):
            with writer.member(name) as write:
                write(b"picture")
        writer.finish(Manifest("now", {}, {}, 1, surplus=[other]))
    with archive.reading(tmp_path / "x.zip") as reader:
        assert reader.files == [PICTURE.removeprefix("files/")]
        assert reader.manifest == Manifest("now", {}, {}, 1, surplus=[other], missing=[])


def test_rows_are_compressed_and_pictures_are_not_and_all_are_their_owners_alone(whole: Path) -> None:
    with zipfile.ZipFile(whole) as opened:
        found = {entry.filename: entry for entry in opened.infolist()}
    deflated = {name for name, entry in found.items() if entry.compress_type == zipfile.ZIP_DEFLATED}
    assert (deflated, set(found) - deflated) == ({ROWS, "manifest.json", "SHA256SUMS"}, {PICTURE})
    assert {entry.external_attr >> 16 for entry in found.values()} == {0o600}
    assert whole.stat().st_mode & 0o777 == 0o600
    today = datetime.now().astimezone()
    assert all(abs(datetime(*entry.date_time).astimezone() - today) < timedelta(days=2) for entry in found.values())


def test_other_programs_can_compare_it_with_its_checksums(whole: Path) -> None:
    with zipfile.ZipFile(whole) as opened:
        lines = opened.read("SHA256SUMS").decode().splitlines()
        sums = {name: hashlib.sha256(opened.read(name)).hexdigest() for name in opened.namelist()}
    assert sorted(lines) == sorted(f"{digest}  {name}" for name, digest in sums.items() if name != "SHA256SUMS")


def test_a_long_line_and_a_large_picture_are_read_whole(tmp_path: Path) -> None:
    line, picture = b'["' + b"x" * (3 << 20) + b'"]\n', bytes(range(256)) * (10 << 10)
    with archive.new(tmp_path / "x.zip") as file, Writer(file) as writer:
        with writer.member(ROWS) as write:
            write(line)
            write(line)
        with writer.member(PICTURE, compressed=False) as write:
            write(picture)
        writer.finish(Manifest("now", {}, {}, 1))
    with archive.reading(tmp_path / "x.zip") as reader:
        assert list(reader.lines("conversations.user")) == [line, line]
        assert reader.file(reader.files[0]).read() == picture


def test_what_another_backup_is_writing_is_left_to_it(tmp_path: Path) -> None:
    (tmp_path / "x.zip.part").write_text("theirs")
    with pytest.raises(Unusable, match=r"x\.zip\.part exists already"), archive.new(tmp_path / "x.zip"):
        pass
    assert [path.read_text() for path in tmp_path.iterdir()] == ["theirs"]


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
