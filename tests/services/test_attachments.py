"""Stored pictures in new messages, refused ones beside good ones, and texts attached to a message."""

import os
import uuid
from pathlib import Path

import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone
from pytest_django import Settings

from conversations.models import Attachment, Message, User
from conversations.providers.turns import ImagePart, TextPart
from conversations.services import attachments, catalog, conversations, history, retention
from conversations.services.attachments import PicturesRefused
from conversations.services.errors import KeyReused, Refusal
from conversations.services.texts import AttachedText
from tests.conftest import MODEL, PAINTER, send
from tests.services.photographs import photograph


def upload(name: str, width: int = 320) -> SimpleUploadedFile:
    return SimpleUploadedFile(name, photograph(width, 200), "image/jpeg")


def broken(name: str) -> SimpleUploadedFile:
    return SimpleUploadedFile(name, b"no picture at all", "image/png")


def pictures_of(message: Message) -> list[Attachment]:
    return [part.attachment for part in message.parts.all() if part.attachment]


def test_a_stored_picture_is_sent_again_as_a_row_of_its_own_with_the_same_file(alice: User) -> None:
    first = pictures_of(send(alice, "look", images=[upload("a.jpg")]).message)[0]
    attachments.describe(first, "A red boat")
    again = pictures_of(send(alice, "make it blue", order=[str(first.uuid)]).message)[0]
    assert again.pk != first.pk
    assert (again.path, again.name, again.alt) == (first.path, "a.jpg", "A red boat")


def test_a_picture_sent_again_outlives_the_message_it_came_from(alice: User) -> None:
    sent = send(alice, "look", images=[upload("a.jpg")])
    again = pictures_of(send(alice, "again", order=[str(pictures_of(sent.message)[0].uuid)]).message)[0]
    conversations.delete(sent.message.conversation)
    retention.purge_deleted(before=timezone.now())
    assert again.read()


def test_pictures_are_stored_in_the_order_of_the_form_new_and_old_mixed(alice: User) -> None:
    old = pictures_of(send(alice, "look", images=[upload("old.jpg")]).message)[0]
    sent = send(
        alice, "x", images=[upload("one.jpg"), upload("two.jpg"), upload("three.jpg")], order=["", str(old.uuid)]
    )
    assert [found.name for found in pictures_of(sent.message)] == ["one.jpg", "old.jpg", "two.jpg", "three.jpg"]


@pytest.mark.parametrize("kind", ["strangers", "missing", "nonsense", "deleted"])
def test_a_picture_one_may_not_use_is_refused_like_one_that_is_missing(alice: User, bob: User, kind: str) -> None:
    theirs = pictures_of(send(bob, "look", images=[upload("bob.jpg")]).message)[0]
    gone = send(alice, "look", images=[upload("a.jpg")]).message
    conversations.delete(gone.conversation)
    words = {"strangers": str(theirs.uuid), "missing": str(uuid.uuid4()), "nonsense": "'1", "deleted": ""}
    before = Message.objects.count()
    with pytest.raises(Refusal) as caught:
        send(alice, "mine now", order=[words[kind] or str(pictures_of(gone)[0].uuid)])
    assert str(caught.value) == str(attachments.GONE)
    assert Message.objects.count() == before


def test_every_refused_picture_is_named_and_the_others_are_kept(alice: User) -> None:
    files = [broken("a.png"), upload("b.jpg"), broken("c.png"), upload("d.jpg", 300)]
    with pytest.raises(PicturesRefused) as caught:
        send(alice, "look", images=files)
    assert [word in str(caught.value) for word in ("“a.png”", "“b.jpg”", "“c.png”", "are kept")] == [
        True,
        False,
        True,
        True,
    ]
    kept = attachments.rescue(alice, files, [], caught.value)
    assert [found.name for found in kept] == ["b.jpg", "d.jpg"]
    assert not Message.objects.exists()
    sent = send(alice, "look", order=[str(found.uuid) for found in reversed(kept)])
    assert [found.name for found in pictures_of(sent.message)] == ["d.jpg", "b.jpg"]


def test_a_refusal_says_which_and_that_the_others_are_kept(alice: User) -> None:
    with pytest.raises(PicturesRefused) as refused:
        attachments.choose(alice, [upload("good.jpg"), broken("bad.png")])
    first, second = str(refused.value).splitlines()
    assert "bad.png" in first
    assert second.startswith("The other pictures are kept")


def test_a_file_that_somebody_has_read_already_is_read_from_its_beginning(alice: User) -> None:
    file = upload("a.jpg")
    file.read()
    (chosen,) = attachments.choose(alice, [file])
    assert chosen.name == "a.jpg"


def test_kept_pictures_count_as_storage_and_none_are_kept_beyond_it(alice: User, settings: Settings) -> None:
    settings.CHATSITE_STORAGE_PER_PERSON = 100
    assert attachments.rescue(alice, [upload("a.jpg")], [], Refusal("no")) == []
    assert not Attachment.objects.exists()


def test_kept_pictures_are_their_owners_alone_and_forgotten_after_a_day(alice: User, bob: User) -> None:
    (kept,) = attachments.rescue(alice, [upload("a.jpg")], [], Refusal("no"))
    assert list(Attachment.objects.visible_to(alice)) == [kept]
    assert not Attachment.objects.visible_to(bob).exists()
    assert attachments.unreferenced() == []
    Attachment.objects.update(created_at="2020-01-01T00:00:00Z")
    assert attachments.unreferenced() == [kept]


