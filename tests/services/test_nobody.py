"""Whoever is not logged in, or was deactivated, finds no row through any of the doors to rows."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.db.models import QuerySet

from conversations.models import Attachment, Connection, Conversation, Message, OwnKey, Preset, Prompt, User
from conversations.services import attachments, pictures
from conversations.services.attachments import NamedPicture
from tests.conftest import MODEL, send
from tests.services.photographs import photograph

DOORS: dict[str, Callable[[User | AnonymousUser], QuerySet[Any]]] = {
    "conversations": lambda user: Conversation.objects.visible_to(user),
    "messages": lambda user: Message.objects.visible_to(user),
    "pictures": lambda user: Attachment.objects.visible_to(user),
    "prompts": lambda user: Prompt.objects.visible_to(user),
    "prompts to change": lambda user: Prompt.objects.of(user),
    "presets": lambda user: Preset.objects.visible_to(user),
    "keys": lambda user: OwnKey.objects.of(user),
}


@pytest.fixture(scope="module")
def picture() -> pictures.Picture:
    return pictures.vet(photograph(30, 20))


@pytest.fixture
def household(alice: User, bob: User, conversation: Conversation, picture: pictures.Picture) -> User:
    """Alice has one of everything, and Bob shares a prompt and a preset with everybody."""
    send(alice, "hello", conversation)
    attachments.attach(alice, NamedPicture("boat.jpg", picture))
    for owner in (alice, bob):
        Prompt.objects.create(owner=owner, name="plan", text="plans", is_shared=owner == bob)
        Preset.objects.create(owner=owner, name="short", model=MODEL, is_shared=owner == bob)
    house = Connection.objects.create(slug="house", label="House", base_url="https://models.example")
    OwnKey.objects.create(owner=alice, connection=house, sealed_key="v1.x.y", key_hint="wxyz")
    return alice


@pytest.mark.parametrize("door", DOORS)
def test_a_person_finds_something_behind_the_door(household: User, door: str) -> None:
    assert DOORS[door](household).exists()


@pytest.mark.parametrize("door", DOORS)
def test_a_deactivated_person_finds_nothing(household: User, door: str) -> None:
    household.is_active = False
    assert not DOORS[door](household).exists()


@pytest.mark.parametrize("door", DOORS)
def test_who_is_not_logged_in_finds_nothing(household: User, door: str) -> None:
    assert not DOORS[door](AnonymousUser()).exists()
