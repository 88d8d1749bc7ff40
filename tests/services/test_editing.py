"""Another version of a message: beside the first one, with its pictures and texts, answered by itself."""

import threading

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection

from conversations import queries
from conversations.models import Attachment, Conversation, Message, User
from conversations.models.message import Status
from conversations.services import branches, conversations, messages, replies
from conversations.services.errors import Busy, KeyReused, NotNow, Refusal
from conversations.services.messages import Draft, Sent
from conversations.services.replies import NewPiece, Outcome
from conversations.services.texts import AttachedText
from tests.conftest import MODEL, PAINTER, send
from tests.services.photographs import photograph


def answer(sent: Sent, text: str) -> Message:
    claimed = replies.claim(sent.reply.pk)
    assert claimed is not None
    replies.write([NewPiece(claimed.pk, claimed.claim, 0, "text", text)])
    assert replies.finish(claimed, Outcome(Status.COMPLETE))
    return sent.message


def edit(user: User, message: Message, text: str, *, key: str = "", model: str = MODEL, **more: object) -> Sent:
    key = key or f"edit-{Message.objects.count()}"
    return messages.edit(user, message, Draft(text=text, model=model, key=key, **more))  # type: ignore[arg-type]


def path(conversation: Conversation) -> list[str]:
    shown = queries.newest(conversation).shown
    return [one.body[0].text if one.body else one.message.status for one in shown]


@pytest.fixture
def talk(alice: User, conversation: Conversation) -> list[Message]:
    """Two messages of alice, each answered."""
    return [answer(send(alice, text, conversation), f"to {text}") for text in ("one", "two")]


def test_the_new_version_stands_beside_the_old_one_and_is_answered(
    alice: User, conversation: Conversation, talk: list[Message]
) -> None:
    sent = edit(alice, talk[1], "two, please")
    assert (sent.message.parent, sent.message.depth) == (talk[1].parent, 2)
    assert path(conversation) == ["one", "to one", "two, please", "pending"]
    branches.show(talk[1])
    assert path(conversation) == ["one", "to one", "two", "to two"]


def test_the_first_message_can_be_edited_too(alice: User, conversation: Conversation, talk: list[Message]) -> None:
    edit(alice, talk[0], "another beginning")
    assert path(conversation) == ["another beginning", "pending"]
    shown = queries.newest(conversation).shown[0]
    assert shown.siblings == queries.Siblings(2, 2, talk[0].uuid, None)


def test_the_chosen_model_answers_and_is_that_of_the_conversation_from_then_on(
    alice: User, conversation: Conversation, talk: list[Message]
) -> None:
    assert edit(alice, talk[1], "draw it", model=PAINTER).reply.model == PAINTER
    conversation.refresh_from_db()
    assert conversation.model == PAINTER


def test_pictures_and_texts_go_along_as_rows_of_their_own(alice: User, conversation: Conversation) -> None:
    upload = SimpleUploadedFile("holiday.jpg", photograph(320, 200), "image/jpeg")
    sent = send(alice, "look", conversation, images=[upload], texts=[AttachedText("notes.txt", "long")])
    answer(sent, "a lake")
    picture = Attachment.objects.get()
    version = edit(
        alice, sent.message, "look again", order=[str(picture.uuid)], texts=[AttachedText("notes.txt", "long")]
    )
    parts = [(part.kind, part.name, part.text) for part in version.message.parts.all()]
    assert parts == [("text", "notes.txt", "long"), ("text", "", "look again"), ("image", "", "")]
    assert Attachment.objects.count() == 2
    conversations.purge(conversation)
    assert not Attachment.objects.exists()


@pytest.mark.parametrize(
    ("text", "model", "says"),
    [("  ", MODEL, "Write something"), ("x" * 200_001, MODEL, "200000"), ("hi", "nobody/nothing", "not on offer")],
)
def test_refused_content_changes_nothing(
    alice: User, conversation: Conversation, talk: list[Message], text: str, model: str, says: str
) -> None:
    with pytest.raises(Refusal, match=says):
        edit(alice, talk[0], text, model=model)
    assert path(conversation) == ["one", "to one", "two", "to two"]


def test_nothing_is_edited_while_the_end_of_its_branch_is_being_written(
    alice: User, conversation: Conversation, talk: list[Message]
) -> None:
    send(alice, "three", conversation)
    with pytest.raises(Busy):
        edit(alice, talk[0], "another beginning")
    assert path(conversation)[-1] == "pending"


def test_what_runs_on_another_branch_is_no_hindrance(
    alice: User, conversation: Conversation, talk: list[Message]
) -> None:
    running = branches.regenerate(queries.newest(conversation).shown[1].message)
    branches.show(talk[1])
    edit(alice, talk[1], "two, please")
    running.refresh_from_db()
    assert running.is_running
    assert path(conversation)[-2:] == ["two, please", "pending"]


def test_a_message_that_waits_is_withdrawn_rather_than_edited(alice: User, conversation: Conversation) -> None:
    send(alice, "one", conversation)
    waiting = send(alice, "two", conversation).message
    with pytest.raises(NotNow):
        edit(alice, waiting, "three")


def test_a_form_sent_twice_makes_one_version(alice: User, talk: list[Message]) -> None:
    first, second = (edit(alice, talk[1], "two, please", key="k") for _ in range(2))
    assert (second.message, second.is_repeated) == (first.message, True)
    assert Message.objects.count() == 6


def test_a_key_used_for_other_words_or_another_message_is_refused(alice: User, talk: list[Message]) -> None:
    version = edit(alice, talk[1], "two, please", key="k")
    replies.stop(version.reply)
    for message, text in ((talk[1], "two, thank you"), (talk[0], "two, please")):
        with pytest.raises(KeyReused):
            edit(alice, message, text, key="k")


@pytest.mark.django_db(transaction=True)
def test_simultaneous_submits_of_one_form_make_one_version(alice: User) -> None:
    message = answer(send(alice, "one"), "to one")
    results: list[Message] = []

    def submit() -> None:
        try:
            results.append(edit(alice, Message.objects.get(pk=message.pk), "uno", key="same").message)
        finally:
            connection.close()

    threads = [threading.Thread(target=submit) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({one.pk for one in results}) == 1
    assert len(results) == 6
    assert Message.objects.count() == 4
