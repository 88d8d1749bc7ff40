"""Stepping between versions, answering anew and forking, by htmx and by plain forms."""

import re
import uuid
from html import unescape

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from conversations.models import Conversation, Message, User
from conversations.models.message import Status
from conversations.services import branches, replies
from conversations.services.replies import NewPiece, Outcome
from tests.conftest import MODEL, PAINTER, send

HTMX = {"HX-Request": "true"}
ROUTES = ["messages/{}/show/", "messages/{}/fork/", "replies/{}/retry/"]


def answer(reply: Message, text: str) -> Message:
    claimed = replies.claim(reply.pk)
    assert claimed is not None
    replies.write([NewPiece(claimed.pk, claimed.claim, 0, "text", text)])
    assert replies.finish(claimed, Outcome(Status.COMPLETE))
    return Message.objects.get(pk=reply.pk)


@pytest.fixture
def first(alice: User, conversation: Conversation) -> Message:
    """The first of two answers of alice's conversation."""
    reply = answer(send(alice, "one", conversation).reply, "first answer")
    answer(send(alice, "two", conversation).reply, "second answer")
    return reply


def articles(page: bytes) -> list[str]:
    return re.findall(r'data-message="([^"]+)"', page.decode())


def test_answering_anew_by_a_plain_form_leads_back_to_the_new_reply(as_alice: Client, first: Message) -> None:
    response = as_alice.post(f"/replies/{first.uuid}/retry/")
    fresh = Message.objects.latest("pk")
    assert response.status_code == 303
    assert response.headers["Location"] == f"/c/{first.conversation.uuid}/#message-{fresh.uuid}"


def test_answering_anew_by_htmx_gives_what_is_on_show_from_there_on(as_alice: Client, first: Message) -> None:
    response = as_alice.post(f"/replies/{first.uuid}/retry/", {"model": PAINTER}, headers=HTMX)
    fresh = Message.objects.latest("pk")
    assert fresh.model == PAINTER
    assert articles(response.content) == [str(fresh.uuid)]
    assert response.headers["X-Branch"] == str(fresh.uuid)
    assert "2 of 2" in response.content.decode()


def test_a_model_that_is_not_offered_is_refused_in_words(as_alice: Client, first: Message) -> None:
    for headers in ({}, HTMX):
        response = as_alice.post(f"/replies/{first.uuid}/retry/", {"model": "nobody/nothing"}, headers=headers)
        assert response.status_code == 422
        assert "This model is not on offer" in response.content.decode()


def test_answering_anew_while_the_branch_is_written_is_a_conflict(
    as_alice: Client, alice: User, first: Message
) -> None:
    send(alice, "three", first.conversation)
    assert as_alice.post(f"/replies/{first.uuid}/retry/").status_code == 409
    response = as_alice.post(f"/replies/{first.uuid}/retry/", headers=HTMX)
    assert (response.status_code, response.headers["HX-Retarget"]) == (409, "#composer-notice")


def test_the_choice_of_another_model_is_a_page_and_a_fragment(as_alice: Client, first: Message) -> None:
    page = as_alice.get(f"/replies/{first.uuid}/retry/").content.decode()
    fragment = as_alice.get(f"/replies/{first.uuid}/retry/", headers=HTMX).content.decode()
    for html in (page, fragment):
        assert f'action="/replies/{first.uuid}/retry/"' in html
        assert f'name="model" value="{PAINTER}"' in html
    assert ("<html" in page, "<html" in fragment) == (True, False)


def test_stepping_by_htmx_swaps_what_follows_from_that_depth_on(as_alice: Client, first: Message) -> None:
    fresh = answer(branches.regenerate(first), "other answer")
    response = as_alice.post(f"/messages/{first.uuid}/show/", headers=HTMX)
    followers = Message.objects.filter(depth__gte=1).on_path().values_list("uuid", flat=True)
    assert articles(response.content) == [str(one) for one in followers]
    assert [response.headers["X-Branch"], len(followers)] == [str(first.uuid), 3]
    page = response.content.decode()
    assert "1 of 2" in page
    assert f'formaction="/messages/{fresh.uuid}/show/"' in page


