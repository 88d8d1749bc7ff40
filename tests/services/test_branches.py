"""Other versions of a reply, stepping between them, and copies: on the database alone."""

import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from conversations import queries
from conversations.models import Attachment, Conversation, Message, User
from conversations.models.message import Status
from conversations.services import branches, conversations, replies
from conversations.services.errors import Busy, NotNow, Refusal
from conversations.services.replies import NewPiece, Outcome
from tests.conftest import MODEL, PAINTER, IdleEngine, send
from tests.services.photographs import photograph

BLIND = "local/smollm2-135m-instruct"


def upload() -> SimpleUploadedFile:
    return SimpleUploadedFile("holiday.jpg", photograph(320, 200), "image/jpeg")


def answer(reply: Message, text: str = "answer", status: Status = Status.COMPLETE) -> Message:
    claimed = replies.claim(reply.pk)
    assert claimed is not None
    replies.write([NewPiece(claimed.pk, claimed.claim, 0, "text", text)])
    assert replies.finish(claimed, Outcome(status, prompt_tokens=7))
    return Message.objects.get(pk=reply.pk)


def talk(alice: User, conversation: Conversation, *texts: str) -> list[Message]:
    """Messages of alice, each answered; gives the answers."""
    return [answer(send(alice, text, conversation).reply, f"to {text}") for text in texts]


def path(conversation: Conversation) -> list[str]:
    """What is on show, a word for each message: its text, or its status where it has none."""
    return [one.body[0].text if one.body else one.message.status for one in queries.newest(conversation).shown]


def test_a_reply_can_be_given_anew_in_its_place(alice: User, conversation: Conversation) -> None:
    failed = answer(send(alice, "one", conversation).reply, status=Status.FAILED)
    fresh = branches.regenerate(failed)
    failed.refresh_from_db()
    assert (fresh.parent, fresh.depth, fresh.status) == (failed.parent, failed.depth, Status.PENDING)
    assert (failed.on_path, fresh.on_path) == (False, True)


