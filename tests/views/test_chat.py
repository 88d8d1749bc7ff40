"""Pages and forms by the contract people, assistive technology and tests rely on."""

import gzip
import html
import re
import uuid

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from conversations.models import Attachment, Conversation, Message, User
from conversations.models.message import Status
from conversations.services import conversations, replies
from conversations.services.replies import NewPiece, Outcome
from tests.conftest import MODEL, send
from tests.services.photographs import photograph


def fields(text: str = "hello", **more: object) -> dict[str, object]:
    return {"text": text, "model": MODEL, "key": uuid.uuid4().hex} | more


def test_anonymous_people_are_sent_to_the_login() -> None:
    response = Client().get("/")
    assert (response.status_code, response.headers["Location"]) == (302, "/accounts/login/?next=/")


def test_the_first_page_has_the_composer_by_its_names(as_alice: Client) -> None:
    page = as_alice.get("/").content.decode()
    for wanted in (
        'name="text"',
        'name="images"',
        'name="model"',
        'name="key"',
        'name="system_prompt"',
        'enctype="multipart/form-data"',
        'value="segmind/gemini-1.5-pro"',
        'role="log"',
    ):
        assert wanted in page


def test_sending_without_javascript_redirects_to_the_conversation(as_alice: Client) -> None:
    response = as_alice.post("/", fields())
    conversation = Conversation.objects.get()
    assert (response.status_code, response.headers["Location"]) == (303, f"/c/{conversation.uuid}/")


def test_the_token_that_comes_back_with_a_sent_message_is_only_text(as_alice: Client) -> None:
    """The forms of the answer hold the token that it was sent with, as nothing but the value of their field."""
    token = '"><script>alert(1)</script>'
    for address in ("/", f"/c/{conversation_of(as_alice).uuid}/"):
        sent = fields(csrfmiddlewaretoken=token)
        page = as_alice.post(address, sent, headers={"HX-Request": "true"}).content.decode()
        held = re.findall(r'name="csrfmiddlewaretoken" value="([^"]*)"', page)
        assert held
        assert {html.unescape(one) for one in held} == {token}
        assert "<script>" not in page


def conversation_of(client: Client) -> Conversation:
    client.post("/", fields())
    return Conversation.objects.get()


def test_sending_with_htmx_answers_with_the_two_articles(as_alice: Client, alice: User) -> None:
    conversation = conversations.create(alice, model=MODEL)
    response = as_alice.post(f"/c/{conversation.uuid}/", fields(), headers={"HX-Request": "true"})
    page = response.content.decode()
    assert response.status_code == 200
    assert re.findall(r'data-role="(\w+)" data-status="(\w+)"', page) == [
        ("user", "complete"),
        ("assistant", "pending"),
    ]
    reply = Message.objects.replies().get()
    assert f'sse-connect="/replies/{reply.uuid}/events/"' in page
    assert 'hx-swap-oob="true"' in page


def test_a_new_conversation_with_htmx_takes_its_own_address(as_alice: Client) -> None:
    response = as_alice.post("/", fields(), headers={"HX-Request": "true"})
    conversation = Conversation.objects.get()
    page = response.content.decode()
    assert response.headers["HX-Push-Url"] == f"/c/{conversation.uuid}/"
    assert re.findall(r'data-role="(\w+)"', page) == ["user", "assistant"]
    assert f'formaction="/c/{conversation.uuid}/stop/"' in page
    assert f'href="/c/{conversation.uuid}/" aria-current="page">' in page


def test_a_repeated_form_leads_to_the_same_conversation(as_alice: Client) -> None:
    form = fields()
    first, second = as_alice.post("/", form), as_alice.post("/", form)
    assert first.headers["Location"] == second.headers["Location"]
    assert (second.status_code, Message.objects.count()) == (303, 2)


def test_a_repeated_key_with_other_content_is_a_conflict_and_keeps_the_text(as_alice: Client) -> None:
    form = fields()
    as_alice.post("/", form)
    response = as_alice.post("/", form | {"text": "something else"})
    assert response.status_code == 409
    assert "something else" in response.content.decode()


def test_refused_input_gives_the_page_again_with_text_and_sentence(as_alice: Client) -> None:
    response = as_alice.post("/", fields("my <words>", model="nobody/nothing"))
    page = response.content.decode()
    assert response.status_code == 422
    assert "my &lt;words&gt;</textarea>" in page
    assert "This model is not on offer" in page
    assert 'role="alert"' in page


def test_refused_input_with_htmx_is_a_notice_beside_the_composer(as_alice: Client) -> None:
    response = as_alice.post("/", fields(" "), headers={"HX-Request": "true"})
    assert response.status_code == 422
    assert response.headers["HX-Retarget"] == "#composer-notice"
    assert "Write something" in response.content.decode()


