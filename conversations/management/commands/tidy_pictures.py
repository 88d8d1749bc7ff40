"""`manage.py tidy_pictures`: remove picture files that no row names, now; with `--dry-run` only name them."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from conversations.services import strays


class Command(BaseCommand):
    help = "Remove files of pictures that nothing names any more. The server looks for some of them every hour."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="name what would be removed, and remove nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["dry_run"]:
            for name in strays.every():
                self.stdout.write(name)
            self.stdout.write("Nothing was removed.")
            return
        count, after = strays.sweep(pages=1)
        while after:
            more, after = strays.sweep(after, pages=1)
            count += more
        self.stdout.write(f"Files removed: {count}")
