"""Every kind of page with 100,000 conversations and 1,000,000 messages stored: the server's time and its queries.

`measure` runs inside the application, on whatever database that is configured for.
"""

import json
import statistics
import time

from django.contrib.auth.models import AbstractUser
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from conversations.management.crowd import Crowd
from conversations.models import Conversation, Message, User
from conversations.queries import Key
from tests.bench.report import Page
from tests.lengthy import MODEL

CONVERSATIONS, EACH = 100_000, 10  # and messages in each
SHARE = 10  # every so many-th conversation is the first person's
RUNS = 7


def measure() -> list[Page]:
    """Fill the database of an installation that has one person at least, then open every page some times."""
    person = User.objects.order_by("pk").first()
    assert person is not None
    User.objects.filter(pk=person.pk).update(is_staff=True, is_superuser=True)
    fill(person)
    client = Client(SERVER_NAME="localhost")
    client.force_login(person, backend="django.contrib.auth.backends.ModelBackend")
    _say_why(client, person)
    return [_measured(client, name, address) for name, address in addresses(person).items()]


def fill(person: AbstractUser) -> None:
    others = User.objects.exclude(pk=person.pk).order_by("pk")[:1]
    owners = [person.pk, *[other.pk for other in others] * (SHARE - 1)]
    Crowd(owners, CONVERSATIONS, EACH, MODEL).fill()


def addresses(person: AbstractUser) -> dict[str, str]:
    mine = Conversation.objects.filter(owner_id=person.pk).order_by("-active_at", "-id")
    newest, middle = mine[0], mine[mine.count() // 2]
    message = Message.objects.filter(conversation=middle).order_by("depth")[EACH // 2]
    return {
        "new conversation": "/",
        "conversation": f"/c/{newest.uuid}/",
        "conversation, at a message": f"/c/{middle.uuid}/?message={message.uuid}",
        "edit a message": f"/messages/{Message.objects.filter(conversation=middle, depth=0)[0].uuid}/edit/",
        "list, further down": f"/c/?before={_key(middle)}",
        "list, news of it": f"/c/recent/?down_to={_key(mine[49])}",
        "all conversations": "/c/",
        "archive": "/c/?archived=1",
        "prompts": "/prompts/",
        "presets": "/presets/",
        "settings": "/settings/",
        "administration": "/admin/",
        "administration, conversations": "/admin/conversations/conversation/",
        "administration, search by title": "/admin/conversations/conversation/?q=was+said",
        "administration, search by person": f"/admin/conversations/conversation/?q={person.username}",
        "administration, one conversation": f"/admin/conversations/conversation/{middle.pk}/change/",
        "administration, search by words": "/admin/conversations/conversation/?words=nowhere",
        "administration, conversations with an error": "/admin/conversations/conversation/?error=credits",
        "administration, conversations rated bad": "/admin/conversations/conversation/?rating=-1",
        "administration, conversations flagged": "/admin/conversations/conversation/?flag=sample",
        "administration, queue": "/admin/conversations/case/",
        "administration, queue of all": "/admin/conversations/case/?status=all",
        "administration, ratings": "/admin/conversations/rating/",
        "administration, ratings of a model": f"/admin/conversations/rating/?model={MODEL}&commented=yes",
        "administration, looks": "/admin/conversations/look/",
        "administration, people": "/admin/conversations/user/",
    }


def _say_why(client: Client, person: AbstractUser) -> None:
    address = "/admin/conversations/conversation/"
    one = addresses(person)["administration, one conversation"]
    for stating in (address, one.replace("change", "reason")):
        assert client.post(stating, {"reason": "measuring"}).status_code == 303


def _key(conversation: Conversation) -> str:
    return str(Key.of(conversation))


def _measured(client: Client, name: str, address: str) -> Page:
    client.get(address)
    with CaptureQueriesContext(connection) as captured:
        response = client.get(address)
    queries = len(captured)  # the next request forgets them
    assert response.status_code == 200, f"{address} answered {response.status_code}"
    times = []
    for _ in range(RUNS):
        begun = time.perf_counter()
        client.get(address)
        times.append((time.perf_counter() - begun) * 1000)
    return Page(name=name, milliseconds=round(statistics.median(times), 1), queries=queries)


def dumped() -> str:
    """`measure` as one line, for the process that asked."""
    return json.dumps(measure())
