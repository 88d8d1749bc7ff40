"""Every kind of page with 100,000 conversations, 1,000,000 messages and 1,000,000 calls: its time and its queries.

`fill` and `measure` run inside the application, on whatever database that is configured for.
"""

import json
import time
from collections.abc import Iterator
from contextlib import suppress

from django.contrib import admin
from django.contrib.auth.models import AbstractUser
from django.core.paginator import EmptyPage
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from conversations.management.crowd import Crowd
from conversations.models import Case, Conversation, Message, User
from conversations.queries import Key
from conversations.services import review, sums
from conversations.services.review import Seen
from tests.bench.report import Page
from tests.lengthy import MODEL

CONVERSATIONS, EACH = 100_000, 10  # and messages in each
PEOPLE, OWNERS, SHARE = 1_000, 91, 10  # of the owners' 100 turns the first person has 10
LOOKS = 50_000
RUNS = 5
CHOICES = 3  # of each filter: so many choices are opened
ADMIN = "/admin/conversations/"
BRACKETS = ("BEGIN", "COMMIT", "SAVEPOINT", "RELEASE")  # of transactions: they ask for nothing


def fill() -> None:
    """An installation that has one person at least."""
    person = _first()
    User.objects.bulk_create(User(username=f"someone-{number}", password="!") for number in range(PEOPLE))
    others = User.objects.exclude(pk=person.pk).order_by("pk").values_list("pk", flat=True)[: OWNERS - 1]
    Crowd([person.pk] * SHARE + list(others), CONVERSATIONS, EACH, MODEL).fill()
    talks = Conversation.objects.order_by("pk").values_list("uuid", flat=True)[:LOOKS]
    review.record(User.objects.get(pk=person.pk), "thread", "a crowd", [Seen(None, talk) for talk in talks])
    while sums.add_up():
        pass


def measure() -> list[Page]:
    """Open every page some times, as somebody who may see everything."""
    person = _first()
    User.objects.filter(pk=person.pk).update(is_staff=True, is_superuser=True)
    client = Client(SERVER_NAME="localhost")
    client.force_login(person, backend="django.contrib.auth.backends.ModelBackend")
    _say_why(client, person)
    every = addresses(person) | dict(lists(client))
    return [_measured(client, name, address) for name, address in every.items()]


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
        "own usage": "/settings/usage/",
        "own usage, a year": "/settings/usage/?days=365",
        "administration": "/admin/",
        "administration, one conversation": f"{ADMIN}conversation/{middle.pk}/change/",
        "administration, branches": f"{ADMIN}conversation/{middle.pk}/branches/{message.parent_id}/",
        "administration, export": f"{ADMIN}conversation/{middle.pk}/export/",
        "administration, next case": f"{ADMIN}case/next/?after={_case().pk}",
        "administration, one case": f"{ADMIN}case/{_case().pk}/change/",
        "administration, one person": f"{ADMIN}user/{person.pk}/change/",
        "administration, figures beside ours": f"{ADMIN}ledgerentry/reconcile/",
        **{
            f"administration, usage by {by}, {days} days": f"{ADMIN}ledgerentry/?by={by}&days={days}"
            for by in ("day", "person", "group", "model", "connection")
            for days in (30, 365)
        },
        **{f"administration, conversations ?{query}": f"{ADMIN}conversation/?{query}" for query in SEARCHES},
        f"administration, search for {person.username}": f"{ADMIN}conversation/?q={person.username}",
        f"administration, ratings of {person.username}": f"{ADMIN}rating/?q={person.username}",
        f"administration, cases of {person.username}": f"{ADMIN}case/?status=all&q={person.username}",
    }


SEARCHES = ("q=was+said", "q=credits", "q=nobody", "words=nowhere", "words=sentence", "q=was+said&error=credits&o=1")


def lists(client: Client) -> Iterator[tuple[str, str]]:
    """Every change list, its last page, a search in it, its orders and what its filters offer."""
    for model in admin.site._registry:
        address = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
        response = client.get(address)
        name = f"list of {model._meta.model_name}"
        yield name, address
        changes = (getattr(response, "context_data", None) or {}).get("cl")
        if changes is None:
            continue
        with suppress(EmptyPage):
            if changes.paginator.num_pages > 1:
                yield f"{name}, last page", f"{address}?p={changes.paginator.num_pages}"
        if changes.search_fields:
            yield f"{name} ?q=one", f"{address}?q=one"
        for column in changes.get_ordering_field_columns():
            yield f"{name}, turned", f"{address}?o=-{column}.{column}"
        for spec in changes.filter_specs:
            offered = list(spec.choices(changes))[1:]
            for choice in offered[: CHOICES - 1] + offered[CHOICES - 1 :][-1:]:
                query = str(choice["query_string"])
                yield f"{name} {query[:70]}", address + query


def questions(client: Client, address: str) -> tuple[int, int]:
    """The status of the answer, and how often the database was asked for it."""
    with CaptureQueriesContext(connection) as captured:
        response = client.get(address)
    return response.status_code, sum(not one["sql"].startswith(BRACKETS) for one in captured)


def _first() -> User:
    person = User.objects.order_by("pk").first()
    assert person is not None
    return person


def _case() -> Case:
    unfinished = Case.objects.unfinished().in_turn()
    return unfinished[unfinished.count() // 2]


def _say_why(client: Client, person: AbstractUser) -> None:
    one = addresses(person)["administration, one conversation"]
    of_case = f"{ADMIN}conversation/{_case().conversation_id}/reason/"
    for stating in (f"{ADMIN}conversation/", one.replace("change", "reason"), of_case):
        assert client.post(stating, {"reason": "measuring"}).status_code == 303


def _key(conversation: Conversation) -> str:
    return str(Key.of(conversation))


def _measured(client: Client, name: str, address: str) -> Page:
    """The fastest of some: whatever else the machine does only makes the others slower."""
    client.get(address)
    status, queries = questions(client, address)
    assert status in (200, 302), f"{address} answered {status}"
    times = []
    for _ in range(RUNS):
        begun = time.perf_counter()
        client.get(address)
        times.append((time.perf_counter() - begun) * 1000)
    return Page(name=name, milliseconds=round(min(times), 1), queries=queries)


def dumped() -> str:
    """All of it as one line, for the process that asked."""
    fill()
    return json.dumps(measure())
