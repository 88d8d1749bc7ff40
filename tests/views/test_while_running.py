"""Continue, waiting messages and columns: addresses, statuses and what stands on the page."""

import re
import uuid

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from conversations.models import Message, User
from conversations.models.message import Status
from conversations.services import replies
from conversations.services.replies import NewPiece, Outcome
from tests.conftest import MODEL, PAINTER, send
from tests.services.photographs import photograph

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


# --- Waiting messages -----------------------------------------------------------------------------------------------
@pytest.fixture
def first(alice: User) -> Message:
    """A reply that is being written."""
    reply = replies.claim(send(alice, "one").reply.pk)
    assert reply is not None
    return reply


@pytest.fixture
def held(first: Message, alice: User) -> Message:
    return send(alice, "two <b>", first.conversation).message


def fields(text: str) -> dict[str, str]:
    return {"text": text, "model": MODEL, "key": uuid.uuid4().hex}


def articles(page: str) -> list[tuple[str, str]]:
    return re.findall(r'data-role="(\w+)" data-status="(\w+)"', page)


def test_a_second_send_while_a_reply_runs_waits_in_the_transcript(as_alice: Client, first: Message) -> None:
    address = f"/c/{first.conversation.uuid}/"
    response = as_alice.post(address, fields("two"))
    assert (response.status_code, response.headers["Location"]) == (303, address)
    page = as_alice.get(address).content.decode()
    assert articles(page) == [("user", "complete"), ("assistant", "streaming"), ("user", "waiting")]
    assert "Waiting to be sent" in page
    assert "http-equiv" in page


def test_a_waiting_message_with_htmx_is_one_article_that_asks_for_itself_at_the_end_of_a_reply(
    as_alice: Client, first: Message
) -> None:
    response = as_alice.post(f"/c/{first.conversation.uuid}/", fields("two"), headers=HTMX)
    page = response.content.decode()
    held = Message.objects.get(status=Status.WAITING)
    assert articles(page) == [("user", "waiting")]
    assert f'hx-get="/messages/{held.uuid}/waiting/" hx-trigger="htmx:sseClose' in page


def test_a_third_send_is_a_conflict_and_keeps_the_text(as_alice: Client, held: Message) -> None:
    address = f"/c/{held.conversation.uuid}/"
    response = as_alice.post(address, fields("three"))
    page = response.content.decode()
    assert response.status_code == 409
    assert "waiting to be sent already" in page
    assert "three</textarea>" in page
    assert "http-equiv" not in page, "the page would take the text away"
    assert as_alice.post(address, fields("three"), headers=HTMX).headers["HX-Retarget"] == "#composer-notice"


def test_without_javascript_the_next_message_is_written_on_a_page_that_stands_still(
    as_alice: Client, first: Message
) -> None:
    address = f"/c/{first.conversation.uuid}/"
    assert 'href="?write"' in as_alice.get(address).content.decode()
    page = as_alice.get(f"{address}?write").content.decode()
    assert "http-equiv" not in page
    assert 'href="?write"' not in page
    assert as_alice.post(f"{address}", fields("two")).headers["Location"] == address


def test_what_became_of_a_waiting_message(as_alice: Client, first: Message, held: Message) -> None:
    address = f"/messages/{held.uuid}/waiting/"
    assert as_alice.get(address, headers=HTMX).status_code == 204
    replies.finish(first, Outcome(Status.COMPLETE))
    page = as_alice.get(address, headers=HTMX).content.decode()
    assert articles(page) == [("user", "complete"), ("assistant", "pending")]
    assert "sse-connect" in page
    assert as_alice.get(address).headers["Location"] == f"/c/{held.conversation.uuid}/"


