"""People and places of the tests: alice owns, bob is a stranger, carol reviews. No engine answers them."""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings as django_settings
from django.test import Client
from pytest_django import Settings

from conversations.generation import engine
from conversations.models import Conversation, Message, User
from conversations.services import budgets, conversations, dispatch, messages, notices, offers
from conversations.services.dispatch import Fresh
from conversations.services.messages import Draft, Sent
from tests import serving

MODEL = "aimlapi/google/gemini-2.5-flash"
PAINTER = "segmind/gemini-2-flash-image-generation"


class IdleEngine:
    """Notes what it is handed and answers nothing."""

    def __init__(self) -> None:
        self.started: list[int] = []
        self.cancelled: list[int] = []

    def start(self, reply: int, fresh: Fresh | None = None) -> None:
        self.started.append(reply)

    def go_on(self, reply: int) -> None:
        self.started.append(reply)

    def cancel(self, reply: int) -> None:
        self.cancelled.append(reply)


@pytest.fixture(autouse=True)
def idle_engine() -> Iterator[IdleEngine]:
    idle = IdleEngine()
    dispatch.use(idle)
    yield idle
    dispatch.use(engine.pool)


@pytest.fixture(autouse=True)
def own_files(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Pictures of one test are not those of another; all models of both vendors are on offer."""
    storages: dict[str, Any] = dict(django_settings.STORAGES)
    location = tmp_path_factory.getbasetemp() / "images" / uuid4().hex  # made with its first file
    storages["default"] = storages["default"] | {"OPTIONS": {"location": location}}
    settings.STORAGES = storages
    settings.PROVIDER_ENDPOINTS = {"segmind": ("", "segmind-key-for-tests"), "aimlapi": ("", "aimlapi-key-for-tests")}
    settings.CHATSITE_LOCAL_MODEL = False
    offers.forget()
    notices.forget()
    budgets.forget()


@pytest.fixture(autouse=True)
def no_server_logs_a_secret() -> Iterator[None]:
    """Whatever a test is about: keys, passwords and tokens stand in the log of no server that it started."""
    yield
    assert serving.leaks() == []


@pytest.fixture
def alice(db: None) -> User:
    notices.current()
    budgets.current()
    offers.every()  # as in a process that was asked before: nothing is read for it when a test counts statements
    return User.objects.create_user("alice", "alice@example.com", "alice's long password")


@pytest.fixture
def bob(db: None) -> User:
    return User.objects.create_user("bob", "bob@example.com", "bob's long password")


@pytest.fixture
def carol(db: None) -> User:
    from django.contrib.auth.models import Permission

    carol = User.objects.create_user("carol", "carol@example.com", "carol's long password", is_staff=True)
    carol.user_permissions.add(Permission.objects.get(codename="review_conversations"))
    return carol


@pytest.fixture
def as_alice(alice: User) -> Client:
    client = Client()
    client.force_login(alice, backend="django.contrib.auth.backends.ModelBackend")
    return client


@pytest.fixture
def as_bob(bob: User) -> Client:
    client = Client()
    client.force_login(bob, backend="django.contrib.auth.backends.ModelBackend")
    return client


@pytest.fixture
def conversation(alice: User) -> Conversation:
    return conversations.create(alice, model=MODEL)


def send(user: User, text: str, conversation: Conversation | None = None, *, key: str = "", **more: object) -> Sent:
    """A message of this person, with a key of its own unless one is given."""
    draft = Draft(text=text, model=str(more.pop("model", MODEL)), key=key or f"key-{Message.objects.count()}", **more)  # type: ignore[arg-type]
    return messages.send(user, draft, conversation)
