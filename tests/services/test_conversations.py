"""Titles, deletion with undo, and what is gone when it is over."""

import datetime as dt

import pytest
import time_machine
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from conversations.models import Attachment, Conversation, Message, User
from conversations.services import attachments, conversations, retention
from tests.conftest import send
from tests.services.photographs import photograph


def upload() -> SimpleUploadedFile:
    return SimpleUploadedFile("holiday.jpg", photograph(320, 200), "image/jpeg")


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("\n\n## Heading *here*\nmore", "Heading *here"),
        ("x" * 61, "x" * 60 + "…"),
        (
            "one two three four five six seven eight nine ten eleven, twelve",
            "one two three four five six seven eight nine ten eleven…",
        ),
        ("   \n", "Picture"),
    ],
)
def test_titles_come_from_the_first_words(text: str, title: str) -> None:
    assert conversations.title_from(text, fallback="Picture") == title


def test_a_deleted_conversation_is_nobodys_until_it_is_restored(alice: User, conversation: Conversation) -> None:
    conversations.delete(conversation)
    assert not Conversation.objects.visible_to(alice).exists()
    assert not Message.objects.visible_to(alice).exists()
    conversations.restore(Conversation.objects.deleted_by(alice).get())
    assert Conversation.objects.visible_to(alice).get() == conversation


def test_a_conversation_exists_until_it_is_deleted_or_its_time_is_over(conversation: Conversation) -> None:
    before, after = timezone.now() - dt.timedelta(minutes=1), timezone.now() + dt.timedelta(hours=1)
    exists = {
        (None, None): True,
        (None, after): True,
        (None, before): False,
        (before, None): False,
        (before, after): False,
    }
    for (deleted, expires), is_existing in exists.items():
        conversation.deleted_at, conversation.expires_at = deleted, expires
        assert conversation.is_existing == is_existing
        conversation.save()
        assert Conversation.objects.existing().exists() == is_existing


def test_after_the_undo_window_rows_and_files_are_gone(alice: User) -> None:
    conversation = send(alice, "look", images=[upload()]).message.conversation
    attachment = Attachment.objects.get()
    assert default_storage.exists(attachment.path)
    conversations.delete(conversation)
    assert retention.purge_deleted() == 0
    with time_machine.travel(timezone.now() + dt.timedelta(minutes=61)):
        assert retention.purge_deleted() == 1
    assert not Conversation.objects.exists()
    assert not Attachment.objects.exists()
    assert not default_storage.exists(attachment.path)
    assert not default_storage.exists(attachment.thumbnail_path)


def test_one_file_serves_two_uploads_until_both_are_gone(alice: User, bob: User) -> None:
    first = send(alice, "look", images=[upload()]).message.conversation
    second = send(bob, "look", images=[upload()]).message.conversation
    one, two = Attachment.objects.all()
    assert one.path == two.path
    conversations.purge(first)
    assert default_storage.exists(two.path)
    assert two.read()
    conversations.purge(second)
    assert not default_storage.exists(two.path)


def test_deleting_a_person_takes_messages_and_picture_rows_along(alice: User) -> None:
    send(alice, "look", images=[upload()])
    alice.delete()
    assert not Message.objects.exists()
    assert not Attachment.objects.exists()


def test_a_picture_no_message_holds_is_swept_after_a_day(alice: User) -> None:
    send(alice, "look", images=[upload()])
    Message.objects.all().delete()
    assert attachments.unreferenced() == []
    with time_machine.travel(timezone.now() + dt.timedelta(hours=25)):
        attachments.discard(attachments.unreferenced())
    assert not Attachment.objects.exists()
