"""`manage.py person …`: everything that administrators do with people, without a browser."""

from argparse import ArgumentParser
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from conversations.models import User
from conversations.models.user import Role
from conversations.services import factors, people, roles, takeout
from conversations.services.errors import NotNow

ACTS: dict[str, tuple[Callable[[User], Any], str, str]] = {
    "approve": (people.approve, "let somebody in who waits", "may log in now"),
    "refuse": (people.refuse, "forget somebody who waits", "is forgotten"),
    "deactivate": (people.deactivate, "end sessions, streams and replies, and let nobody in", "is deactivated"),
    "reset-factors": (factors.remove_all, "forget all second factors of somebody who lost them", "logs in by password"),
    "activate": (people.activate, "let somebody in again", "may log in"),
}


class Command(BaseCommand):
    help = "List people; approve, refuse, deactivate, activate, export, delete somebody; set a role."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        acts = parser.add_subparsers(dest="act", required=True)
        acts.add_parser("list", help="names, roles and states").add_argument("--waiting", action="store_true")
        for name, (_act, explained, _said) in ACTS.items():
            acts.add_parser(name, help=explained).add_argument("name")
        role = acts.add_parser("role", help="make somebody a member, reviewer or administrator")
        role.add_argument("name")
        role.add_argument("role", choices=Role.values)
        export = acts.add_parser("export", help="save everything of somebody, for them, to a new file")
        export.add_argument("name")
        export.add_argument("file", type=Path)
        delete = acts.add_parser("delete", help="delete somebody with everything of theirs, after an export")
        delete.add_argument("name")
        delete.add_argument("--export", type=Path, metavar="FILE", help="make the export now")
        delete.add_argument("--without-export", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["act"] == "list":
            self._list(only_waiting=options["waiting"])
            return
        person = User.objects.filter(username=options["name"]).first()
        if person is None:
            raise CommandError(f"There is nobody named {options['name']}.")
        try:
            self._act(person, options)
        except NotNow as refusal:
            raise CommandError(str(refusal.sentence)) from refusal

    def _act(self, person: User, options: dict[str, Any]) -> None:
        match options["act"]:
            case "role":
                roles.give(person, Role(options["role"]))
                self.stdout.write(f"{person.get_username()} is {person.role} now.")
            case "export":
                self._export(person, options["file"])
            case "delete":
                self._delete(person, options)
            case name:
                act, _explained, said = ACTS[name]
                act(person)
                self.stdout.write(f"{person.get_username()} {said}.")

    def _export(self, person: User, path: Path) -> None:
        try:
            takeout.write(person, path)
        except OSError as exc:
            raise CommandError(f"{path} cannot be written: {exc.strerror}.") from exc
        self.stdout.write(f"Everything of {person.get_username()} is in {path}.")

    def _delete(self, person: User, options: dict[str, Any]) -> None:
        if options["export"]:
            self._export(person, options["export"])
        elif not options["without_export"] and not takeout.is_taken(person):
            raise CommandError("There is no export newer than what they wrote last: --export FILE or --without-export.")
        name = person.get_username()
        people.delete(person)
        self.stdout.write(f"{name} is deleted with everything of theirs.")

    def _list(self, *, only_waiting: bool) -> None:
        found = User.objects.order_by("username")
        for person in found.exclude(waiting_since=None) if only_waiting else found:
            state = "waiting" if person.waiting_since else "active" if person.is_active else "deactivated"
            self.stdout.write(f"{person.get_username()}  {person.role}  {state}  {person.email or '-'}")
