"""`manage.py check_rules`: let the rules of the queue look at what came since, now instead of within five minutes."""

from typing import Any

from django.core.management.base import BaseCommand

from conversations.models import Rule
from conversations.services import rules


class Command(BaseCommand):
    help = "Let the rules of the queue look at what came since they last did. The server does so every five minutes."

    def handle(self, *args: Any, **options: Any) -> None:
        for rule in Rule.objects.filter(enabled=True):
            flags, before = 0, -1
            while rule.checked_up_to != before:
                before = rule.checked_up_to
                flags += rules.check(rule)
                rule.refresh_from_db()
            self.stdout.write(f"{rule.name}: {flags} flags")