def test_the_new_reply_is_handed_to_the_engine(
    alice: User,
    conversation: Conversation,
    idle_engine: IdleEngine,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    (reply,) = talk(alice, conversation, "one")
    with django_capture_on_commit_callbacks(execute=True):
        fresh = branches.regenerate(reply)
    assert idle_engine.started == [fresh.pk]


def test_an_answer_further_up_begins_another_branch_and_keeps_the_old_one(
    alice: User, conversation: Conversation
) -> None:
    first, _ = talk(alice, conversation, "one", "two")
    branches.regenerate(first)
    assert path(conversation) == ["one", "pending"]
    assert Message.objects.filter(conversation=conversation).count() == 5


def test_another_model_can_be_asked_and_the_conversation_keeps_its_own(alice: User, conversation: Conversation) -> None:
    (reply,) = talk(alice, conversation, "one")
    assert branches.regenerate(reply, PAINTER).model == PAINTER
    conversation.refresh_from_db()
    assert conversation.model == MODEL


def test_unless_one_is_named_the_same_model_answers_as_long_as_it_is_offered(
    alice: User, conversation: Conversation, settings: Settings
) -> None:
    reply = answer(send(alice, "one", conversation, model=PAINTER).reply)
    conversations.configure(conversation, model=MODEL)
    again = branches.regenerate(reply)
    assert again.model == PAINTER
    replies.stop(again)
    settings.PROVIDER_ENDPOINTS = settings.PROVIDER_ENDPOINTS | {"segmind": ("", "")}
    assert branches.regenerate(again).model == MODEL


def test_a_model_that_is_not_offered_is_refused_and_nothing_changes(alice: User, conversation: Conversation) -> None:
    (reply,) = talk(alice, conversation, "one")
    with pytest.raises(Refusal, match="not on offer"):
        branches.regenerate(reply, "nobody/nothing")
    assert path(conversation) == ["one", "to one"]


def test_a_model_that_cannot_see_is_refused_for_a_message_with_a_picture_alone(
    alice: User, conversation: Conversation, settings: Settings
) -> None:
    settings.CHATSITE_LOCAL_MODEL = True
    look = answer(send(alice, "look", conversation, images=[upload()]).reply)
    (later,) = talk(alice, conversation, "and now?")
    with pytest.raises(Refusal, match="cannot see pictures"):
        branches.regenerate(look, BLIND)
    assert branches.regenerate(later, BLIND).model == BLIND


def test_nothing_is_answered_anew_while_its_branch_is_being_written(alice: User, conversation: Conversation) -> None:
    (first,) = talk(alice, conversation, "one")
    running = send(alice, "two", conversation).reply
    for reply in (first, running):
        with pytest.raises(Busy):
            branches.regenerate(reply)
    assert path(conversation) == ["one", "to one", "two", "pending"]


def test_a_button_pressed_twice_makes_one_new_reply(alice: User, conversation: Conversation) -> None:
    (reply,) = talk(alice, conversation, "one")
    branches.regenerate(reply)
    with pytest.raises(Busy):
        branches.regenerate(reply)
    assert Message.objects.replies().count() == 2


def test_another_branch_goes_on_while_a_reply_is_being_written(alice: User, conversation: Conversation) -> None:
    (first,) = talk(alice, conversation, "one")
    fresh = branches.regenerate(first)
    branches.show(first)
    assert path(conversation) == ["one", "to one"]
    later = send(alice, "two", conversation).reply
    assert path(conversation) == ["one", "to one", "two", "pending"]
    fresh.refresh_from_db()
    assert (fresh.is_running, later.is_running) == (True, True)
    branches.show(fresh)
    assert path(conversation) == ["one", "pending"]


def test_a_branch_comes_back_with_what_was_written_last_in_it(alice: User, conversation: Conversation) -> None:
    first, second = talk(alice, conversation, "one", "two")
    other = answer(branches.regenerate(first), "other")
    branches.show(first)
    anew = answer(branches.regenerate(second), "anew")
    branches.show(other)
    assert path(conversation) == ["one", "other"]
    branches.show(first)
    assert path(conversation) == ["one", "to one", "two", "anew"]
    branches.show(second)
    assert path(conversation) == ["one", "to one", "two", "to two"]
    assert anew.depth == 3


def test_showing_what_is_on_show_changes_nothing(alice: User, conversation: Conversation) -> None:
    first, _ = talk(alice, conversation, "one", "two")
    branches.show(first)
    assert path(conversation) == ["one", "to one", "two", "to two"]


def test_other_conversations_keep_what_they_show(alice: User, conversation: Conversation) -> None:
    other = send(alice, "elsewhere").message.conversation
    (reply,) = talk(alice, conversation, "one")
    branches.show(branches.regenerate(reply))
    assert path(other) == ["elsewhere", "pending"]


def test_siblings_are_counted_in_the_order_they_came(alice: User, conversation: Conversation) -> None:
    first, _ = talk(alice, conversation, "one", "two")
    fresh = answer(branches.regenerate(first))
    third = branches.regenerate(fresh)
    branches.show(fresh)
    question, shown = queries.newest(conversation).shown
    assert question.siblings is None
    assert shown.siblings == queries.Siblings(2, 3, first.uuid, third.uuid)
    branches.show(first)
    assert [one.siblings.next for one in queries.newest(conversation).shown if one.siblings] == [fresh.uuid]


def test_a_fork_copies_what_was_said_up_to_its_message(alice: User, conversation: Conversation) -> None:
    conversations.configure(conversation, title="Soup", system_prompt="Be brief.", parameters={"temperature": 0.5})
    first, _ = talk(alice, conversation, "one", "two")
    copy = branches.fork(first)
    assert (copy.title, copy.system_prompt, copy.parameters) == ("Soup (fork)", "Be brief.", {"temperature": 0.5})
    assert (copy.owner, copy.model, copy.forked_from) == (alice, MODEL, first)
    assert path(copy) == ["one", "to one"]
    assert path(conversation) == ["one", "to one", "two", "to two"]
    question, reply = Message.objects.filter(conversation=copy).on_path()
    assert (question.parent, reply.parent, reply.prompt_tokens) == (None, question, 7)
    assert not {question.uuid, reply.uuid} & set(Message.objects.filter(conversation=conversation).values_list("uuid"))


def test_a_fork_goes_on_by_itself(alice: User, conversation: Conversation) -> None:
    (reply,) = talk(alice, conversation, "one")
    copy = branches.fork(reply)
    send(alice, "two", copy)
    assert path(copy) == ["one", "to one", "two", "pending"]
    assert path(conversation) == ["one", "to one"]


def test_a_fork_follows_the_branch_of_its_message_not_the_one_on_show(alice: User, conversation: Conversation) -> None:
    first, second = talk(alice, conversation, "one", "two")
    answer(branches.regenerate(first), "other")
    assert path(branches.fork(second)) == ["one", "to one", "two", "to two"]


def test_a_fork_ends_with_the_message_of_a_person_where_that_is_wanted(alice: User, conversation: Conversation) -> None:
    talk(alice, conversation, "one", "two")
    assert path(branches.fork(Message.objects.get(depth=2))) == ["one", "to one", "two"]


def test_pictures_of_a_fork_outlive_the_original(alice: User, conversation: Conversation) -> None:
    reply = answer(send(alice, "look", conversation, images=[upload()]).reply)
    copy = branches.fork(reply)
    conversations.purge(conversation)
    attachment = Attachment.objects.visible_to(alice).get()
    assert default_storage.exists(attachment.path)
    copy.refresh_from_db()
    assert copy.forked_from is None
    conversations.purge(copy)
    assert not default_storage.exists(attachment.path)


def test_a_fork_whose_pictures_find_no_room_is_refused(
    alice: User, conversation: Conversation, settings: Settings
) -> None:
    reply = answer(send(alice, "look", conversation, images=[upload()]).reply)
    settings.CHATSITE_STORAGE_PER_PERSON = 100
    with pytest.raises(Refusal, match="storage is full"):
        branches.fork(reply)
    assert Conversation.objects.count() == 1


def test_a_running_reply_cannot_be_forked_but_what_is_above_it_can(alice: User, conversation: Conversation) -> None:
    sent = send(alice, "one", conversation)
    with pytest.raises(NotNow):
        branches.fork(sent.reply)
    assert path(branches.fork(sent.message)) == ["one"]


def test_a_fork_of_a_temporary_conversation_is_an_ordinary_one(alice: User) -> None:
    reply = answer(send(alice, "hush", is_temporary=True).reply)
    assert branches.fork(reply).expires_at is None
    assert queries.conversation_list(alice)


def test_the_origin_of_a_fork_is_named_as_long_as_it_can_be_opened(alice: User, conversation: Conversation) -> None:
    (reply,) = talk(alice, conversation, "one")
    copy = branches.fork(reply)
    assert queries.origin_of(copy, alice) == reply
    conversations.delete(conversation)
    assert queries.origin_of(copy, alice) is None
