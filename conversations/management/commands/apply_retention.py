"""`manage.py apply_retention`: remove what is past its time, now; with `--dry-run` only say what would go."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.db.models import Min

from chatsite import database
from conversations.services import retention


class Command(BaseCommand):
    help = "Remove conversations past the time for which they are kept. The server does so every five minutes."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="say what would be removed, and remove nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        for due in retention.due():
            people = due.conversations.order_by().values("owner").distinct().count()
            oldest = due.conversations.aggregate(oldest=Min("active_at"))["oldest"]
            since = f", the oldest of {oldest:%Y-%m-%d}" if oldest else ""
            self.stdout.write(
                f"{due.rule}, after {due.rule.days} days: {due.conversations.count()} conversations of {people} people"
                f"{since}; {due.held} are held"
            )
        if options["dry_run"]:
            self.stdout.write("Nothing was removed.")
            return
        count = 0
        while gone := retention.apply():
            count += gone
        database.forget_removed()
        self.stdout.write(f"{count} conversations were removed.")
