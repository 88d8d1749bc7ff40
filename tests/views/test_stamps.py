"""Fragments that are drawn once: nothing of one message, person or language may be found in another's."""

import re

from django.test import Client
from django.utils import translation

from conversations.models import Message, User
from conversations.models.message import Status
from conversations.services import replies
from conversations.services.replies import Outcome
from tests.conftest import send

UUID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"


def finished(user: User) -> Message:
    reply = replies.claim(send(user, "hello").reply.pk)
    assert reply is not None
    replies.finish(reply, Outcome(Status.COMPLETE))
    return reply


def test_every_message_has_its_own_addresses_and_no_blank_is_left(client: Client, alice: User) -> None:
    replies_ = [finished(alice), finished(alice)]
    client.force_login(alice)
    for reply in replies_:
        page = client.get(f"/c/{reply.conversation.uuid}/").content.decode()
        assert reply.parent is not None
        mine = {str(reply.uuid), str(reply.parent.uuid)}
        assert set(re.findall(rf"/messages/({UUID})/", page)) <= mine
        assert f"/{reply.uuid}/" in page
        assert f"/{reply.parent.uuid}/" in page
        assert "00000000-0000" not in page
        assert "blank-token" not in page


def test_the_forms_carry_the_token_of_their_own_page(alice: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(alice)
    reply = finished(alice)
    assert reply.parent is not None
    page = client.get(f"/c/{reply.conversation.uuid}/").content.decode()
    form = page[page.index(f"/messages/{reply.parent.uuid}/fork/") - 2000 :]
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w{64})"', form)
    assert token
    address = f"/messages/{reply.parent.uuid}/fork/"
    assert client.post(address).status_code == 403
    assert client.post(address, {"csrfmiddlewaretoken": token[1]}).status_code == 303


def test_they_speak_the_readers_language(client: Client, alice: User) -> None:
    reply = finished(alice)
    client.force_login(alice)
    address = f"/c/{reply.conversation.uuid}/"
    pages = {language: client.get(address, headers={"Accept-Language": language}) for language in ("en", "de", "en")}
    with translation.override("de"):
        words = translation.gettext("Fork from here")
    assert words != "Fork from here"
    assert words in pages["de"].content.decode()
    assert "Fork from here" in pages["en"].content.decode()