def test_a_logged_out_send_with_htmx_says_so_where_the_person_looks() -> None:
    response = Client().post("/", fields(), headers={"HX-Request": "true"})
    assert (response.status_code, response.headers["HX-Retarget"]) == (401, "#composer-notice")


def test_a_running_reply_refreshes_the_page_without_javascript(as_alice: Client, alice: User) -> None:
    reply = replies.claim(send(alice, "one").reply.pk)
    assert reply is not None
    replies.write([NewPiece(reply.pk, reply.claim, 0, "text", "**so far**")])
    page = as_alice.get(f"/c/{reply.conversation.uuid}/").content.decode()
    assert '<noscript><meta http-equiv="refresh"' in page
    assert "<strong>so far</strong>" in page
    replies.finish(reply, Outcome(Status.COMPLETE))
    assert "http-equiv" not in as_alice.get(f"/c/{reply.conversation.uuid}/").content.decode()


def test_stop_ends_the_reply_and_keeps_the_text(as_alice: Client, alice: User) -> None:
    reply = replies.claim(send(alice, "one").reply.pk)
    assert reply is not None
    replies.write([NewPiece(reply.pk, reply.claim, 0, "text", "so far")])
    response = as_alice.post(f"/c/{reply.conversation.uuid}/stop/")
    assert response.status_code == 303
    page = as_alice.get(f"/c/{reply.conversation.uuid}/").content.decode()
    assert 'data-status="stopped"' in page
    assert "so far" in page


def test_a_failed_reply_says_what_to_do_and_can_be_retried(as_alice: Client, alice: User) -> None:
    reply = replies.claim(send(alice, "one").reply.pk)
    assert reply is not None
    replies.finish(reply, Outcome(Status.FAILED, error_code="rate_limited", error_detail="<slow>", retry_after=7))
    page = as_alice.get(f"/c/{reply.conversation.uuid}/").content.decode()
    assert 'role="alert" data-error="rate_limited"' in page
    assert "Retry in 7 seconds" in page
    assert "&lt;slow&gt;" in page
    response = as_alice.post(f"/replies/{reply.uuid}/retry/", headers={"HX-Request": "true"})
    assert re.findall(r'data-status="(\w+)"', response.content.decode()) == ["pending"]


@pytest.mark.parametrize("action", ["", "stop/", "settings/", "delete/"])
def test_a_strangers_conversation_answers_like_a_missing_one(as_bob: Client, alice: User, action: str) -> None:
    conversation = send(alice, "one").message.conversation
    for method in ("get", "post"):
        theirs = getattr(as_bob, method)(f"/c/{conversation.uuid}/{action}")
        missing = getattr(as_bob, method)(f"/c/{uuid.uuid4()}/{action}")
        assert theirs.status_code == missing.status_code
        assert theirs.status_code in (404, 405)
        assert theirs.content == missing.content
    assert Message.objects.running().count() == 1


def test_a_strangers_reply_cannot_be_retried(as_bob: Client, alice: User) -> None:
    reply = send(alice, "one").reply
    replies.stop(reply)
    assert as_bob.post(f"/replies/{reply.uuid}/retry/").status_code == 404
    assert Message.objects.replies().count() == 1


def test_a_picture_is_served_to_its_owner_alone(as_alice: Client, as_bob: Client, alice: User) -> None:
    upload = SimpleUploadedFile("a.jpg", photograph(1200, 800), "image/jpeg")
    conversation = send(alice, "look", images=[upload]).message.conversation
    attachment = Attachment.objects.get()
    page = as_alice.get(f"/c/{conversation.uuid}/").content.decode()
    assert f'href="/attachments/{attachment.uuid}/original/"' in page
    for size in ("original", "thumbnail"):
        mine = as_alice.get(f"/attachments/{attachment.uuid}/{size}/")
        assert mine.status_code == 200
        assert mine.headers["Content-Type"] in ("image/jpeg", "image/webp")
        assert mine.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
        assert b"".join(mine.streaming_content)  # type: ignore[attr-defined]
        assert as_bob.get(f"/attachments/{attachment.uuid}/{size}/").status_code == 404
        assert Client().get(f"/attachments/{attachment.uuid}/{size}/").status_code == 302


def test_a_picture_of_a_deleted_conversation_is_gone(as_alice: Client, alice: User) -> None:
    upload = SimpleUploadedFile("a.jpg", photograph(320, 200), "image/jpeg")
    conversations.delete(send(alice, "look", images=[upload]).message.conversation)
    assert as_alice.get(f"/attachments/{Attachment.objects.get().uuid}/original/").status_code == 404


