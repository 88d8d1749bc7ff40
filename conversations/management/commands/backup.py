"""`manage.py backup FILE`: everything that is stored, in one file, while the server runs."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from conversations.backup import saving
from conversations.backup.archive import Manifest, Unusable


class Command(BaseCommand):
    help = "Save database and pictures to one file. The server may run meanwhile."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="a file that does not exist yet, such as backup.zip")

    def handle(self, *args: Any, **options: Any) -> None:
        path: Path = options["file"]
        try:
            manifest = saving.save(path)
        except Unusable as unusable:
            raise CommandError(str(unusable)) from unusable
        self.stdout.write(f"Saved {described(manifest)} to {path}.")
        if manifest.missing:
            self.stderr.write(self.style.WARNING(f"{len(manifest.missing)} files were lost before; see the manifest."))


def described(manifest: Manifest) -> str:
    rows = manifest.rows
    people, conversations = rows["conversations.user"], rows["conversations.conversation"]
    messages = rows["conversations.message"]
    return f"{people} people, {conversations} conversations, {messages} messages and {manifest.files} picture files"
