"""People rate replies and report them; reviewers read ratings, filter them and take them out as JSON lines."""

import json

import pytest
from django.test import Client
from pytest_django import Settings

from conversations.models import Case, Flag, Look, Message, Rating, User
from conversations.models.message import Status
from conversations.services import ratings, replies
from conversations.services.replies import NewPiece, Outcome
from tests.conftest import PAINTER, send

LIST = "/admin/conversations/rating/"


def answered(owner: User, asked: str, said: str, **more: object) -> Message:
    reply = replies.claim(send(owner, asked, **more).reply.pk)  # type: ignore[arg-type]
    assert reply is not None
    replies.write([NewPiece(reply.pk, reply.claim, 0, "text", said)])
    replies.finish(reply, Outcome(Status.COMPLETE))
    return Message.objects.get(pk=reply.pk)


@pytest.fixture
def reply(alice: User) -> Message:
    return answered(alice, "What is the colour of the sky?", "It is **green**.")


@pytest.fixture
def as_carol(carol: User) -> Client:
    client = Client()
    client.force_login(carol, backend="django.contrib.auth.backends.ModelBackend")
    return client


def address(reply: Message) -> str:
    return f"/replies/{reply.uuid}/rate/"


def test_a_reply_is_rated_by_a_plain_form_and_the_page_says_so(as_alice: Client, reply: Message) -> None:
    talk = f"/c/{reply.conversation.uuid}/"
    assert address(reply) in as_alice.get(talk).content.decode()
    assert "How was this reply?" in as_alice.get(address(reply)).content.decode()
    sent = as_alice.post(address(reply), {"value": "-1", "comment": "It is <blue>."})
    assert (sent.status_code, sent.headers["Location"]) == (303, f"{talk}?message={reply.uuid}#message-{reply.uuid}")
    rating = Rating.objects.get()
    assert (rating.message, rating.value, rating.comment) == (reply, -1, "It is <blue>.")
    assert "rated bad" in as_alice.get(talk).content.decode()
    assert "It is &lt;blue&gt;." in as_alice.get(address(reply)).content.decode()
    assert not Flag.objects.exists()


def test_a_rating_is_changed_and_taken_back(as_alice: Client, reply: Message) -> None:
    as_alice.post(address(reply), {"value": "-1", "comment": "no"})
    as_alice.post(address(reply), {"value": "1"})
    rating = Rating.objects.get()
    assert (rating.value, rating.comment) == (1, "")
    as_alice.post(address(reply), {"value": ""})
    assert not Rating.objects.exists()


def test_the_form_stands_under_the_reply_where_scripts_run(as_alice: Client, reply: Message) -> None:
    htmx = {"HX-Request": "true"}
    form = as_alice.get(address(reply), headers=htmx).content.decode()
    assert form.startswith('<form class="inline rating"')
    thanks = as_alice.post(address(reply), {"value": "1"}, headers=htmx)
    assert (thanks.status_code, "Your rating is stored" in thanks.content.decode()) == (200, True)
    assert as_alice.post(address(reply), {"value": "5"}, headers=htmx).status_code == 422
    assert as_alice.post(address(reply), {"value": "1", "comment": "x" * 2001}).status_code == 422


def test_a_report_opens_one_case_however_often_it_is_sent(as_alice: Client, reply: Message) -> None:
    for comment in ("It is wrong.", "It is dangerously wrong."):
        as_alice.post(address(reply), {"value": "-1", "comment": comment, "report": "on"})
    flag = Flag.objects.get()
    assert (flag.cause, flag.message, flag.comment) == ("reported", reply, "It is dangerously wrong.")
    assert Case.objects.get().conversation == reply.conversation
    assert "your earlier report" in as_alice.get(address(reply)).content.decode()


