"""A message written while a reply runs: held, sent when the reply has ended well, taken back, never sent twice."""

import threading
from collections.abc import Callable
from functools import partial

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.utils import timezone
from pytest_django import DjangoCaptureOnCommitCallbacks

from conversations.generation.engine import Pool
from conversations.generation.sweeper import Sweeper
from conversations.models import Attachment, Conversation, Message, User
from conversations.models.message import Role, Status
from conversations.services import branches, conversations, messages, replies, waiting
from conversations.services.errors import Busy, KeyReused, NotNow
from conversations.services.messages import Sent
from conversations.services.replies import Outcome
from tests.conftest import MODEL, PAINTER, IdleEngine, send
from tests.services.photographs import photograph


@pytest.fixture
def first(alice: User, conversation: Conversation) -> Message:
    """A reply that is being written."""
    reply = replies.claim(send(alice, "one", conversation).reply.pk)
    assert reply is not None
    return reply


@pytest.fixture
def held(first: Message, alice: User, conversation: Conversation) -> Message:
    return send(alice, "two", conversation).message


def end(reply: Message, status: Status = Status.COMPLETE) -> None:
    assert replies.finish(reply, Outcome(status))


def path(conversation: Conversation) -> list[tuple[int, str, str]]:
    return list(Message.objects.filter(conversation=conversation).on_path().values_list("depth", "role", "status"))


def test_a_message_sent_while_a_reply_runs_waits_without_a_reply(
    first: Message, alice: User, conversation: Conversation
) -> None:
    sent = send(alice, "two", conversation)
    assert (sent.replies, sent.message.parent) == ([], first)
    assert path(conversation)[1:] == [(1, "assistant", "streaming"), (2, "user", "waiting")]


def test_a_reply_still_in_line_lets_the_next_message_wait(alice: User, conversation: Conversation) -> None:
    send(alice, "one", conversation)
    assert send(alice, "two", conversation).message.status == Status.WAITING


def test_a_second_waiting_message_is_refused(held: Message, alice: User, conversation: Conversation) -> None:
    with pytest.raises(NotNow, match="waiting to be sent already"):
        send(alice, "three", conversation)
    assert Message.objects.filter(conversation=conversation).count() == 3


@pytest.mark.parametrize("status", [Status.COMPLETE, Status.STOPPED])
def test_it_is_sent_to_its_model_when_the_reply_has_ended_well(
    first: Message, alice: User, conversation: Conversation, status: Status
) -> None:
    message = send(alice, "two", conversation, model=PAINTER).message
    end(first, status)
    assert path(conversation)[1:] == [(1, "assistant", status), (2, "user", "complete"), (3, "assistant", "pending")]
    reply = Message.objects.get(parent=message)
    assert (reply.model, reply.on_path) == (PAINTER, True)


