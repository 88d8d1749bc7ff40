"""`manage.py restore FILE`: a backup into an empty place, on whatever database this installation uses."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from chatsite import database
from conversations.backup import restoring
from conversations.backup.archive import Unusable
from conversations.management.commands.backup import described


class Command(BaseCommand):
    help = "Bring a backup into this installation, while no server uses it."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="a file that the command backup made")
        parser.add_argument("--replace", action="store_true", help="forget what is stored now")
        parser.add_argument("--check", action="store_true", help="only compare the file with its checksums")

    def handle(self, *args: Any, **options: Any) -> None:
        path: Path = options["file"]
        try:
            if options["check"]:
                self.stdout.write(f"{path} is whole: {described(restoring.check(path))}.")
                return
            if not database.take_alone():
                raise CommandError(database.NOT_ALONE)
            manifest = restoring.restore(path, replace=options["replace"])
        except Unusable as unusable:
            raise CommandError(str(unusable)) from unusable
        self.stdout.write(f"Restored {described(manifest)}. Everybody logs in again.")
