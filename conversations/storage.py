"""Where picture files lie. Nothing in here decides who may see them."""

import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path

from django.core.files.base import File
from django.core.files.storage import FileSystemStorage

PART = ".part-"
FORGOTTEN_AFTER = 24 * 3600  # seconds


class ImageStorage(FileSystemStorage):
    """Files on disk that appear whole or not at all: a name that exists always holds all of its bytes."""

    def _save(self, name: str, content: "File[bytes]") -> str:
        target = Path(self.path(name))
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor, part = tempfile.mkstemp(dir=target.parent, prefix=PART)
        try:
            with os.fdopen(descriptor, "wb") as file:
                for chunk in content.chunks():
                    file.write(chunk)
                file.flush()
                os.fsync(file.fileno())
            os.replace(part, target)
        except BaseException:
            Path(part).unlink(missing_ok=True)
            raise
        return name

    def remove_parts(self) -> None:
        """What a kill in the middle of an upload left behind."""
        for part in Path(self.location).glob(f"*/{PART}*"):
            if time.time() - part.stat().st_mtime > FORGOTTEN_AFTER:
                part.unlink(missing_ok=True)

    def listed(self, after: str, most: int) -> list[tuple[str, float]]:
        """The next files behind this name, in the order of their names, each with the time of its last change."""
        return list(islice(self._behind(after), most))

    def _behind(self, after: str) -> Iterator[tuple[str, float]]:
        for folder in sorted(Path(self.location).glob("*/")):
            if folder.name < after.partition("/")[0]:
                continue
            for file in sorted(folder.iterdir()):
                if (name := f"{folder.name}/{file.name}") > after:
                    with suppress(FileNotFoundError):  # removed since
                        yield name, file.stat().st_mtime

    def url(self, name: str | None) -> str:
        raise ValueError("Pictures have no address of their own; they are served by views/attachments.py.")