def test_settings_are_kept_and_wrong_ones_are_refused_with_what_was_typed(as_alice: Client, alice: User) -> None:
    conversation = send(alice, "one").message.conversation
    wanted = {"title": "New name", "system_prompt": "Be brief.", "temperature": "0.3", "max_tokens": "100"}
    assert as_alice.post(f"/c/{conversation.uuid}/settings/", wanted).status_code == 303
    conversation.refresh_from_db()
    assert (conversation.title, conversation.system_prompt) == ("New name", "Be brief.")
    assert conversation.parameters == {"temperature": 0.3, "max_tokens": 100}
    response = as_alice.post(f"/c/{conversation.uuid}/settings/", wanted | {"temperature": "9"})
    assert response.status_code == 422
    assert 'value="9"' in response.content.decode()


def test_deleting_offers_the_undo(as_alice: Client, alice: User) -> None:
    conversation = send(alice, "Recipe for soup").message.conversation
    page = as_alice.post(f"/c/{conversation.uuid}/delete/", follow=True).content.decode()
    assert "was deleted" in page
    assert f'action="/c/{conversation.uuid}/restore/"' in page
    assert as_alice.post(f"/c/{conversation.uuid}/restore/").headers["Location"] == f"/c/{conversation.uuid}/"
    assert as_alice.get(f"/c/{conversation.uuid}/").status_code == 200


def test_another_persons_deletion_cannot_be_undone(as_bob: Client, alice: User) -> None:
    conversation = send(alice, "one").message.conversation
    conversations.delete(conversation)
    assert as_bob.post(f"/c/{conversation.uuid}/restore/").status_code == 404


def test_pages_cost_the_same_number_of_queries_however_much_there_is(
    as_alice: Client, alice: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    conversation = conversations.create(alice, model=MODEL)
    for number in range(10):
        replies.stop(send(alice, f"message {number}", conversation).reply)
        send(alice, f"another conversation {number}")
    with django_assert_num_queries(8):
        as_alice.get(f"/c/{conversation.uuid}/")


def test_private_pages_are_kept_by_no_cache_and_carry_the_strict_policy(as_alice: Client) -> None:
    response = as_alice.get("/")
    assert response.headers["Cache-Control"] == "private, no-store"
    policy = response.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy


def test_a_repeated_form_with_htmx_loads_the_conversation(as_alice: Client) -> None:
    form = fields()
    as_alice.post("/", form)
    response = as_alice.post("/", form, headers={"HX-Request": "true"})
    assert response.headers["HX-Redirect"] == f"/c/{Conversation.objects.get().uuid}/"


def test_settings_are_a_panel_over_the_chat_and_a_part_of_the_page_without_javascript(
    as_alice: Client, alice: User
) -> None:
    conversation = conversations.create(alice, model=MODEL, system_prompt="Be brief.")
    address = f"/c/{conversation.uuid}/settings/"
    panel = as_alice.get(address, headers={"HX-Request": "true"}).content.decode()
    page = as_alice.get(address).content.decode()
    assert 'id="settings" class="panel" popover' in panel
    assert 'id="settings" class="panel">' in page
    for shown in (panel, page):
        assert "Be brief.</textarea>" in shown


def test_a_message_sent_beside_the_settings_goes_to_the_conversation(as_alice: Client, alice: User) -> None:
    conversation = conversations.create(alice, model=MODEL)
    page = as_alice.get(f"/c/{conversation.uuid}/settings/").content.decode()
    assert f'action="/c/{conversation.uuid}/"' in page
    assert f'hx-post="/c/{conversation.uuid}/"' in page


def test_whole_pages_are_compressed_and_fragments_are_not(as_alice: Client) -> None:
    page = as_alice.get("/", headers={"Accept-Encoding": "gzip"})
    assert page.headers["Content-Encoding"] == "gzip"
    assert b"<title>" in gzip.decompress(page.content)
    fragment = as_alice.post("/", fields(), headers={"Accept-Encoding": "gzip", "HX-Request": "true"})
    assert "Content-Encoding" not in fragment.headers


def test_a_suggestion_is_a_link_that_fills_in_the_composer(as_alice: Client) -> None:
    page = as_alice.get("/").content.decode()
    links = re.findall(r'class="suggestion" href="([^"]+)"', page)
    assert len(links) == 3
    filled = as_alice.get(html.unescape(links[0])).content.decode()
    assert "Describe this picture and tell me what is unusual about it.</textarea>" in filled
    assert re.search(r'<option value="segmind/gemini-2.5-flash"[^>]* selected', filled)


def test_text_from_a_link_is_text_and_not_too_long(as_alice: Client) -> None:
    page = as_alice.get("/", {"text": "<b>" + "x" * 5000}).content.decode()
    assert "&lt;b&gt;" + "x" * 1997 + "</textarea>" in page