def test_a_picture_that_went_after_it_was_chosen_is_refused_and_not_sent_without_its_file(alice: User) -> None:
    (kept,) = attachments.rescue(alice, [upload("a.jpg")], [], Refusal("no"))
    (chosen,) = attachments.choose(alice, [], [str(kept.uuid)])
    attachments.discard([kept])
    with pytest.raises(Refusal, match="not there any more"):
        attachments.attach(alice, chosen)
    assert not Attachment.objects.exists()


def test_a_form_that_promises_more_uploads_than_come_is_taken_with_those_that_came(alice: User) -> None:
    sent = send(alice, "look", images=[upload("a.jpg")], order=["", "", ""])
    assert [found.name for found in pictures_of(sent.message)] == ["a.jpg"]


def test_storage_is_full_with_the_byte_behind_the_last(alice: User, bob: User, settings: Settings) -> None:
    (first,) = pictures_of(send(alice, "look", images=[upload("a.jpg")]).message)
    settings.CHATSITE_STORAGE_PER_PERSON = 2 * first.bytes
    send(alice, "again", images=[upload("a.jpg")])
    with pytest.raises(Refusal, match="storage is full"):
        send(alice, "and again", images=[upload("a.jpg")])
    assert Attachment.objects.filter(owner=alice).count() == 2
    send(bob, "mine", images=[upload("a.jpg")])


def test_stored_pictures_count_towards_the_limit_and_need_a_model_that_sees(alice: User, settings: Settings) -> None:
    found = pictures_of(send(alice, "look", images=[upload("a.jpg")]).message)[0]
    settings.MESSAGE_MAX_IMAGES = 1
    with pytest.raises(Refusal, match="At most 1 pictures"):
        send(alice, "look", order=[str(found.uuid), ""], images=[upload("b.jpg")])


def test_a_repeated_form_with_a_stored_picture_is_one_message_and_with_another_a_conflict(alice: User) -> None:
    one, two = pictures_of(send(alice, "look", images=[upload("a.jpg"), upload("b.jpg")]).message)
    first, second = (send(alice, "x", key="k", order=[str(one.uuid)]) for _ in range(2))
    assert second.is_repeated
    assert first.message == second.message
    with pytest.raises(KeyReused):
        send(alice, "x", key="k", order=[str(two.uuid)])
    with pytest.raises(KeyReused):
        send(alice, "x", key="k", order=[str(one.uuid)], texts=[AttachedText("a.txt", "a")])


def test_attached_texts_stand_before_the_written_one_under_their_names(alice: User) -> None:
    sent = send(alice, "Sum it up", texts=[AttachedText("../a\u202e.txt", "long\r\nstory")], images=[upload("b.jpg")])
    parts = [(part.kind, part.name, part.text) for part in sent.message.parts.all()]
    assert parts == [("text", "a.txt", "long\nstory"), ("text", "", "Sum it up"), ("image", "", "")]
    assert sent.message.conversation.title == "Sum it up"


def test_a_model_reads_an_attached_text_under_its_name_and_in_its_place(alice: User) -> None:
    sent = send(alice, "Sum it up", texts=[AttachedText("a.txt", "long story")], images=[upload("b.jpg")])
    (turn,) = history.question_for(sent.reply).request.turns
    name, written, picture = turn.parts
    assert name == TextPart("--- a.txt ---\nlong story\n--- end of a.txt ---\n\n")
    assert written == TextPart("Sum it up")
    assert isinstance(picture, ImagePart)


def test_an_attached_text_alone_is_a_message_that_is_titled_by_it(alice: User) -> None:
    sent = send(alice, "", texts=[AttachedText("notes.md", "x")])
    assert sent.message.conversation.title == "notes.md"


def test_all_attached_texts_together_have_a_limit(alice: User) -> None:
    half = AttachedText("a.txt", "x" * 500_000)
    assert send(alice, "", texts=[half, half]).message.parts.count() == 2
    with pytest.raises(Refusal, match="longer than 1000000 characters"):
        send(alice, "x", texts=[half, half, AttachedText("b.txt", "y")])


def test_the_model_for_drawing_is_the_chosen_one_where_it_can(db: None, settings: Settings) -> None:
    assert (catalog.drawing(PAINTER), catalog.drawing(MODEL)) == (PAINTER, PAINTER)
    settings.PROVIDER_ENDPOINTS = {"segmind": ("", ""), "aimlapi": ("", "key")}
    assert catalog.drawing(MODEL) == MODEL


def test_what_a_kill_left_of_an_upload_is_removed_after_a_day(alice: User) -> None:
    kept = pictures_of(send(alice, "look", images=[upload("a.jpg")]).message)[0]
    folder = Path(default_storage.path(kept.path)).parent
    old, new = folder / ".part-old", folder / ".part-new"
    for part in (old, new):
        part.write_bytes(b"half a picture")
    a_day_ago = timezone.now().timestamp() - 25 * 3600
    os.utime(old, (a_day_ago, a_day_ago))
    attachments.remove_parts()
    assert (old.exists(), new.exists()) == (False, True)
    assert default_storage.exists(kept.path)
