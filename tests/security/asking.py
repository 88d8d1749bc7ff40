"""Who asks, what they are answered, and whether anything was changed by it."""

import hashlib
import logging
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote
from uuid import UUID

from django.contrib.auth.models import Group, Permission
from django.core.cache import cache
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import connection, transaction
from django.db.models import Model
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from conversations.models import Attachment, Conversation, Message, User
from conversations.models.user import Role
from conversations.services import budgets, offers, roles
from tests.security import household, routes
from tests.security.household import Things

PRINCIPALS = ("anonymous", "deactivated", "pending", "other", "owner", "clerk", "staff", "reviewer", "administrator")
"""clerk: of the staff, with no permission; staff: with every one but that to review; reviewer: with that alone."""

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
SAFE = {"GET", "HEAD", "OPTIONS"}
REFUSED = {"login", "unknown", "refused", "missing", "method"}
BACKEND = "chatsite.sessions.Accounts"
WORD, NAME = "zebraquartz", "xylonimbus"  # in bob's texts, and in his names
MISSING_UUID, MISSING_NUMBER = "11111111-2222-4333-8444-555555555555", 987654
REASON = "a complaint about this"

# What a request may write wherever it goes: that a session was used, and how often something was tried.
IN_PASSING = {"django_session", "usersessions_usersession", "conversations_remembered"}


WITH_UUID: tuple[type[Model], ...] = (Attachment, Conversation, Message)


class Answer:
    """A whole answer. Of a stream of events, which waits for what comes, nothing is read."""

    def __init__(self, response: Any) -> None:
        self.status_code: int = response.status_code
        self.headers: dict[str, str] = dict(response.headers.items())
        if response.streaming:
            self.whole = b"" if response.is_async else b"".join(response)
        else:
            self.whole = bytes(response.content)

    @property
    def text(self) -> str:
        return self.whole.decode(errors="replace")


class Site:
    """One of everything of alice and of bob, and somebody of each kind with a browser."""

    def __init__(self) -> None:
        self.people = _people()
        shared = household.shared_place()
        reviewer = self.people["reviewer"]
        self.alice = household.furnish(self.people["owner"], "alicework", "alicename", reviewer) | shared
        self.bob = household.furnish(self.people["other"], WORD, NAME, reviewer) | shared
        self.alice |= {name: self.people[name] for name in ("administrator", "reviewer")}
        User.objects.update(accepted_terms_at=timezone.now())
        self.people["owner"].groups.add(shared["group"])
        self.clients = {name: self._client(self.people.get(name)) for name in PRINCIPALS}
        for name, active in (("deactivated", None), ("pending", timezone.now())):
            User.objects.filter(pk=self.people[name].pk).update(is_active=False, waiting_since=active)
        self._state = digest()
        self.last = {model: max(model._default_manager.values_list("pk", flat=True)) for model in WITH_UUID}
        self._files = dict(self._pictures())
        offers.forget()
        budgets.forget()

    def give_reason(self, name: str, *conversations: Conversation) -> None:
        """As if this reviewer had said why, for lists and these conversations."""
        session = self.clients[name].session
        now = timezone.now().timestamp() + 10_000
        session["reasons"] = {"lists": (REASON, now)} | {str(one.uuid): (REASON, now) for one in conversations}
        session.save()

    def _client(self, person: User | None) -> Client:
        client = Client(raise_request_exception=False)
        if person:
            client.force_login(person, backend=BACKEND)
        return client

    def ask(self, name: str, method: str, address: str, body: Any = None, **headers: Any) -> Answer:
        """What this one is answered. Whatever it did is taken back; see `writes` for looking at it before."""
        with taken_back():
            response = self.send(name, method, address, body, **headers)
        if method not in SAFE:
            self.restore()
        return response

    def outcome(self, name: str, method: str, address: str, body: Any = None) -> tuple[str, set[str]]:
        """The answer in the words of the policy, and the tables in which something was changed by a safe method."""
        before, state = writes(), self._state
        with taken_back():
            response = self.send(name, method, address, body)
            changed = method in SAFE and (before < 0 or writes() != before)
            tables = {name for name, found in digest().items() if state.get(name) != found} if changed else set()
        said = verdict(response)
        if method not in SAFE and said not in REFUSED:
            self.restore()
        return said, tables

    def send(self, name: str, method: str, address: str, body: Any = None, **headers: Any) -> Answer:
        """What this one is answered; what it did stays done."""
        if method not in SAFE:
            cache.clear()  # of counts that throttle
        client = self.clients[name]
        cookies = {key: morsel.value for key, morsel in client.cookies.items()}
        send = getattr(client, method.lower())
        logging.disable()  # a line for each of ten thousand refusals takes its time
        try:
            response = send(address, body, headers=headers) if body else send(address, headers=headers)
        finally:
            logging.disable(logging.NOTSET)
        client.cookies.clear()
        client.cookies.load(cookies)
        return Answer(response)

    def _pictures(self) -> Iterator[tuple[str, bytes]]:
        for picture in Attachment.objects.all():
            for path in (picture.path, picture.thumbnail_path):
                with default_storage.open(path) as file:
                    yield path, file.read()

    def restore(self) -> None:
        """What the database takes back by itself: files, and what a process remembers."""
        for path, data in self._files.items():
            if not default_storage.exists(path):
                default_storage.save(path, ContentFile(data))
        offers.forget()
        budgets.forget()