def test_its_reply_is_handed_to_the_engine(
    first: Message,
    alice: User,
    conversation: Conversation,
    idle_engine: IdleEngine,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    message = send(alice, "two", conversation).message
    with django_capture_on_commit_callbacks(execute=True):
        end(first)
    assert idle_engine.started == [Message.objects.get(parent=message).pk]


def test_a_persons_stop_sends_it(first: Message, held: Message) -> None:
    replies.stop(first)
    assert Message.objects.get(parent=held).status == Status.PENDING


@pytest.mark.parametrize("status", [Status.FAILED, Status.INTERRUPTED])
def test_it_goes_on_waiting_when_the_reply_ended_badly_until_it_is_sent_by_hand(
    first: Message, held: Message, status: Status
) -> None:
    end(first, status)
    held.refresh_from_db()
    assert held.status == Status.WAITING
    reply = waiting.send_now(held)
    held.refresh_from_db()
    assert (held.status, reply.parent, reply.status) == (Status.COMPLETE, held, Status.PENDING)


def test_it_is_not_sent_by_hand_while_the_reply_runs(held: Message) -> None:
    with pytest.raises(Busy):
        waiting.send_now(held)


def test_it_is_not_sent_twice(first: Message, held: Message) -> None:
    end(first)
    with pytest.raises(NotNow):
        waiting.send_now(held)
    assert replies.release(held) is None
    assert Message.objects.filter(parent=held).count() == 1


def test_it_follows_the_next_attempt_of_a_reply_that_failed(
    first: Message, held: Message, conversation: Conversation
) -> None:
    end(first, Status.FAILED)
    fresh = branches.regenerate(first)
    held.refresh_from_db()
    assert (held.parent, held.status, held.on_path) == (fresh, Status.WAITING, True)
    claimed = replies.claim(fresh.pk)
    assert claimed is not None
    end(claimed)
    assert path(conversation)[-1] == (3, "assistant", "pending")


def test_it_waits_for_a_reply_that_is_continued(first: Message, held: Message) -> None:
    replies.write([replies.NewPiece(first.pk, first.claim, 0, "text", "half")])
    end(first, Status.INTERRUPTED)
    messages.go_on(first)
    claimed = replies.claim(first.pk)
    assert claimed is not None
    end(claimed)
    assert Message.objects.filter(parent=held).exists()


def test_withdrawing_gives_the_text_and_the_model_back_and_leaves_nothing(
    first: Message, alice: User, conversation: Conversation
) -> None:
    picture = SimpleUploadedFile("a.jpg", photograph(320, 200), "image/jpeg")
    held = send(alice, "  two\n", conversation, model=PAINTER, images=[picture]).message
    withdrawn = waiting.withdraw(held)
    assert (withdrawn.text, withdrawn.model, withdrawn.had_pictures) == ("  two\n", PAINTER, True)
    assert not Attachment.objects.exists()
    end(first)
    assert path(conversation)[1:] == [(1, "assistant", "complete")]


def test_what_was_sent_cannot_be_withdrawn(first: Message, held: Message) -> None:
    end(first)
    with pytest.raises(NotNow, match="sent already"):
        waiting.withdraw(held)
    assert Message.objects.filter(pk=held.pk).exists()


def test_another_one_can_wait_after_a_withdrawal_even_with_the_same_key(
    first: Message, alice: User, conversation: Conversation
) -> None:
    waiting.withdraw(send(alice, "two", conversation, key="k").message)
    assert send(alice, "other", conversation, key="k").message.status == Status.WAITING


def test_a_repeated_form_gives_the_waiting_message_again(
    first: Message, alice: User, conversation: Conversation
) -> None:
    one, two = (send(alice, "two", conversation, key="k") for _ in range(2))
    assert two.is_repeated
    assert (two.message, two.replies) == (one.message, [])
    with pytest.raises(KeyReused):
        send(alice, "other", conversation, key="k")


def test_deleting_the_conversation_leaves_nothing_running(
    first: Message, held: Message, conversation: Conversation
) -> None:
    conversations.delete(conversation)
    assert not Message.objects.running().exists()
    held.refresh_from_db()
    assert held.status == Status.WAITING


def test_an_end_after_the_deletion_of_the_conversation_sends_nothing(first: Message, held: Message) -> None:
    Conversation.objects.update(deleted_at=timezone.now())
    end(first)
    assert not Message.objects.running().exists()


def test_deactivating_the_person_leaves_nothing_running(first: Message, held: Message, alice: User) -> None:
    User.objects.filter(pk=alice.pk).update(is_active=False)
    assert replies.unwanted() == [first]
    replies.stop(first)
    assert not Message.objects.running().exists()
    assert replies.held_back() == []


def test_a_message_nobody_sent_at_the_end_of_the_reply_is_sent_by_the_sweeper(
    first: Message, held: Message, conversation: Conversation
) -> None:
    """As after a deletion that was taken back."""
    conversations.delete(conversation)
    conversations.restore(conversation)
    assert path(conversation)[-1] == (2, "user", "waiting")
    assert replies.held_back() == [held]
    Sweeper(Pool(limit=1), is_alone=True).sweep()
    assert path(conversation)[-2:] == [(2, "user", "complete"), (3, "assistant", "pending")]


def test_the_sweeper_leaves_messages_alone_whose_reply_runs_or_ended_badly(first: Message, held: Message) -> None:
    assert replies.held_back() == []
    end(first, Status.FAILED)
    assert replies.held_back() == []


@pytest.mark.django_db(transaction=True)
def test_an_end_and_withdrawals_at_the_same_time_leave_one_of_both(alice: User, conversation: Conversation) -> None:
    """Whoever is first wins: the message is sent with one reply, or it is gone without any."""
    for _ in range(5):
        first = replies.claim(send(alice, "one", conversation).reply.pk)
        assert first is not None
        held = send(alice, "two", conversation).message
        taken: list[bool] = []
        race(partial(end, first), *[partial(note, taken, held)] * 3)
        left = Message.objects.filter(pk=held.pk).exists()
        assert taken.count(True) == (0 if left else 1)
        assert Message.objects.filter(parent=held.pk).count() == (1 if left else 0)
        for reply in Message.objects.running():
            replies.stop(reply)


@pytest.mark.django_db(transaction=True)
def test_two_messages_at_the_same_time_leave_one_waiting(alice: User, conversation: Conversation) -> None:
    send(alice, "one", conversation)
    results: list[Sent] = []

    def submit(number: int) -> None:
        try:
            results.append(send(alice, f"text {number}", conversation, key=f"race-{number}"))
        except NotNow:
            return

    race(*[partial(submit, number) for number in range(4)])
    assert len(results) == 1
    assert Message.objects.filter(role=Role.USER, status=Status.WAITING).count() == 1


def note(taken: list[bool], message: Message) -> None:
    """Withdraw the message and note whether that was possible."""
    try:
        waiting.withdraw(message)
    except NotNow:
        taken.append(False)
    else:
        taken.append(True)


def race(*actions: Callable[[], object]) -> None:
    def run(action: Callable[[], object]) -> None:
        try:
            action()
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(action,)) for action in actions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_the_model_of_a_waiting_message_is_forgotten_once_it_is_sent(first: Message, held: Message) -> None:
    assert Message.objects.get(pk=held.pk).model == MODEL
    end(first)
    assert Message.objects.get(pk=held.pk).model == ""
