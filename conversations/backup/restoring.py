"""Bringing a backup into an empty place: checked whole, then files, then all rows in one transaction, or nothing."""

import hashlib
from pathlib import Path
from typing import IO

from django.core.files.base import File
from django.core.files.storage import default_storage
from django.db import DatabaseError, connection, transaction

from conversations.backup import rows, schema
from conversations.backup.archive import CHUNK, Manifest, Reader, Unusable, reading
from conversations.backup.saving import named_files


def restore(path: Path, *, replace: bool = False) -> Manifest:
    """Restore and bring up to date. Raises Unusable, and has then changed no row.

    `replace`: whether what is stored now may be forgotten.
    """
    with reading(path) as archive:
        schema.check_known(archive.manifest.migrations)
        if schema.is_in_use() and not replace:
            raise Unusable("There is something stored already; with --replace it is replaced by the backup.")
        before = set(named_files())
        try:
            for name in archive.files:
                _bring(archive, name)
        except OSError as exc:
            raise Unusable(f"The pictures could not be written: {exc.strerror or exc.__class__.__name__}.") from exc
        _load(archive)
        for name in before - set(archive.files):
            default_storage.delete(name)
        return archive.manifest


def check(path: Path) -> Manifest:
    """Compare an archive with its checksums. Raises Unusable."""
    with reading(path) as archive:
        schema.check_known(archive.manifest.migrations)
        return archive.manifest


def _bring(archive: Reader, name: str) -> None:
    """Put a file in its place, unless the same is there."""
    if default_storage.exists(name):
        with archive.file(name) as ours, default_storage.open(name) as theirs:
            if _digest(ours) == _digest(theirs):
                return
        default_storage.delete(name)
    with archive.file(name) as source:
        default_storage.save(name, File(source))


def _digest(file: "IO[bytes] | File[bytes]") -> str:
    digest = hashlib.sha256()
    while chunk := file.read(CHUNK):
        digest.update(chunk)
    return digest.hexdigest()


def _load(archive: Reader) -> None:
    # SQLite changes tables only while it does not watch references, which can be said outside of a transaction alone.
    connection.disable_constraint_checking()
    try:
        with transaction.atomic():
            tables = schema.build(archive.manifest.migrations)
            if set(tables) != set(archive.tables):
                raise Unusable("The backup is damaged: its tables are not those of its version.")
            for label, model in tables.items():
                count = rows.load(model, archive.lines(label))
                if count != archive.manifest.rows.get(label):
                    raise Unusable(f"The backup is damaged: {label} has {count} rows.")
            rows.reset_sequences(tables.values())
            connection.check_constraints()
            schema.bring_up_to_date()
    except DatabaseError as exc:
        raise Unusable(f"The database refuses the backup: {exc.__class__.__name__}.") from exc
    finally:
        connection.close()