def _people() -> dict[str, User]:
    people = {
        name: User.objects.create_user(called, f"{called}@example.com", f"{called}'s long password")
        for name, called in {
            "owner": "alice", "other": "bob", "reviewer": "carol", "clerk": "dora", "erin": "erin", "staff": "frank",
            "administrator": "root", "deactivated": "gone", "pending": "newcomer",
        }.items()
    }  # fmt: skip
    User.objects.filter(pk=people["other"].pk).update(username=NAME, email=f"{NAME}@example.com")
    people["other"].refresh_from_db()
    roles.give(people["reviewer"], Role.REVIEWER)
    roles.give(people["administrator"], Role.ADMINISTRATOR)
    User.objects.filter(pk__in=[people["clerk"].pk, people["staff"].pk]).update(is_staff=True)
    people["staff"].user_permissions.set(Permission.objects.exclude(codename="review_conversations"))
    people["staff"].groups.add(Group.objects.create(name="office"))
    return people


def opened(settings: Settings) -> Site:
    """A site where everything is switched on that needs no other machine."""
    settings.CHATSITE_SELF_SERVICE = "delete"
    settings.CHATSITE_SHOW_LOOKS = True
    settings.CHATSITE_METRICS_TOKEN = "a-token-for-tests"
    routes.every()  # reads all addresses, which is when the administration is complete
    return Site()


def fresh(things: Things) -> Iterator[Model]:
    """These rows as they are stored now; those that are gone are left out."""
    for row in household.rows_of(things):
        if found := type(row)._default_manager.filter(pk=row.pk).first():
            yield found


@contextmanager
def taken_back() -> Iterator[None]:
    """A transaction that leaves nothing behind."""
    with transaction.atomic():
        try:
            yield
        finally:
            transaction.set_rollback(True)


def writes() -> int:
    """How many rows this connection has written so far, where the database counts that; else -1."""
    return int(connection.connection.total_changes) if connection.vendor == "sqlite" else -1


def digest(without: set[str] = IN_PASSING) -> dict[str, str]:
    """Every table by name, with its number of rows and what stands in them."""
    found = {}
    with connection.cursor() as cursor:
        for table in sorted(set(connection.introspection.table_names(cursor)) - without):
            cursor.execute(f'SELECT * FROM "{table}" ORDER BY 1')
            rows = cursor.fetchall()
            found[table] = f"{len(rows)} {hashlib.sha256(repr(rows).encode()).hexdigest()}"
    return found


def verdict(response: Answer) -> str:
    """An answer in the words of the policy."""
    status = response.status_code
    where = response.headers.get("Location", "")
    if status in (301, 302, 303):
        if "/reauthenticate/" in where.partition("?")[0]:
            return "again"
        return "login" if where.partition("?")[0] in ("/accounts/login/", "/admin/login/") else "away"
    known = {400: "bad", 401: "unknown", 403: "refused", 404: "missing", 405: "method", 409: "conflict", 422: "invalid"}
    if status in known:
        return known[status]
    return "ok" if status in (200, 204) else str(status)


PASSING_HEADERS = {"date", "expires", "x-request-id", "content-length"}  # what the last counts is compared
PASSING = re.compile(
    rb'(name="(?:key|csrfmiddlewaretoken)"[^>]* value="|hx-headers=\'\{"[^"]*": "|nonce-|"csrf": ")[^"]*'
)


Bare = tuple[int, dict[str, str], bytes]


def bare(response: Answer, *asked: str) -> Bare:
    """Status, headers and body without what differs from request to request, and without the addresses and ids that
    were asked for; of these, short numbers stand for nothing by themselves."""
    headers = {name: value for name, value in response.headers.items() if name.lower() not in PASSING_HEADERS}
    body = PASSING.sub(rb"\1", response.whole)
    for one in asked:
        for written in (one, quote(one), quote(one, safe="")) if len(one) > 5 else ():
            body = body.replace(written.encode(), b"ASKED")
            headers = {name: value.replace(written, "ASKED") for name, value in headers.items()}
    return response.status_code, headers, body


def difference(first: Bare, second: Bare) -> str:
    """Where two answers begin to differ; "" where they do not."""
    if first[:2] != second[:2]:
        return f"{first[:2]} is not {second[:2]}"
    place = next((at for at, pair in enumerate(zip(first[2], second[2], strict=False)) if pair[0] != pair[1]), -1)
    if place < 0 and len(first[2]) == len(second[2]):
        return ""
    around = slice(max(place - 80, 0), place + 80)
    return f"{first[2][around]!r} is not {second[2][around]!r}"


def named(values: Mapping[str, Any], things: Things) -> dict[str, Any]:
    """Values of policy.toml with ids in the places of "@thing" and "#thing": the uuid, and the number, of that row."""
    return {key: _named(value, things) for key, value in values.items()}


def _named(value: Any, things: Things) -> Any:
    if isinstance(value, list):
        return [_named(one, things) for one in value]
    if isinstance(value, str) and value[:1] in "@#" and value[1:] in things:
        thing = things[value[1:]]
        return str(thing.uuid) if value[0] == "@" else str(thing.pk)
    return value


def other_id(value: str) -> str:
    """An id of the same form that nothing has."""
    try:
        UUID(value)
    except ValueError:
        return str(MISSING_NUMBER)
    return MISSING_UUID
