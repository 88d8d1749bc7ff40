"""A reply that ended too early is written on in the same message: what is kept, counted, asked and refused."""

import datetime as dt
from decimal import Decimal

import pytest
import time_machine
from django.utils import timezone
from pytest_django import DjangoCaptureOnCommitCallbacks

from conversations import queries
from conversations.models import Conversation, Message, Piece, User
from conversations.models.message import Status
from conversations.providers.turns import TextPart
from conversations.services import conversations, history, messages, replies
from conversations.services.errors import Busy, NotNow
from conversations.services.folding import Render
from conversations.services.replies import NewPiece, Outcome
from tests.conftest import IdleEngine, send

TRUNCATED = Outcome(Status.COMPLETE, notices=["truncated"], finish_reason="length")


def write(reply: Message, *texts: str, kind: str = "text", after: int = 0) -> None:
    pieces = [NewPiece(reply.pk, reply.claim, after + number, kind, text) for number, text in enumerate(texts)]
    assert len(replies.write(pieces)) == len(texts)


def claimed(reply: Message) -> Message:
    taken = replies.claim(reply.pk)
    assert taken is not None
    return taken


def html(text: str) -> tuple[str, int]:
    return f"<p>{text}</p>", 7


@pytest.fixture
def cut(alice: User, conversation: Conversation) -> Message:
    """A reply of two words whose model reached its token limit."""
    reply = claimed(send(alice, "hello", conversation).reply)
    write(reply, "one ", "two")
    assert replies.finish(reply, TRUNCATED, render=html)
    return Message.objects.get(pk=reply.pk)


def again(reply: Message) -> Message:
    """The reply as its next run holds it."""
    messages.go_on(Message.objects.get(pk=reply.pk))
    return claimed(reply)


def shown(reply: Message) -> list[tuple[str, str]]:
    return [(block.text, block.html) for block in queries.shown(Message.objects.get(pk=reply.pk)).body]


def test_a_continued_reply_waits_for_its_model_and_has_forgotten_its_end(cut: Message, idle_engine: IdleEngine) -> None:
    messages.go_on(cut)
    reply = Message.objects.get(pk=cut.pk)
    assert (reply.status, reply.runs, reply.notices, reply.finish_reason) == (Status.PENDING, 2, [], "")
    assert reply.ended_at is None