def test_stepping_by_a_plain_form_leads_back_to_the_message(as_alice: Client, first: Message) -> None:
    branches.regenerate(first)
    response = as_alice.post(f"/messages/{first.uuid}/show/")
    assert response.status_code == 303
    place = f"?message={first.uuid}#message-{first.uuid}"
    assert response.headers["Location"] == f"/c/{first.conversation.uuid}/{place}"
    page = as_alice.get(f"/c/{first.conversation.uuid}/").content.decode()
    assert [text in page for text in ("first answer", "second answer", "1 of 2")] == [True, True, True]


def test_a_page_that_was_opened_at_a_message_is_loaded_anew_while_its_reply_runs(
    as_alice: Client, first: Message
) -> None:
    """A browser does not load an address again that differs in nothing, its fragment included."""
    address = f"/c/{first.conversation.uuid}/?message={branches.regenerate(first).uuid}"
    assert f'content="2;url={address}"' in as_alice.get(address).content.decode()


def test_stop_ends_what_runs_on_the_branch_on_show_alone(as_alice: Client, alice: User, first: Message) -> None:
    elsewhere = branches.regenerate(first)
    branches.show(first)
    here = send(alice, "three", first.conversation).reply
    as_alice.post(f"/c/{first.conversation.uuid}/stop/")
    elsewhere.refresh_from_db()
    here.refresh_from_db()
    assert (elsewhere.status, here.status) == (Status.PENDING, Status.STOPPED)


def test_a_message_is_sent_on_one_branch_while_another_is_written(as_alice: Client, first: Message) -> None:
    branches.regenerate(first)
    branches.show(first)
    fields = {"text": "three", "model": MODEL, "key": uuid.uuid4().hex}
    assert as_alice.post(f"/c/{first.conversation.uuid}/", fields).status_code == 303


def test_a_fork_opens_and_links_back(as_alice: Client, first: Message) -> None:
    response = as_alice.post(f"/messages/{first.uuid}/fork/")
    copy = Conversation.objects.latest("pk")
    assert (response.status_code, response.headers["Location"]) == (303, f"/c/{copy.uuid}/")
    page = as_alice.get(f"/c/{copy.uuid}/").content.decode()
    assert ["first answer" in page, "second answer" in page] == [True, False]
    assert f'href="/c/{first.conversation.uuid}/?message={first.uuid}#message-{first.uuid}"' in page
    by_htmx = as_alice.post(f"/messages/{first.uuid}/fork/", headers=HTMX)
    assert by_htmx.headers["HX-Redirect"] == f"/c/{Conversation.objects.latest('pk').uuid}/"


def test_a_refused_fork_says_why(as_alice: Client, alice: User) -> None:
    reply = send(alice, "one").reply
    response = as_alice.post(f"/messages/{reply.uuid}/fork/")
    assert response.status_code == 409
    assert "then fork" in unescape(response.content.decode())


@pytest.mark.parametrize("route", ROUTES)
def test_a_strangers_message_answers_like_a_missing_one(as_bob: Client, first: Message, route: str) -> None:
    before = list(Message.objects.values())
    for method in ("get", "post"):
        theirs = getattr(as_bob, method)("/" + route.format(first.uuid))
        missing = getattr(as_bob, method)("/" + route.format(uuid.uuid4()))
        assert theirs.status_code in (404, 405)
        assert (theirs.status_code, theirs.content) == (missing.status_code, missing.content)
    assert list(Message.objects.values()) == before
    assert Conversation.objects.count() == 1


@pytest.mark.parametrize(
    ("route", "method"), [(ROUTES[0], "get"), (ROUTES[1], "get"), (ROUTES[2], "put"), (ROUTES[2], "delete")]
)
def test_other_methods_are_refused(as_alice: Client, first: Message, route: str, method: str) -> None:
    assert getattr(as_alice, method)("/" + route.format(first.uuid)).status_code == 405


def test_what_is_no_reply_cannot_be_answered_anew(as_alice: Client, first: Message) -> None:
    question = Message.objects.get(depth=0)
    assert as_alice.get(f"/replies/{question.uuid}/retry/").status_code == 404
    assert as_alice.post(f"/replies/{question.uuid}/retry/").status_code == 404


def test_the_number_of_siblings_costs_no_query_for_each_message(
    as_alice: Client, alice: User, first: Message, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    last = Message.objects.on_path().last()
    assert last
    for reply in (first, first, last, last):
        answer(branches.regenerate(reply), "anew")
    branches.show(last)
    address = f"/c/{first.conversation.uuid}/"
    with django_assert_num_queries(8):
        as_alice.get(address)
