"""Fragments that are drawn once: nothing of one message, person or language may be found in another's."""

import re
import uuid
from decimal import Decimal

import pytest
from django.template.loader import render_to_string
from django.test import Client
from django.utils import translation
from pytest_django import DjangoAssertNumQueries

from conversations import markup, queries
from conversations.models import Message, User
from conversations.models.message import Kind, Status
from conversations.services import replies
from conversations.services.replies import NewPiece, Outcome
from tests.conftest import MODEL, send

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


HOSTILE = "<b>&amp; blank-text blank-token blank-figures 987654321 00000000-0000-0000-0000-000000000000"


def articles(page: str) -> list[str]:
    """The messages of a page, without what differs from page to page: tokens of forms and seconds."""
    found = re.findall(r"<article.*?</article>", page, re.DOTALL)
    return [re.sub(r'(name="csrfmiddlewaretoken" value|data-lasts)="\w+"', r"\1", one) for one in found]


def sent_by_htmx(client: Client, address: str, text: str, **more: object) -> str:
    form = {"text": text, "model": MODEL, "key": uuid.uuid4().hex} | more
    return client.post(address, form, headers={"HX-Request": "true"}).content.decode()


@pytest.mark.parametrize("text", ["hello", HOSTILE, "x" * 100_000])
def test_the_answer_to_a_send_shows_what_the_page_would(as_alice: Client, alice: User, text: str) -> None:
    answer = sent_by_htmx(as_alice, "/", text)
    conversation = alice.conversations.get()
    page = as_alice.get(f"/c/{conversation.uuid}/").content.decode()
    assert len(articles(answer)) == 2
    assert articles(answer) == articles(page)
    assert render_to_string("conversations/_place.html", {"conversation": conversation}) in answer


ENDS = {
    "well": Outcome(Status.COMPLETE, finish_reason="stop", first_token_ms=55, prompt_tokens=1234, output_tokens=2),
    "in silence": Outcome(Status.COMPLETE),
    "with a remark": Outcome(Status.COMPLETE, notices=["truncated"], finish_reason="length"),
    "oddly": Outcome(Status.COMPLETE, finish_reason="odd", cost_usd=Decimal("0.5"), reasoning_tokens=7),
    "stopped": Outcome(Status.STOPPED),
    "failed": Outcome(Status.FAILED, error_code="network"),
}


@pytest.mark.parametrize("text", ["hello", HOSTILE, "| a |\n|---|\n| 1 |", ""])
@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS.keys())
def test_the_end_of_a_stream_shows_what_the_page_would(alice: User, text: str, end: Outcome) -> None:
    for language in ("en", "de"):
        reply = replies.claim(send(alice, "hello").reply.pk)
        assert reply is not None
        if text:
            replies.write([NewPiece(reply.pk, reply.claim, 0, Kind.TEXT, text)])
        ended = replies.finish(reply, end, lambda text: (markup.render(text), markup.VERSION))
        assert ended is not None
        shown = {"shown": queries.just_ended(ended.reply, ended.parts), "csrf_token": "t" * 64}
        with translation.override(language):
            whole = render_to_string("conversations/_final.html", shown)
            assert render_to_string("conversations/_message.html", shown).strip() in whole


def test_the_second_send_of_a_conversation_shows_what_the_page_would(as_alice: Client, alice: User) -> None:
    first = finished(alice).conversation
    answer = sent_by_htmx(as_alice, f"/c/{first.uuid}/", HOSTILE, texts="a long paste", text_names="notes.txt")
    page = as_alice.get(f"/c/{first.uuid}/").content.decode()
    assert articles(answer) == articles(page)[-2:]
    assert 'data-depth="3"' in answer


def test_a_send_costs_a_handful_of_statements(
    as_alice: Client, alice: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    conversation = finished(alice).conversation
    with django_assert_num_queries(8):  # session, person, savepoint, conversation, message, its text, reply, end of it
        sent_by_htmx(as_alice, "/", "hello", attachments="")
    with django_assert_num_queries(12):
        sent_by_htmx(as_alice, f"/c/{conversation.uuid}/", "hello")