def test_a_continued_reply_is_handed_to_the_engine(
    cut: Message, idle_engine: IdleEngine, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        messages.go_on(cut)
        assert idle_engine.started == []
    assert idle_engine.started == [cut.pk]


def test_new_text_stands_behind_the_old_while_it_runs_and_when_it_has_ended(cut: Message) -> None:
    reply = again(cut)
    assert shown(cut) == [("one two", "<p>one two</p>")]
    write(reply, " three", " four")
    assert shown(cut) == [("one two three four", "")]
    assert replies.finish(reply, Outcome(Status.COMPLETE), render=html)
    assert shown(cut) == [("one two three four", "<p>one two three four</p>")]
    assert not Piece.objects.exists()


@pytest.mark.parametrize("render", [html, None], ids=["rendered", "not rendered"])
def test_the_html_is_never_that_of_a_part_of_the_text(cut: Message, render: Render | None) -> None:
    reply = again(cut)
    write(reply, " three")
    replies.finish(reply, Outcome(Status.COMPLETE), render=render)
    assert shown(cut) == [("one two three", "<p>one two three</p>" if render else "")]


def test_reasoning_of_the_second_run_divides_no_text(cut: Message) -> None:
    reply = again(cut)
    write(reply, "hm", kind="reasoning")
    write(reply, " three", after=1)
    replies.finish(reply, Outcome(Status.COMPLETE), render=html)
    assert shown(cut) == [("one two three", "<p>one two three</p>")]
    assert queries.shown(Message.objects.get(pk=cut.pk)).reasoning == "hm"


def test_a_stop_of_the_second_run_loses_nothing_and_can_be_continued_again(cut: Message) -> None:
    reply = again(cut)
    write(reply, " three")
    assert replies.stop(reply)
    third = again(cut)
    write(third, " four")
    replies.finish(third, Outcome(Status.COMPLETE), render=html)
    assert shown(cut) == [("one two three four", "<p>one two three four</p>")]
    assert Message.objects.get(pk=cut.pk).runs == 3


def test_a_second_run_that_brings_nothing_leaves_the_text_as_it_was(cut: Message) -> None:
    replies.finish(again(cut), Outcome(Status.INTERRUPTED, error_code="network"), render=html)
    assert shown(cut) == [("one two", "<p>one two</p>")]


def test_the_writer_of_an_earlier_run_can_neither_write_nor_end_the_next(cut: Message) -> None:
    first = again(cut)
    replies.stop(first)
    second = again(cut)
    assert replies.write([NewPiece(first.pk, first.claim, 0, "text", "late")]) == set()
    assert not replies.finish(first, Outcome(Status.FAILED))
    assert not replies.interrupt(first)
    assert replies.finish(second, Outcome(Status.COMPLETE))


def test_tokens_of_all_runs_add_up_and_unknown_ones_count_nothing(cut: Message) -> None:
    reply = again(cut)
    replies.finish(reply, Outcome(Status.STOPPED, prompt_tokens=10, output_tokens=5, cost_usd=Decimal("0.001")))
    reply = again(cut)
    cost = Decimal("0.0005")
    replies.finish(reply, Outcome(Status.STOPPED, prompt_tokens=20, output_tokens=7, reasoning_tokens=3, cost_usd=cost))
    replies.stop(again(cut))
    ended = Message.objects.get(pk=cut.pk)
    assert (ended.prompt_tokens, ended.output_tokens, ended.reasoning_tokens) == (30, 12, 3)
    assert ended.cost_usd == Decimal("0.0015")


def test_the_time_between_two_runs_is_nobodys_time(alice: User, conversation: Conversation) -> None:
    begin = timezone.now()
    with time_machine.travel(begin, tick=False):
        reply = claimed(send(alice, "hello", conversation).reply)
        write(reply, "one")
    with time_machine.travel(begin + dt.timedelta(seconds=4), tick=False):
        replies.finish(reply, Outcome(Status.STOPPED, first_token_ms=300))
    with time_machine.travel(begin + dt.timedelta(hours=2), tick=False):
        reply = again(reply)
    with time_machine.travel(begin + dt.timedelta(hours=2, seconds=3), tick=False):
        replies.finish(reply, Outcome(Status.COMPLETE, first_token_ms=900))
    ended = Message.objects.get(pk=reply.pk)
    assert ended.started_at is not None
    assert ended.ended_at is not None
    assert ended.ended_at - ended.started_at == dt.timedelta(seconds=7)
    assert ended.first_token_ms == 300


def test_the_model_is_asked_with_what_it_wrote_and_the_wish_to_go_on(cut: Message, conversation: Conversation) -> None:
    turns = history.question_for(again(cut)).request.turns
    assert [turn.role for turn in turns] == ["user", "assistant", "user"]
    assert turns[1].parts == (TextPart("one two"),)
    assert turns[2].parts == (TextPart(history.GO_ON),)
    assert Message.objects.filter(conversation=conversation).count() == 2


@pytest.mark.parametrize(
    "outcome",
    [
        Outcome(Status.COMPLETE),
        Outcome(Status.FAILED, error_code="auth"),
        Outcome(Status.COMPLETE, notices=["filtered"]),
    ],
    ids=["whole", "failed", "filtered"],
)
def test_a_reply_that_ended_otherwise_is_not_continued(
    alice: User, conversation: Conversation, outcome: Outcome
) -> None:
    reply = claimed(send(alice, "hello", conversation).reply)
    write(reply, "text")
    replies.finish(reply, outcome)
    with pytest.raises(NotNow):
        messages.go_on(reply)
    assert Message.objects.get(pk=reply.pk).status == outcome.status


def test_a_reply_without_text_is_not_continued(alice: User, conversation: Conversation) -> None:
    reply = send(alice, "hello", conversation).reply
    replies.stop(reply)
    with pytest.raises(NotNow):
        messages.go_on(reply)


def test_a_running_reply_is_not_continued(cut: Message) -> None:
    messages.go_on(cut)
    with pytest.raises(Busy):
        messages.go_on(cut)
    assert Message.objects.get(pk=cut.pk).runs == 2


def test_only_the_last_message_of_the_path_is_continued(cut: Message, alice: User, conversation: Conversation) -> None:
    send(alice, "next", conversation)
    with pytest.raises(NotNow):
        messages.go_on(cut)


def test_a_continued_reply_nobody_queued_is_found_after_a_crash(cut: Message) -> None:
    messages.go_on(cut)
    assert replies.unclaimed(known=[], whatever_the_age=True) == [cut.pk]


def test_a_crash_in_the_second_run_keeps_the_text_of_both(cut: Message) -> None:
    reply = again(cut)
    write(reply, " three")
    assert replies.abandoned(alive=[], whatever_the_lease=True) == [reply]
    assert replies.interrupt(reply)
    assert shown(cut) == [("one two three", "")]


def test_deleting_the_conversation_stops_a_continued_reply(cut: Message, conversation: Conversation) -> None:
    messages.go_on(cut)
    conversations.delete(conversation)
    assert not Message.objects.running().exists()
    assert replies.claim(cut.pk) is None
