"""What a composer brings beside its text, with htmx and without; and words for pictures."""

import json
import re
import uuid

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from pytest_django import Settings

from conversations.models import Attachment, Message, Part, User
from tests.conftest import PAINTER, send
from tests.services.photographs import photograph
from tests.views.test_chat import fields

HTMX = {"HX-Request": "true"}


def photo(name: str = "good.jpg") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, photograph(320, 200), "image/jpeg")


def letter(name: str = "bad.png") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, b"no picture at all", "image/png")


def picture(owner: User, name: str = "boat.jpg") -> Attachment:
    part = send(owner, "look", images=[photo(name)]).message.parts.get(kind="image")
    assert part.attachment
    return part.attachment


def kept_in(page: str) -> list[str]:
    return re.findall(r'name="attachments" value="([0-9a-f-]{36})" checked', page)


@pytest.mark.parametrize("headers", [{}, HTMX], ids=["plain", "htmx"])
def test_one_refused_picture_of_three_keeps_two_in_the_composer(as_alice: Client, headers: dict[str, str]) -> None:
    files = [photo("one.jpg"), letter(), photo("two.jpg")]
    response = as_alice.post("/", fields("my words", images=files), headers=headers)
    page = response.content.decode()
    assert response.status_code == 422
    assert "“bad.png”" in page
    assert [Attachment.objects.get(uuid=found).name for found in kept_in(page)] == ["one.jpg", "two.jpg"]
    for found in kept_in(page):
        assert b"".join(as_alice.get(f"/attachments/{found}/thumbnail/").streaming_content)  # type: ignore[attr-defined]
    sent = as_alice.post("/", fields("my words", attachments=kept_in(page)))
    assert sent.status_code == 303
    assert Part.objects.filter(kind="image").count() == 2


def test_without_javascript_another_refusal_keeps_pictures_and_texts_too(as_alice: Client) -> None:
    form = fields("", model="nobody/nothing", images=[photo()], texts=["<long>\nstory"], text_names=["a.txt"])
    page = as_alice.post("/", form).content.decode()
    assert len(kept_in(page)) == 1
    assert "\n&lt;long&gt;\nstory</textarea>" in page
    assert 'name="text_names" value="a.txt"' in page


def test_text_files_are_attached_without_javascript(as_alice: Client) -> None:
    notes = SimpleUploadedFile("notes.py", "\ufeffprint('ä')\n".encode())
    response = as_alice.post("/", fields("Explain", images=[notes, photo()]), follow=True)
    assert [(part.name, part.text) for part in Part.objects.filter(kind="text")] == [
        ("notes.py", "print('ä')\n"),
        ("", "Explain"),
    ]
    page = response.content.decode()
    assert re.search(r'<details class="attached">.*notes\.py.*11 characters', page, re.DOTALL)


def test_a_text_file_that_is_not_utf_8_is_refused_by_name_and_the_picture_kept(as_alice: Client) -> None:
    files = [SimpleUploadedFile("old.txt", "Grüße".encode("latin-1")), photo()]
    page = as_alice.post("/", fields(images=files)).content.decode()
    assert "“old.txt”: This text cannot be read. Save it as UTF-8" in page
    assert len(kept_in(page)) == 1


def test_texts_up_to_a_million_characters_come_through_the_form(as_alice: Client) -> None:
    assert as_alice.post("/", fields("x", texts=["字" * 1_000_000], text_names=["a.txt"])).status_code == 303
    response = as_alice.post("/", fields("x", texts=["字" * 1_000_001], text_names=["a.txt"]))
    assert response.status_code == 422
    assert "longer than 1000000 characters" in response.content.decode()


def test_a_picture_is_taken_into_the_composer_by_an_address(as_alice: Client, alice: User) -> None:
    found = picture(alice)
    page = as_alice.get(f"/c/{Message.objects.first().conversation.uuid}/?picture={found.uuid}").content.decode()  # type: ignore[union-attr]
    assert kept_in(page) == [str(found.uuid)]
    assert f'<option value="{PAINTER}"' in page
    assert re.search(rf'<option value="{PAINTER}"[^>]* selected', page)
    assert "A model that can draw was chosen" in page


def test_a_page_that_is_there_takes_a_picture_in_and_changes_the_model(as_alice: Client, alice: User) -> None:
    found = picture(alice)
    address = f"/c/{Message.objects.first().conversation.uuid}/?picture={found.uuid}"  # type: ignore[union-attr]
    part = as_alice.get(f"{address}&model=aimlapi/google/gemini-2.5-flash", headers=HTMX).content.decode()
    assert "<html" not in part
    assert kept_in(part) == [str(found.uuid)]
    assert re.search(rf'<option value="{PAINTER}"[^>]* selected', part)
    assert "A model that can draw was chosen" in part
    assert (
        "A model that can draw was chosen"
        not in as_alice.get(f"{address}&model={PAINTER}", headers=HTMX).content.decode()
    )


