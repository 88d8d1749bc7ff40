"""What two installations hold, to be compared: every row of every table, every picture file by its digest."""

import hashlib
import shutil
import sqlite3
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

NOT_KEPT = {
    "django_session",
    "usersessions_usersession",
    "conversations_setuplink",
    "django_migrations",
    "sqlite_sequence",
}

Rows = dict[str, list[tuple[Any, ...]]]


def rows(data: Path) -> Rows:
    """All rows by table, columns in the order of their names, as the database file has them."""
    connection = sqlite3.connect(data / "chatsite.sqlite3")
    try:
        names = [name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
        return {name: _rows(connection, name) for name in names if name not in NOT_KEPT}
    finally:
        connection.close()


def _rows(connection: sqlite3.Connection, table: str) -> list[tuple[Any, ...]]:
    columns = sorted(f'"{name}"' for _, name, *_ in connection.execute(f"PRAGMA table_info({table})"))
    return connection.execute(f"SELECT {', '.join(columns)} FROM {table} ORDER BY id").fetchall()


def files(data: Path) -> dict[str, str]:
    """The digest of every picture file, by its path."""
    folder = data / "images"
    found = [path for path in folder.rglob("*") if path.is_file()]
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in found}


def query(data: Path, sql: str) -> list[tuple[Any, ...]]:
    connection = sqlite3.connect(data / "chatsite.sqlite3")
    try:
        return connection.execute(sql).fetchall()
    finally:
        connection.close()


def rewritten(archive: Path, target: Path, change: Callable[[str, bytes], bytes | None]) -> Path:
    """A copy of the archive in which `change` has had every member in its hands; None leaves it out."""
    with zipfile.ZipFile(archive) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            if (data := change(name, old.read(name))) is not None:
                new.writestr(name, data)
    return target


def copied(archive: Path, target: Path) -> Path:
    shutil.copyfile(archive, target)
    return target


def signed(archive: Path) -> Path:
    """The archive with checksums that are right for what is in it."""
    target = archive.with_suffix(".signed.zip")
    with zipfile.ZipFile(archive) as old, zipfile.ZipFile(target, "w") as new:
        names = [name for name in old.namelist() if name != "SHA256SUMS"]
        for name in names:
            new.writestr(name, old.read(name))
        sums = [f"{hashlib.sha256(old.read(name)).hexdigest()}  {name}\n" for name in names]
        new.writestr("SHA256SUMS", "".join(sums))
    return target
