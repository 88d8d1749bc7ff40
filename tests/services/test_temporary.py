"""Temporary conversations: for a day, for nobody's list, and then gone with everything in them."""

import datetime as dt

import time_machine
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from conversations import queries
from conversations.generation.engine import Pool
from conversations.generation.sweeper import Sweeper
from conversations.models import Attachment, Conversation, Message, User
from conversations.models.message import Status
from conversations.services import conversations
from tests.conftest import MODEL, send
from tests.services.photographs import photograph

A_DAY = dt.timedelta(hours=24)


def test_a_temporary_conversation_lasts_a_day_and_no_longer(alice: User) -> None:
    conversation = send(alice, "hush", is_temporary=True).message.conversation
    almost, over = (conversation.created_at + A_DAY + dt.timedelta(minutes=one) for one in (-1, 1))
    with time_machine.travel(almost):
        assert Conversation.objects.visible_to(alice).get() == conversation
        assert Message.objects.visible_to(alice).count() == 2
    with time_machine.travel(over):
        assert not Conversation.objects.visible_to(alice).exists()
        assert not Message.objects.visible_to(alice).exists()


def test_an_ordinary_conversation_does_not_expire(alice: User) -> None:
    conversation = send(alice, "hello").message.conversation
    with time_machine.travel(timezone.now() + dt.timedelta(days=4000)):
        assert Conversation.objects.visible_to(alice).get() == conversation
        assert conversations.purge_expired() == 0


def test_no_list_shows_it(alice: User) -> None:
    send(alice, "hush", is_temporary=True)
    listed = send(alice, "hello").message.conversation
    assert queries.conversation_list(alice).recent == [listed]


def test_the_sweeper_removes_it_with_its_pictures(alice: User) -> None:
    upload = SimpleUploadedFile("holiday.jpg", photograph(320, 200), "image/jpeg")
    send(alice, "look", images=[upload], is_temporary=True)
    attachment = Attachment.objects.get()
    sweeper = Sweeper(Pool(limit=1), is_alone=False)
    sweeper.purge()
    assert Attachment.objects.visible_to(alice).exists()
    with time_machine.travel(timezone.now() + A_DAY):
        assert not Attachment.objects.visible_to(alice).exists()
        sweeper.purge()
    assert not Conversation.objects.exists()
    assert not Attachment.objects.exists()
    assert not default_storage.exists(attachment.path)


def test_what_runs_in_it_when_its_time_is_over_is_stopped(alice: User) -> None:
    reply = send(alice, "hush", is_temporary=True).reply
    kept = send(alice, "hello").reply
    with time_machine.travel(timezone.now() + A_DAY):
        Sweeper(Pool(limit=1), is_alone=False).sweep()
    reply.refresh_from_db()
    kept.refresh_from_db()
    assert (reply.status, kept.is_running) == (Status.STOPPED, True)


def test_an_expired_one_that_was_deleted_cannot_be_taken_back(alice: User) -> None:
    conversation = conversations.create(alice, model=MODEL, is_temporary=True)
    conversations.delete(conversation)
    assert Conversation.objects.deleted_by(alice).exists()
    with time_machine.travel(timezone.now() + A_DAY):
        assert not Conversation.objects.deleted_by(alice).exists()
