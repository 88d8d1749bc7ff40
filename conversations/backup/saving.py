"""Taking a backup while the server runs: the rows of one moment, and every file that they name.

Files are copied first. Then a moment is held, and what its rows name beside is copied. A file that is gone was removed
with its last row a moment earlier or later, so a newer moment is asked. The rows are written in the moment for which
nothing is missing. No writer waits for any of this, and none has to know of it.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from django.core.files.storage import default_storage
from django.db import connection
from django.utils import timezone

from conversations.backup import rows, schema
from conversations.backup.archive import CHUNK, Manifest, Unusable, Writer, new
from conversations.models import Attachment

MOMENTS = 12  # that are asked for a file before it counts as lost
PAUSE = 0.25  # seconds between two of them
BEGIN = {"sqlite": "BEGIN", "postgresql": "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"}


def save(path: Path) -> Manifest:
    """Write a backup to this file, which must not exist. Raises Unusable."""
    with new(path) as file, Writer(file) as writer:
        copies = Copies(writer)
        copies.complete(named_files())
        for moment in range(MOMENTS):
            time.sleep(PAUSE if moment else 0)
            with _one_moment():
                migrations = schema.applied()
                if not migrations:
                    raise Unusable("There is nothing to save: the database is empty.")
                named = set(named_files())
                copies.complete(named)
                if named <= copies.taken or moment == MOMENTS - 1:
                    manifest = _write_rows(writer, migrations, copies, named)
                    break
        writer.finish(manifest)
    return manifest


@dataclass(slots=True)
class Copies:
    """The files that are in the archive so far."""

    writer: Writer
    taken: set[str] = field(default_factory=set)

    def complete(self, names: "set[str] | Iterator[str]") -> None:
        """Copy those of the files that are there and not yet taken."""
        for name in names:
            if name in self.taken:
                continue
            try:
                source = default_storage.open(name)
            except FileNotFoundError:
                continue
            with source, self.writer.member(f"files/{name}", compressed=False) as write:
                for chunk in source.chunks(CHUNK):
                    write(chunk)
            self.taken.add(name)


def named_files() -> Iterator[str]:
    """The files that the rows name, each once or more."""
    if Attachment._meta.db_table not in connection.introspection.table_names():
        return
    columns = Attachment.objects.order_by("pk").values_list("sha256", "media_type", "thumbnail_type")
    for sha256, media_type, thumbnail_type in columns.iterator():
        attachment = Attachment(sha256=sha256, media_type=media_type, thumbnail_type=thumbnail_type)
        yield attachment.path
        yield attachment.thumbnail_path


def _write_rows(writer: Writer, migrations: schema.Migrations, copies: Copies, named: set[str]) -> Manifest:
    counts = {}
    for label, model in schema.tables(migrations).items():
        counts[label] = -1  # the line of column names
        with writer.member(f"rows/{label}.jsonl") as write:
            for line in rows.lines(model):
                write(line)
                counts[label] += 1
    return Manifest(
        made_at=timezone.now().isoformat(),
        migrations=migrations,
        rows=counts,
        files=len(named & copies.taken),
        surplus=sorted(copies.taken - named),
        missing=sorted(named - copies.taken),
    )


@contextmanager
def _one_moment() -> Iterator[None]:
    """A transaction that reads: whatever others write meanwhile, the rows stay those of its beginning."""
    with connection.cursor() as cursor:
        cursor.execute(BEGIN[connection.vendor])
        try:
            yield
        finally:
            cursor.execute("ROLLBACK")
