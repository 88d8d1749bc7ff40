"""The switch for a temporary conversation, and what the page says while it lasts."""

import datetime as dt
import uuid

import time_machine
from django.test import Client
from django.utils import timezone

from conversations.models import Conversation
from tests.conftest import MODEL


def begin(client: Client, **more: object) -> Conversation:
    fields = {"text": "Hush", "model": MODEL, "key": uuid.uuid4().hex} | more
    assert client.post("/", fields).status_code == 303
    return Conversation.objects.latest("pk")


def test_the_switch_makes_it_temporary_and_the_page_says_until_when(as_alice: Client) -> None:
    assert 'type="checkbox" name="temporary"' in as_alice.get("/").content.decode()
    conversation = begin(as_alice, temporary="on")
    page = as_alice.get(f"/c/{conversation.uuid}/").content.decode()
    assert "Temporary: gone by" in page
    assert "never listed" in page


def test_it_is_neither_in_the_side_list_nor_in_the_list_of_all(as_alice: Client) -> None:
    conversation = begin(as_alice, temporary="on")
    for address in ("/", "/c/", f"/c/{conversation.uuid}/"):
        assert f'href="/c/{conversation.uuid}/"' not in as_alice.get(address).content.decode()


def test_begun_with_htmx_it_is_not_put_into_the_list_and_says_what_it_is(as_alice: Client) -> None:
    fields = {"text": "Hush", "model": MODEL, "key": "k", "temporary": "on"}
    page = as_alice.post("/", fields, headers={"HX-Request": "true"}).content.decode()
    assert "#newest" not in page
    assert "Temporary: gone by" in page
    assert '<div id="temporary" hx-swap-oob="delete">' in page


def test_without_the_switch_nothing_is_said_and_it_is_listed(as_alice: Client) -> None:
    conversation = begin(as_alice)
    page = as_alice.get(f"/c/{conversation.uuid}/").content.decode()
    assert "Temporary" not in page
    assert f'href="/c/{conversation.uuid}/"' in page


def test_after_its_time_it_answers_like_a_missing_one(as_alice: Client) -> None:
    conversation = begin(as_alice, temporary="on")
    with time_machine.travel(timezone.now() + dt.timedelta(hours=24)):
        assert as_alice.get(f"/c/{conversation.uuid}/").status_code == 404


def test_refused_input_keeps_the_switch_on(as_alice: Client) -> None:
    response = as_alice.post("/", {"text": " ", "model": MODEL, "key": "k", "temporary": "on"})
    assert response.status_code == 422
    assert 'name="temporary" checked' in response.content.decode()
