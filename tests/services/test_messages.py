"""Sending and asking again, on the database alone."""

import threading

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from conversations.models import Conversation, Message, Part, User
from conversations.models.message import Status
from conversations.services import conversations, replies
from conversations.services.errors import KeyReused, NotNow, Refusal
from conversations.services.replies import Outcome
from tests.conftest import MODEL, PAINTER, IdleEngine, send
from tests.services.photographs import photograph


def upload(name: str = "holiday.jpg") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, photograph(320, 200), "image/jpeg")


def finish(reply: Message, status: Status = Status.COMPLETE) -> Message:
    claimed = replies.claim(reply.pk)
    assert claimed is not None
    assert replies.finish(claimed, Outcome(status))
    return Message.objects.get(pk=reply.pk)


def test_the_first_message_makes_a_titled_conversation_with_a_pending_reply(alice: User) -> None:
    sent = send(alice, "# What is a monad?\nSecond line")
    conversation = sent.message.conversation
    assert conversation.title == "What is a monad?"
    assert (sent.reply.status, sent.reply.depth, sent.reply.parent) == (Status.PENDING, 1, sent.message)


def test_the_reply_is_handed_to_the_engine_only_after_the_commit(
    alice: User, idle_engine: IdleEngine, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        sent = send(alice, "hello")
        assert idle_engine.started == []
    assert idle_engine.started == [sent.reply.pk]


def test_a_repeated_key_with_the_same_content_gives_the_first_message_again(alice: User) -> None:
    first, second = send(alice, "hello", key="k"), send(alice, "hello", key="k")
    assert second.is_repeated
    assert (second.message, second.reply) == (first.message, first.reply)
    assert Message.objects.count() == 2


def test_a_repeated_key_with_other_content_is_refused(alice: User) -> None:
    send(alice, "hello", key="k")
    with pytest.raises(KeyReused):
        send(alice, "other", key="k")


def test_a_repeated_key_with_another_picture_is_refused(alice: User) -> None:
    send(alice, "look", key="k", images=[upload()])
    other = SimpleUploadedFile("holiday.jpg", photograph(300, 200), "image/jpeg")
    with pytest.raises(KeyReused):
        send(alice, "look", key="k", images=[other])


def test_a_key_belongs_to_one_person(alice: User, bob: User) -> None:
    first, second = send(alice, "hello", key="k"), send(bob, "hello", key="k")
    assert first.message.conversation != second.message.conversation


def test_a_key_of_one_conversation_is_refused_in_another(alice: User, conversation: Conversation) -> None:
    send(alice, "hello", key="k")
    with pytest.raises(KeyReused):
        send(alice, "hello", conversation, key="k")


def test_a_key_of_a_deleted_conversation_does_not_bring_it_back(alice: User) -> None:
    conversations.delete(send(alice, "hello", key="k").message.conversation)
    with pytest.raises(KeyReused):
        send(alice, "hello", key="k")


def test_messages_follow_each_other_on_the_path(alice: User, conversation: Conversation) -> None:
    finish(send(alice, "one", conversation).reply)
    send(alice, "two", conversation)
    assert list(Message.objects.on_path().values_list("depth", "role")) == [
        (0, "user"),
        (1, "assistant"),
        (2, "user"),
        (3, "assistant"),
    ]


@pytest.mark.parametrize(
    ("text", "model", "says"),
    [
        ("  \n", "", "Write something"),
        ("x" * 200_001, "", "200000 characters"),
        ("hello", "nobody/nothing", "not on offer"),
    ],
)
def test_refused_content_stores_nothing(alice: User, text: str, model: str, says: str) -> None:
    with pytest.raises(Refusal, match=says):
        send(alice, text, model=model or MODEL)
    assert not Conversation.objects.exists()


def test_the_longest_allowed_message_is_taken(alice: User) -> None:
    assert send(alice, "x" * 200_000).message.parts.get().text == "x" * 200_000


def test_text_is_stored_as_every_database_can_hold_it(alice: User) -> None:
    sent = send(alice, "a\x00b\ud800c\r\nd\re")
    assert sent.message.parts.get().text == "a\ufffdb\ufffdc\nd\ne"


def test_pictures_follow_the_text_in_their_order(alice: User) -> None:
    sent = send(alice, "look", images=[upload("a.jpg"), upload("../../b\u202egpj.exe")], model=PAINTER)
    parts = list(sent.message.parts.all())
    assert [part.kind for part in parts] == ["text", "image", "image"]
    assert [part.attachment.name for part in parts[1:] if part.attachment] == ["a.jpg", "bgpj.exe"]


def test_a_picture_alone_is_a_message(alice: User) -> None:
    sent = send(alice, "", images=[upload()])
    assert [part.kind for part in sent.message.parts.all()] == ["image"]
    assert sent.message.conversation.title == "Picture"


def test_a_refused_picture_is_named_and_nothing_is_stored(alice: User) -> None:
    with pytest.raises(Refusal, match=r"“letter\.png”: "):
        send(alice, "look", images=[SimpleUploadedFile("letter.png", b"no picture at all")])
    assert not Message.objects.exists()


def test_more_pictures_than_a_message_holds_are_refused(alice: User, settings: Settings) -> None:
    settings.MESSAGE_MAX_IMAGES = 1
    with pytest.raises(Refusal, match="At most 1 pictures"):
        send(alice, "look", images=[upload(), upload()])


def test_a_full_storage_is_said_before_anything_is_stored(alice: User, settings: Settings) -> None:
    settings.CHATSITE_STORAGE_PER_PERSON = 100
    with pytest.raises(Refusal, match="storage is full"):
        send(alice, "look", images=[upload()])
    assert not Message.objects.exists()


def test_a_message_into_a_conversation_that_was_just_deleted_is_refused(
    alice: User, conversation: Conversation
) -> None:
    conversations.delete(conversation)
    with pytest.raises(NotNow):
        send(alice, "hello", conversation)


@pytest.mark.django_db(transaction=True)
def test_eight_simultaneous_submits_of_one_form_make_one_message(alice: User) -> None:
    results: list[Message] = []

    def submit() -> None:
        try:
            results.append(send(alice, "hello", key="same").message)
        finally:
            connection.close()

    threads = [threading.Thread(target=submit) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 8
    assert Message.objects.count() == 2
    assert Part.objects.count() == 1
