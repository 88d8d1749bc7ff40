"""`manage.py rotate_keys`: seal all stored keys anew, with the first of CHATSITE_ENCRYPTION_KEYS."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from conversations.services import connections, factors


class Command(BaseCommand):
    help = "Seal all stored keys and second factors anew, with the first of CHATSITE_ENCRYPTION_KEYS."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        count, unreadable = connections.rotate()
        more, lost = factors.rotate()
        count, unreadable = count + more, unreadable + lost
        self.stdout.write(f"Sealed {count} secrets with the newest key.")
        if unreadable:
            raise CommandError(
                f"{len(unreadable)} cannot be read with any key and were left as they are; enter or set them up again: "
                + ", ".join(unreadable)
            )
