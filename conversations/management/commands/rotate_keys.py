"""`manage.py rotate_keys`: seal all stored keys anew, with the first of CHATSITE_ENCRYPTION_KEYS."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from conversations.services import connections


class Command(BaseCommand):
    help = "Seal the keys of connections and of people anew, with the first of CHATSITE_ENCRYPTION_KEYS."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        count, unreadable = connections.rotate()
        self.stdout.write(f"Sealed {count} secrets with the newest key.")
        if unreadable:
            raise CommandError(
                f"{len(unreadable)} cannot be read with any key and were left as they are; enter them again: "
                + ", ".join(unreadable)
            )