def test_nobody_rates_what_is_not_theirs_or_not_a_finished_reply(
    as_alice: Client, as_bob: Client, reply: Message, alice: User
) -> None:
    running = send(alice, "another").reply
    asked = reply.parent
    assert asked is not None
    for client, one in ((as_bob, reply), (Client(), reply), (as_alice, running), (as_alice, asked)):
        assert client.post(address(one), {"value": "1"}).status_code in (302, 404)
    assert as_bob.get(address(reply)).status_code == 404
    assert not Rating.objects.exists()


def test_nothing_is_asked_where_nobody_would_read_it(as_alice: Client, reply: Message, settings: Settings) -> None:
    settings.CHATSITE_REVIEW = False
    assert as_alice.get(address(reply)).status_code == 404
    assert as_alice.post(address(reply), {"value": "1"}).status_code == 404


@pytest.fixture
def rated(alice: User, bob: User, reply: Message) -> list[Message]:
    other = answered(bob, "Draw bob@example.com", "Hello Bob, ask alice.", key="other", model=PAINTER)
    ratings.rate(reply, -1, "not the colour")
    ratings.rate(other, 1, "")
    return [reply, other]


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({}, {"alice", "bob"}),
        ({"value__exact": "1"}, {"bob"}),
        ({"value__exact": "-1"}, {"alice"}),
        ({"commented": "yes"}, {"alice"}),
        ({"commented": "no"}, {"bob"}),
        ({"model": PAINTER}, {"bob"}),
        ({"q": "alice"}, {"alice"}),
    ],
)
def test_ratings_are_listed_and_filtered(
    as_carol: Client, rated: list[Message], asked: dict[str, str], found: set[str]
) -> None:
    page = as_carol.get(LIST, asked).content.decode()
    assert {name for name in ("alice", "bob") if f'<td class="field-owner">{name}</td>' in page} == found
    assert "not the colour" not in page
    assert not Look.objects.exists()


def test_comments_are_content_and_shown_for_a_reason(as_carol: Client, rated: list[Message]) -> None:
    assert as_carol.get(f"{LIST}export/").status_code == 302
    assert as_carol.post(LIST, {"reason": "quality of answers"}).status_code == 303
    assert "not the colour" in as_carol.get(LIST).content.decode()
    assert set(Look.objects.values_list("owner_name", "what")) == {("alice", "list"), ("bob", "list")}


def test_rated_replies_are_exported_in_the_form_of_unpaired_preferences(as_carol: Client, rated: list[Message]) -> None:
    as_carol.post(LIST, {"reason": "quality of answers"})
    lines = as_carol.get(f"{LIST}export/", {"value__exact": "-1", "whole": "1"}).content.decode().splitlines()
    (line,) = map(json.loads, lines)
    assert line["prompt"] == [{"role": "user", "content": "What is the colour of the sky?"}]
    assert line["completion"] == [{"role": "assistant", "content": "It is **green**."}]
    assert (line["label"], line["comment"], line["model"]) == (False, "not the colour", rated[0].model)
    look = Look.objects.get()
    assert (look.owner_name, look.what, look.reason) == ("alice", "ratings", "quality of answers")


def test_names_and_addresses_are_masked_in_an_export_unless_asked_for(as_carol: Client, rated: list[Message]) -> None:
    as_carol.post(LIST, {"reason": "quality of answers"})
    text = as_carol.get(f"{LIST}export/").content.decode()
    assert "Draw [e-mail]" in text
    assert "Hello [person 2], ask [person 1]." in text
    assert "bob" not in text.lower()
    assert "alice" not in text.lower()


def test_ratings_are_for_reviewers(as_alice: Client, rated: list[Message], admin_user: User) -> None:
    admin_user.is_superuser = False
    admin_user.save()
    staff = Client()
    staff.force_login(admin_user, backend="django.contrib.auth.backends.ModelBackend")
    for client in (as_alice, staff):
        assert client.get(LIST).status_code in (302, 403)
        assert client.get(f"{LIST}export/?whole=1").status_code in (302, 404)