def test_a_waiting_message_behind_a_failed_reply_is_sent_by_hand(
    as_alice: Client, first: Message, held: Message
) -> None:
    assert as_alice.post(f"/messages/{held.uuid}/send/").status_code == 409
    replies.finish(first, Outcome(Status.FAILED, error_code="auth"))
    page = as_alice.get(f"/c/{held.conversation.uuid}/").content.decode()
    assert f'action="/messages/{held.uuid}/send/"' in page
    assert "http-equiv" not in page
    sent = as_alice.post(f"/messages/{held.uuid}/send/", headers=HTMX).content.decode()
    assert articles(sent) == [("user", "complete"), ("assistant", "pending")]
    assert as_alice.post(f"/messages/{held.uuid}/send/").status_code == 409


def test_withdrawing_without_javascript_fills_the_composer(as_alice: Client, held: Message) -> None:
    response = as_alice.post(f"/messages/{held.uuid}/withdraw/")
    page = response.content.decode()
    assert response.status_code == 200
    assert "two &lt;b&gt;</textarea>" in page
    assert f'action="/c/{held.conversation.uuid}/"' in page
    assert articles(page) == [("user", "complete"), ("assistant", "streaming")]
    assert "http-equiv" not in page, "the page would take the text away"
    assert as_alice.post(f"/messages/{held.uuid}/withdraw/").status_code == 404


def test_withdrawing_with_htmx_gives_the_text_for_the_composer(as_alice: Client, held: Message) -> None:
    written = {"text": "and <more>"}
    page = as_alice.post(f"/messages/{held.uuid}/withdraw/", written, headers=HTMX).content.decode()
    assert 'hx-swap-oob="true">two &lt;b&gt;\n\nand &lt;more&gt;</textarea>' in page


def test_withdrawing_says_that_pictures_have_to_be_attached_again(as_alice: Client, first: Message) -> None:
    for headers in (HTMX, {}):
        upload = SimpleUploadedFile("a.jpg", photograph(320, 200), "image/jpeg")
        as_alice.post(f"/c/{first.conversation.uuid}/", {**fields("look"), "images": upload})
        held = Message.objects.get(status=Status.WAITING)
        page = as_alice.post(f"/messages/{held.uuid}/withdraw/", headers=headers).content.decode()
        assert "Attach the pictures again" in page


def test_a_message_that_was_sent_is_not_withdrawn(as_alice: Client, first: Message, held: Message) -> None:
    replies.finish(first, Outcome(Status.COMPLETE))
    assert as_alice.post(f"/messages/{held.uuid}/withdraw/").status_code == 409
    assert as_alice.post(f"/messages/{held.uuid}/withdraw/", headers=HTMX).status_code == 409


@pytest.mark.parametrize("action", ["waiting", "send", "withdraw"])
def test_a_strangers_waiting_message_answers_like_a_missing_one(as_bob: Client, held: Message, action: str) -> None:
    for method in ("get", "post"):
        theirs, missing = (getattr(as_bob, method)(f"/messages/{one}/{action}/") for one in (held.uuid, uuid.uuid4()))
        assert (theirs.status_code, theirs.content) == (missing.status_code, missing.content)
        assert theirs.status_code in (404, 405)
    assert Message.objects.get(pk=held.pk).status == Status.WAITING


# --- Columns --------------------------------------------------------------------------------------------------------
@pytest.fixture
def beside(alice: User) -> list[Message]:
    """Two replies to one message, both being written."""
    made = send(alice, "one", compare=[PAINTER]).replies
    claimed = [replies.claim(reply.pk) for reply in made]
    return [reply for reply in claimed if reply]


def test_the_composer_offers_further_models(as_alice: Client) -> None:
    page = as_alice.get("/").content.decode()
    assert f'<input type="checkbox" name="compare" value="{PAINTER}">' in page


def test_one_form_makes_two_columns_with_a_stream_each(as_alice: Client) -> None:
    form: dict[str, object] = {**fields("one"), "compare": [PAINTER]}
    page = as_alice.post("/", form, headers=HTMX).content.decode()
    made = list(Message.objects.replies().order_by("column"))
    assert [reply.model for reply in made] == [MODEL, PAINTER]
    assert page.count('id="columns"') == 1
    assert re.findall(r'sse-connect="/replies/([-\w]+)/', page) == [str(reply.uuid) for reply in made]
    assert '<fieldset id="compare" class="panel compare" popover hx-swap-oob="true">' in page


