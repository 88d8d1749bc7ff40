"""The form for another version of a message, in its place by htmx and on a page of its own without scripts."""

import re
import uuid
from html import unescape

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from conversations.models import Conversation, Message, User
from conversations.services import replies
from conversations.services.texts import AttachedText
from tests.conftest import MODEL, send
from tests.services.photographs import photograph

HTMX = {"HX-Request": "true"}


@pytest.fixture
def message(alice: User, conversation: Conversation) -> Message:
    """A message with a picture and an attached text, whose reply was stopped."""
    upload = SimpleUploadedFile("holiday.jpg", photograph(320, 200), "image/jpeg")
    sent = send(alice, "look <here>", conversation, images=[upload], texts=[AttachedText("notes.txt", "long")])
    replies.stop(sent.reply)
    return sent.message


def fields(text: str, *keep: int) -> dict[str, object]:
    return {"text": text, "model": MODEL, "key": uuid.uuid4().hex, "keep": [str(one) for one in keep]}


def kinds(message: Message) -> list[str]:
    return [part.name or part.kind for part in message.parts.all()]


def test_the_form_holds_the_words_and_what_goes_with_them(as_alice: Client, message: Message) -> None:
    page = as_alice.get(f"/messages/{message.uuid}/edit/").content.decode()
    fragment = as_alice.get(f"/messages/{message.uuid}/edit/", headers=HTMX).content.decode()
    for html in (page, fragment):
        assert "look &lt;here&gt;</textarea>" in html
        assert re.findall(r'name="keep" value="(\d)" checked', html) == ["0", "2"]
        assert "notes.txt" in html
        assert f'value="{MODEL}" selected' in html
    assert ("<html" in page, "<html" in fragment) == (True, False)


def test_a_plain_form_leads_back_to_the_new_version(as_alice: Client, message: Message) -> None:
    response = as_alice.post(f"/messages/{message.uuid}/edit/", fields("look there", 0, 2))
    version = Message.objects.get(depth=0, on_path=True)
    assert response.status_code == 303
    assert response.headers["Location"] == f"/c/{message.conversation.uuid}/#message-{version.uuid}"
    assert kinds(version) == ["notes.txt", "text", "image"]


def test_by_htmx_the_version_and_its_reply_come_in_its_place(as_alice: Client, message: Message) -> None:
    response = as_alice.post(f"/messages/{message.uuid}/edit/", fields("look there", 2), headers=HTMX)
    page = response.content.decode()
    version = Message.objects.get(depth=0, on_path=True)
    assert response.headers["X-Branch"] == str(version.uuid)
    assert re.findall(r'data-role="(\w+)" data-status="(\w+)"', page) == [
        ("user", "complete"),
        ("assistant", "pending"),
    ]
    assert "2 of 2" in page
    assert kinds(version) == ["text", "image"]


@pytest.mark.parametrize(("text", "status"), [(" ", 422), ("y" * 200_001, 422)])
def test_a_refusal_keeps_the_words_and_the_choice(as_alice: Client, message: Message, text: str, status: int) -> None:
    for headers in ({}, HTMX):
        response = as_alice.post(f"/messages/{message.uuid}/edit/", fields(text), headers=headers)
        page = response.content.decode()
        assert response.status_code == status
        assert f"{text}</textarea>" in page
        assert "checked" not in page
        assert 'role="alert"' in page
        assert response.headers["HX-Retarget"] == f"#edit-{message.uuid}"


def test_while_the_reply_runs_it_is_a_conflict_that_keeps_the_words(as_alice: Client, alice: User) -> None:
    message = send(alice, "one").message
    response = as_alice.post(f"/messages/{message.uuid}/edit/", fields("uno"))
    assert response.status_code == 409
    assert "uno</textarea>" in response.content.decode()
    assert "still being written" in unescape(response.content.decode())


def test_a_repeated_form_leads_to_the_same_version(as_alice: Client, message: Message) -> None:
    form = fields("look there")
    address = f"/messages/{message.uuid}/edit/"
    first, second = as_alice.post(address, form), as_alice.post(address, form)
    assert first.headers["Location"] == second.headers["Location"]
    assert as_alice.post(address, form, headers=HTMX).headers["HX-Redirect"] == f"/c/{message.conversation.uuid}/"


def test_a_login_that_ran_out_while_writing_keeps_the_words(message: Message) -> None:
    response = Client().post(f"/messages/{message.uuid}/edit/", fields("written for an hour"))
    assert response.status_code == 401
    assert "written for an hour" in response.content.decode()


def test_replies_and_other_peoples_messages_are_not_there_to_edit(
    as_alice: Client, as_bob: Client, message: Message
) -> None:
    reply = Message.objects.replies().get()
    for client, of in ((as_alice, reply), (as_bob, message)):
        for method in ("get", "post"):
            found = getattr(client, method)(f"/messages/{of.uuid}/edit/", fields("mine now"))
            missing = getattr(client, method)(f"/messages/{uuid.uuid4()}/edit/", fields("mine now"))
            assert (found.status_code, found.content) == (404, missing.content)
    assert Message.objects.count() == 2


def test_other_methods_are_refused(as_alice: Client, message: Message) -> None:
    assert as_alice.delete(f"/messages/{message.uuid}/edit/").status_code == 405