def test_a_strangers_picture_is_taken_and_sent_like_a_missing_one(as_bob: Client, alice: User, bob: User) -> None:
    theirs, own = picture(alice), send(bob, "mine").message.conversation
    for address in (f"/c/{own.uuid}/?picture=", "/?picture="):
        assert as_bob.get(address + str(uuid.uuid4())).status_code == 404
        assert as_bob.get(address + str(theirs.uuid)).status_code == 404
        assert as_bob.get(address + "nonsense").status_code == 404
    answers = [as_bob.post("/", fields(attachments=[word]), headers=HTMX) for word in (theirs.uuid, uuid.uuid4(), "no")]
    assert {answer.status_code for answer in answers} == {422}
    assert len({answer.content for answer in answers}) == 1
    assert not Attachment.objects.filter(owner=bob).exists()


@pytest.mark.parametrize("headers", [{}, HTMX], ids=["plain", "htmx"])
def test_words_for_a_picture_are_kept_and_shown(as_alice: Client, alice: User, headers: dict[str, str]) -> None:
    found = picture(alice)
    address = f"/attachments/{found.uuid}/describe/"
    assert 'name="alt"' in as_alice.get(address, headers=headers).content.decode()
    response = as_alice.post(address, {"alt": "A <red>\nboat"}, headers=headers)
    conversation = Message.objects.filter(parts__attachment=found).get().conversation
    if headers:
        assert f'id="picture-{found.uuid}"' in response.content.decode()
    else:
        assert response.headers["Location"].startswith(f"/c/{conversation.uuid}/#message-")
    assert 'alt="A &lt;red&gt; boat"' in as_alice.get(f"/c/{conversation.uuid}/").content.decode()
    as_alice.post(address, {"alt": ""})
    assert 'alt="boat.jpg"' in as_alice.get(f"/c/{conversation.uuid}/").content.decode()


def test_words_that_are_too_many_are_refused_and_come_back(as_alice: Client, alice: User) -> None:
    found = picture(alice)
    response = as_alice.post(f"/attachments/{found.uuid}/describe/", {"alt": "x" * 501})
    assert response.status_code == 422
    assert "x" * 501 in response.content.decode()
    assert Attachment.objects.get(pk=found.pk).alt == ""


def test_a_strangers_picture_cannot_be_described(as_bob: Client, alice: User) -> None:
    theirs = f"/attachments/{picture(alice).uuid}/describe/"
    missing = f"/attachments/{uuid.uuid4()}/describe/"
    for method in ("get", "post"):
        answers = [getattr(as_bob, method)(address) for address in (theirs, missing)]
        assert [answer.status_code for answer in answers] == [404, 404]
        assert answers[0].content == answers[1].content
    assert Client().get(theirs).status_code == 302


def test_the_page_says_when_no_model_can_change_pictures(as_alice: Client, alice: User, settings: Settings) -> None:
    settings.PROVIDER_ENDPOINTS = {"segmind": ("", ""), "aimlapi": ("", "key")}
    page = as_alice.get(f"/?picture={picture(alice).uuid}").content.decode()
    assert "No model on offer can change pictures" in page


def test_a_login_that_ran_out_without_javascript_gives_the_text_back_to_be_sent_again(alice: User) -> None:
    client = Client()
    form = fields("<my> words", texts=["long"], text_names=["a.txt"], attachments=["x"], images=[photo()])
    page = client.post("/", form)
    assert page.status_code == 401
    words = page.content.decode()
    assert "\n&lt;my&gt; words</textarea>" in words
    assert f'name="key" value="{form["key"]}"' in words
    assert 'name="texts" value="long"' in words
    assert 'href="/accounts/login/" target="_blank"' in words
    assert "pictures have to be chosen again" in words


def test_a_login_that_ran_out_with_htmx_links_to_a_new_one() -> None:
    response = Client().post("/", fields(), headers=HTMX)
    assert (response.status_code, response.headers["HX-Retarget"]) == (401, "#composer-notice")
    assert 'href="/accounts/login/" target="_blank"' in response.content.decode()


@pytest.mark.parametrize("origin", ["http://testserver", "https://evil.example", "null", None])
def test_a_renewed_login_gives_a_new_token_to_pages_of_ours_alone(alice: User, origin: str | None) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(alice, backend="django.contrib.auth.backends.ModelBackend")
    headers = {"Origin": origin} if origin else {}
    answer = client.post("/", fields("my words"), headers=headers)
    assert answer.status_code == 403
    assert ("my words</textarea>" in answer.content.decode()) == (origin == "http://testserver")
    renewed = client.post("/", fields("my words"), headers=headers | HTMX).headers.get("HX-Trigger", "")
    assert ("renewed" in renewed) == (origin == "http://testserver")
    if renewed:
        form = fields("my words", csrfmiddlewaretoken=json.loads(renewed)["renewed"]["value"])
        assert client.post("/", form, headers=headers).status_code == 303
    assert Message.objects.exists() == bool(renewed)
