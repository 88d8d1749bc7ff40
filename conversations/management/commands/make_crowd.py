"""`manage.py make_crowd`: fill an installation for trying out with many conversations and messages."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from conversations.management.crowd import Crowd
from conversations.models import Conversation, User
from conversations.services import catalog

PEOPLE = 10


class Command(BaseCommand):
    help = "Fill an installation for trying out. Not for one that people use: what it makes is not marked as made."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--conversations", type=int, default=100_000)
        parser.add_argument("--messages", type=int, default=1_000_000, help="of all conversations together")
        parser.add_argument("--among-others", action="store_true", help="although there are conversations already")

    def handle(self, *args: Any, **options: Any) -> None:
        conversations, messages = options["conversations"], options["messages"]
        if conversations < 1 or messages < conversations:
            raise CommandError("Ask for one conversation at least, and as many messages as conversations.")
        if Conversation.objects.exists() and not options["among_others"]:
            raise CommandError("There are conversations already. Say --among-others where that is meant.")
        people = [User.objects.get_or_create(username=f"crowd-{number}")[0] for number in range(PEOPLE)]
        model = catalog.all_known()[0][0]
        crowd = Crowd([person.pk for person in people], conversations, messages // conversations, model)
        crowd.fill()
        made = crowd.conversations * crowd.each
        self.stdout.write(f"Made {conversations} conversations and {made} messages of {PEOPLE} people (crowd-0 …).")
