"""The archive as a file: written whole or not at all, checked whole before anything of it is used.

Nothing is ever unpacked by the names in it: members are read one by one, and other names than ours are refused.
"""

import hashlib
import json
import os
import re
import time
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from stat import S_ISLNK
from typing import IO, Self

FORMAT, VERSION = "chatsite-backup", 1
MANIFEST, SUMS = "manifest.json", "SHA256SUMS"
ROWS = re.compile(r"rows/([a-z_]+\.[a-z_]+)\.jsonl")
FILE = re.compile(r"files/([0-9a-f]{2}/[0-9a-f]{64}(?:\.thumbnail)?\.[a-z]{3,4})")
SUM = re.compile(r"([0-9a-f]{64})  (\S+)\n?")
CHUNK = 1 << 20  # bytes
LONGEST_LINE = 1 << 28  # bytes of one row
LARGEST_MANIFEST = 1 << 26  # bytes

Write = Callable[[bytes], object]


class Unusable(Exception):
    """What was asked cannot be done; the text is a sentence for the administrator."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What is in an archive: rows by table, and the migrations that its tables had, by application.

    `surplus` are files in it that no row refers to, `missing` such that rows refer to and nobody has.
    """

    made_at: str
    migrations: dict[str, list[str]]
    rows: dict[str, int]
    files: int
    surplus: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)


class Writer:
    """Takes one member after the other and notes their checksums. Use it in a `with`, which ends the file."""

    def __init__(self, file: IO[bytes]) -> None:
        self._zip = zipfile.ZipFile(file, "w")
        self._sums: list[str] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self._zip.close()

    @contextmanager
    def member(self, name: str, *, compressed: bool = True) -> Iterator[Write]:
        digest = hashlib.sha256()
        with self._zip.open(_entry(name, compressed), "w", force_zip64=True) as member:

            def write(data: bytes) -> None:
                digest.update(data)
                member.write(data)

            yield write
        self._sums.append(f"{digest.hexdigest()}  {name}\n")

    def finish(self, manifest: Manifest) -> None:
        described = {"format": FORMAT, "version": VERSION} | asdict(manifest)
        with self.member(MANIFEST) as write:
            write(json.dumps(described, indent=1).encode())
        self._zip.writestr(_entry(SUMS, True), "".join(self._sums))


def _entry(name: str, compressed: bool) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, time.localtime()[:6])
    entry.compress_type = zipfile.ZIP_DEFLATED if compressed else zipfile.ZIP_STORED
    entry.external_attr = 0o600 << 16
    return entry


@contextmanager
def new(path: Path) -> Iterator[IO[bytes]]:
    """A file that gets this name when everything went well; only its owner may read it. Never replaces another."""
    part = path.with_name(f"{path.name}.part")
    try:
        if path.exists():
            raise FileExistsError(None, None, path)
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            try:
                yield file
                file.flush()
                os.fsync(file.fileno())
                part.rename(path)
            finally:
                part.unlink(missing_ok=True)
    except FileExistsError as exc:
        raise Unusable(f"{exc.filename} exists already; remove it or choose another name.") from exc
    except OSError as exc:
        raise Unusable(f"{path} could not be written: {exc.strerror or exc.__class__.__name__}.") from exc


class Reader:
    """An archive whose every byte was compared with its checksum."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._zip = archive
        self.manifest = _manifest(archive)
        names = archive.namelist()
        self.tables = [found[1] for name in names if (found := ROWS.fullmatch(name))]
        surplus = set(self.manifest.surplus)
        files = [found[1] for name in names if (found := FILE.fullmatch(name))]
        self.files = [path for path in files if path not in surplus]

    def lines(self, table: str) -> Iterator[bytes]:
        with self._zip.open(f"rows/{table}.jsonl") as member:
            while line := member.readline(LONGEST_LINE):
                yield line

    def file(self, path: str) -> IO[bytes]:
        return self._zip.open(f"files/{path}")


@contextmanager
def reading(path: Path) -> Iterator[Reader]:
    """Open and check. Raises Unusable where it is no archive of ours, or not whole."""
    try:
        opened = zipfile.ZipFile(path)
    except OSError as exc:
        raise Unusable(f"{path} cannot be read: {exc.strerror or exc.__class__.__name__}.") from exc
    except zipfile.BadZipFile as exc:
        raise Unusable(f"{path} is no backup of Chatsite, or its end is missing.") from exc
    with opened:
        try:
            _check(opened)
            reader = Reader(opened)
        except (OSError, zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as exc:
            raise Unusable(f"{path} is damaged: {exc.__class__.__name__}.") from exc
        yield reader


def _check(archive: zipfile.ZipFile) -> None:
    """Compare every member with its checksum; nothing else may be in there, and nothing twice."""
    entries = archive.infolist()
    names = [entry.filename for entry in entries]
    if SUMS not in names or MANIFEST not in names:
        raise Unusable("This is no backup of Chatsite.")
    for entry in entries:
        is_ours = entry.filename in (SUMS, MANIFEST) or ROWS.fullmatch(entry.filename) or FILE.fullmatch(entry.filename)
        if not is_ours or S_ISLNK(entry.external_attr >> 16):
            raise Unusable("This is no backup of Chatsite: it holds a member that no backup has.")
    sums = _sums(archive)
    if len(set(names)) != len(names) or set(names) != {*sums, SUMS}:
        raise Unusable("The backup is damaged: its members are not those that were written.")
    for name, expected in sums.items():
        if _digest(archive, name) != expected:
            raise Unusable(f"The backup is damaged: {name} does not match its checksum.")


def _sums(archive: zipfile.ZipFile) -> dict[str, str]:
    sums = {}
    with archive.open(SUMS) as lines:
        for line in lines:
            found = SUM.fullmatch(line.decode("ascii", "replace"))
            if not found:
                raise Unusable("The backup is damaged: its checksums cannot be read.")
            sums[found[2]] = found[1]
    return sums


def _digest(archive: zipfile.ZipFile, name: str) -> str:
    digest = hashlib.sha256()
    with archive.open(name) as member:
        while chunk := member.read(CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def _manifest(archive: zipfile.ZipFile) -> Manifest:
    try:
        with archive.open(MANIFEST) as member:
            described = json.loads(member.read(LARGEST_MANIFEST))
        if described.pop("format") != FORMAT:
            raise Unusable("This is no backup of Chatsite.")
        if described.pop("version") != VERSION:
            raise Unusable("The backup was made by a newer version of Chatsite; restore it with that.")
        return Manifest(**described)
    except (ValueError, TypeError, KeyError, AttributeError) as exc:
        raise Unusable("The backup is damaged: its manifest cannot be read.") from exc
