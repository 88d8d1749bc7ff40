"""Continue, waiting messages and columns: addresses, statuses and what stands on the page."""

import re
import uuid

import pytest
from django.test import Client

from conversations.models import Message, User
from conversations.models.message import Status
from conversations.services import replies
from conversations.services.replies import NewPiece, Outcome
from tests.conftest import send

HTMX = {"HX-Request": "true"}


@pytest.fixture
def cut(alice: User) -> Message:
    """A reply that was stopped in the middle of its text."""
    reply = replies.claim(send(alice, "one").reply.pk)
    assert reply is not None
    replies.write([NewPiece(reply.pk, reply.claim, 0, "text", "so **far**")])
    replies.stop(reply)
    return Message.objects.get(pk=reply.pk)


def statuses(page: str) -> list[str]:
    return re.findall(r'data-role="assistant" data-status="(\w+)"', page)


# --- Continue -------------------------------------------------------------------------------------------------------
def test_a_stopped_reply_offers_to_be_continued(as_alice: Client, cut: Message) -> None:
    page = as_alice.get(f"/c/{cut.conversation.uuid}/").content.decode()
    assert f'action="/replies/{cut.uuid}/continue/"' in page
    assert f'action="/replies/{cut.uuid}/retry/"' in page


def test_a_reply_cut_at_its_limit_offers_to_be_continued_and_a_whole_one_does_not(
    as_alice: Client, alice: User
) -> None:
    for notices, offered in ((["truncated"], True), ([], False), (["filtered"], False)):
        reply = replies.claim(send(alice, "one").reply.pk)
        assert reply is not None
        replies.write([NewPiece(reply.pk, reply.claim, 0, "text", "text")])
        replies.finish(reply, Outcome(Status.COMPLETE, notices=notices))
        page = as_alice.get(f"/c/{reply.conversation.uuid}/").content.decode()
        assert (f"/replies/{reply.uuid}/continue/" in page) is offered


def test_continuing_without_javascript_leads_back_to_the_conversation(as_alice: Client, cut: Message) -> None:
    response = as_alice.post(f"/replies/{cut.uuid}/continue/")
    assert (response.status_code, response.headers["Location"]) == (303, f"/c/{cut.conversation.uuid}/")
    page = as_alice.get(response.headers["Location"]).content.decode()
    assert statuses(page) == ["pending"]
    assert "<strong>far</strong>" in page
    assert "http-equiv" in page


def test_continuing_with_htmx_answers_with_the_same_article_running(as_alice: Client, cut: Message) -> None:
    page = as_alice.post(f"/replies/{cut.uuid}/continue/", headers=HTMX).content.decode()
    assert f'data-message="{cut.uuid}"' in page
    assert f'sse-connect="/replies/{cut.uuid}/events/"' in page
    assert "<strong>far</strong>" in page


def test_continuing_twice_is_a_conflict_said_beside_the_composer(as_alice: Client, cut: Message) -> None:
    as_alice.post(f"/replies/{cut.uuid}/continue/")
    response = as_alice.post(f"/replies/{cut.uuid}/continue/", headers=HTMX)
    assert (response.status_code, response.headers["HX-Retarget"]) == (409, "#composer-notice")
    assert as_alice.post(f"/replies/{cut.uuid}/continue/").status_code == 409


def test_a_strangers_reply_is_not_continued(as_bob: Client, cut: Message) -> None:
    theirs, missing = (as_bob.post(f"/replies/{one}/continue/") for one in (cut.uuid, uuid.uuid4()))
    assert (theirs.status_code, missing.status_code) == (404, 404)
    assert theirs.content == missing.content
    assert Message.objects.get(pk=cut.pk).status == Status.STOPPED
