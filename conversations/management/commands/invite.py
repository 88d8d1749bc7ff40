"""`manage.py invite`: a link that makes one account; `--list` and `--revoke` show and take back."""

import datetime as dt
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.core.validators import validate_email

from conversations.models import Invitation
from conversations.models.user import Role
from conversations.services import invitations


class Command(BaseCommand):
    help = "Print a link that makes one account, or list and revoke such links."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--role", choices=Role.values, default=Role.MEMBER)
        parser.add_argument("--group", action="append", default=[], help="a group that exists; may be repeated")
        parser.add_argument("--email", default="", help="the address of the account; it gets a letter")
        parser.add_argument("--days", type=int, default=invitations.VALID_FOR.days)
        parser.add_argument("--list", action="store_true", help="list all invitations instead")
        parser.add_argument("--revoke", type=int, metavar="NUMBER", help="revoke this one of the list instead")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["list"]:
            self._list()
        elif options["revoke"] is not None:
            self._revoke(options["revoke"])
        else:
            self._invite(options)

    def _invite(self, options: dict[str, Any]) -> None:
        if settings.CHATSITE_SIGNUP == "closed":
            raise CommandError("CHATSITE_SIGNUP=closed: invitations are not taken.")
        if not 1 <= options["days"] <= invitations.LONGEST.days:
            raise CommandError(f"--days must be between 1 and {invitations.LONGEST.days}.")
        groups = list(Group.objects.filter(name__in=options["group"]))
        if missing := set(options["group"]) - {group.name for group in groups}:
            raise CommandError(f"There is no group named {', '.join(sorted(missing))}.")
        try:
            if options["email"]:
                validate_email(options["email"])
        except ValidationError:
            raise CommandError("--email is not an address.") from None
        link = invitations.invite(
            None,
            role=Role(options["role"]),
            groups=groups,
            email=options["email"],
            valid_for=dt.timedelta(days=options["days"]),
        )
        self.stdout.write(link.address)

    def _list(self) -> None:
        for one in Invitation.objects.select_related("inviter", "person").order_by("pk"):
            words = [str(one.pk), str(one.state), one.role, one.email or "-", f"until {one.expires_at:%Y-%m-%d %H:%M}"]
            words += [f"by {one.inviter.get_username() if one.inviter else 'command'}"]
            words += [f"used by {one.person.get_username()}"] if one.person else []
            self.stdout.write("  ".join(words))

    def _revoke(self, number: int) -> None:
        found = Invitation.objects.filter(pk=number).first()
        if found is None or not invitations.revoke(found):
            raise CommandError(f"There is no open invitation {number}.")
        self.stdout.write(f"Invitation {number} is revoked.")
