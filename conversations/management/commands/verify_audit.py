"""`manage.py verify_audit`: whether the records of looks are whole, and the head to note."""

from argparse import ArgumentParser, ArgumentTypeError
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from conversations.services import chain
from conversations.services.chain import Head


def head(text: str) -> Head:
    try:
        return Head.read(text)
    except ValueError as exc:
        raise ArgumentTypeError("give it as it was printed: NUMBER:DIGEST") from exc


class Command(BaseCommand):
    help = (
        "Check that no record of a look was changed, removed or put in between, and print the head of the chain."
        " Note it outside this machine: only against a noted head does a new chain, or a missing end, show."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--noted", type=head, metavar="NUMBER:DIGEST", help="a head printed earlier")

    def handle(self, *args: Any, **options: Any) -> None:
        report = chain.verify(options["noted"])
        for doubt in report.doubts:
            self.stderr.write(self.style.WARNING(doubt))
        if report.faults:
            raise CommandError("The records are not whole:\n" + "\n".join(report.faults))
        self.stdout.write(f"{report.head.number} records, each continues the one before. Head: {report.head}")