def test_columns_stand_side_by_side_after_a_reload_and_refresh_without_javascript(
    as_alice: Client, beside: list[Message]
) -> None:
    address = f"/c/{beside[0].conversation.uuid}/"
    replies.finish(beside[0], Outcome(Status.COMPLETE))
    page = as_alice.get(address).content.decode()
    assert articles(page) == [("user", "complete"), ("assistant", "complete"), ("assistant", "streaming")]
    assert re.findall(r"/replies/([-\w]+)/pick/", page)[0] == str(beside[0].uuid)
    assert f"/replies/{beside[1].uuid}/pick/" not in page
    assert "http-equiv" in page
    replies.finish(beside[1], Outcome(Status.COMPLETE))
    assert "http-equiv" not in as_alice.get(address).content.decode()


def test_picking_leaves_that_one_alone(as_alice: Client, beside: list[Message]) -> None:
    for reply in beside:
        replies.finish(reply, Outcome(Status.COMPLETE))
    page = as_alice.post(f"/replies/{beside[1].uuid}/pick/", headers=HTMX).content.decode()
    assert re.findall(r'data-message="([-\w]+)"', page) == [str(beside[1].uuid)]
    assert "/pick/" not in page
    assert as_alice.post(f"/replies/{beside[0].uuid}/pick/").status_code == 409
    page = as_alice.get(f"/c/{beside[0].conversation.uuid}/").content.decode()
    assert articles(page) == [("user", "complete"), ("assistant", "complete")]
    assert "columns" not in re.findall(r'id="(\w+)"', page)


def test_picking_without_javascript_leads_back_to_the_conversation(as_alice: Client, beside: list[Message]) -> None:
    assert as_alice.post(f"/replies/{beside[1].uuid}/pick/").status_code == 409
    replies.finish(beside[1], Outcome(Status.COMPLETE))
    response = as_alice.post(f"/replies/{beside[1].uuid}/pick/")
    assert (response.status_code, response.headers["Location"]) == (303, f"/c/{beside[1].conversation.uuid}/")


def test_sending_on_with_htmx_puts_the_first_in_the_place_of_the_columns(
    as_alice: Client, beside: list[Message]
) -> None:
    for reply in beside:
        replies.finish(reply, Outcome(Status.COMPLETE))
    page = as_alice.post(f"/c/{beside[0].conversation.uuid}/", fields("two"), headers=HTMX).content.decode()
    assert re.findall(r'data-message="([-\w]+)"[^>]*hx-swap-oob="outerHTML:#columns"', page) == [str(beside[0].uuid)]
    assert "/pick/" not in page


def test_stop_stops_all_columns(as_alice: Client, beside: list[Message]) -> None:
    as_alice.post(f"/c/{beside[0].conversation.uuid}/stop/")
    assert set(Message.objects.replies().values_list("status", flat=True)) == {Status.STOPPED}


def test_a_refused_comparison_keeps_text_and_choice(as_alice: Client) -> None:
    form: dict[str, object] = {**fields("my words"), "compare": [PAINTER, "nobody/nothing"]}
    response = as_alice.post("/", form)
    page = response.content.decode()
    assert response.status_code == 422
    assert "my words</textarea>" in page
    assert f'value="{PAINTER}" checked' in page


def test_a_strangers_reply_is_not_picked(as_bob: Client, beside: list[Message]) -> None:
    replies.finish(beside[1], Outcome(Status.COMPLETE))
    theirs, missing = (as_bob.post(f"/replies/{one}/pick/") for one in (beside[1].uuid, uuid.uuid4()))
    assert (theirs.status_code, theirs.content) == (missing.status_code, missing.content) == (404, missing.content)
    assert Message.objects.get(pk=beside[1].pk).column == 1
