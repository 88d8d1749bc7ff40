"""The state machine of replies: one writer, one end, every stored character kept."""

import datetime as dt
import itertools
from decimal import Decimal

import pytest
import time_machine
from django.db import OperationalError, transaction
from django.utils import timezone

from conversations.models import Conversation, Message, Part, Piece, User
from conversations.models.message import Status
from conversations.services import conversations, replies
from conversations.services.replies import NewPiece, Outcome
from tests.conftest import send


@pytest.fixture
def reply(alice: User, conversation: Conversation) -> Message:
    return send(alice, "hello", conversation).reply


@pytest.fixture
def claimed(reply: Message) -> Message:
    taken = replies.claim(reply.pk)
    assert taken is not None
    return taken


def piece(reply: Message, sequence: int, text: str, kind: str = "text", signature: str = "") -> NewPiece:
    return NewPiece(reply.pk, reply.claim, sequence, kind, text, signature=signature)


def test_a_reply_is_claimed_once(reply: Message) -> None:
    first = replies.claim(reply.pk)
    assert first is not None
    assert first.status == Status.STREAMING
    assert replies.claim(reply.pk) is None


def test_a_reply_of_a_deleted_conversation_is_not_claimed(reply: Message) -> None:
    Conversation.objects.update(deleted_at=timezone.now())
    assert replies.claim(reply.pk) is None


def test_a_reply_of_a_deactivated_person_is_not_claimed(reply: Message, alice: User) -> None:
    User.objects.filter(pk=alice.pk).update(is_active=False)
    assert replies.claim(reply.pk) is None


def test_pieces_become_parts_when_the_reply_ends(claimed: Message) -> None:
    written = replies.write(
        [
            piece(claimed, 0, "I think ", "reasoning"),
            piece(claimed, 1, "hard", "reasoning"),
            piece(claimed, 2, "Hel"),
            piece(claimed, 3, "lo"),
        ]
    )
    assert written == {(claimed.pk, sequence) for sequence in range(4)}
    assert replies.finish(claimed, Outcome(Status.COMPLETE), render=lambda text: (f"<p>{text}</p>", 7))
    parts = list(Part.objects.filter(message=claimed).values_list("kind", "text", "html", "markup_version"))
    assert parts == [("reasoning", "I think hard", "", 0), ("text", "Hello", "<p>Hello</p>", 7)]
    assert not Piece.objects.exists()


def test_a_signature_closes_its_part_and_the_html_covers_the_whole_text(claimed: Message) -> None:
    replies.write([piece(claimed, 0, "**bo", signature="s1"), piece(claimed, 1, "ld**")])
    replies.finish(claimed, Outcome(Status.COMPLETE), render=lambda text: (f"<p>{text}</p>", 1))
    parts = list(Part.objects.filter(message=claimed).values_list("text", "signature", "html"))
    assert parts == [("**bo", "s1", "<p>**bold**</p>"), ("ld**", "", "")]


def test_a_writer_that_lost_its_claim_stores_nothing(claimed: Message) -> None:
    replies.write([piece(claimed, 0, "kept")])
    assert replies.stop(claimed)
    assert replies.write([piece(claimed, 1, "late")]) == set()
    assert Part.objects.get(message=claimed).text == "kept"
    assert not Piece.objects.exists()


def test_one_statement_writes_many_replies_and_leaves_out_the_lost(alice: User, claimed: Message) -> None:
    other = replies.claim(send(alice, "elsewhere").reply.pk)
    assert other is not None
    replies.stop(claimed)
    assert replies.write([piece(claimed, 0, "late"), piece(other, 0, "fine")]) == {(other.pk, 0)}


def test_hostile_text_is_data_to_the_statement(claimed: Message) -> None:
    text = "'); DROP TABLE x; -- \" \\ 日本 \u2028 {}[]"
    replies.write([piece(claimed, 0, text)])
    replies.finish(claimed, Outcome(Status.COMPLETE))
    assert Part.objects.get(message=claimed).text == text


ENDS = {
    "finish": lambda reply: replies.finish(reply, Outcome(Status.COMPLETE)),
    "fail": lambda reply: replies.finish(reply, Outcome(Status.FAILED, error_code="auth")),
    "stop": replies.stop,
    "interrupt": replies.interrupt,
}


@pytest.mark.parametrize(("first", "second"), list(itertools.permutations(ENDS, 2)))
def test_of_two_ends_the_first_one_stays(claimed: Message, first: str, second: str) -> None:
    assert ENDS[first](claimed)
    status = Message.objects.get(pk=claimed.pk).status
    assert not ENDS[second](claimed)
    assert Message.objects.get(pk=claimed.pk).status == status


def test_what_the_end_of_a_reply_hands_on_is_what_is_stored(alice: User, reply: Message) -> None:
    """Followers are shown it without another look into the database."""
    claimed = replies.claim(reply.pk, reply)
    assert claimed is not None
    replies.note_memory(claimed, 4)
    replies.write([piece(claimed, 0, "**said**")])
    outcome = Outcome(
        Status.COMPLETE,
        finish_reason="stop",
        notices=["truncated"],
        first_token_ms=12,
        prompt_tokens=3,
        output_tokens=4,
        remaining_credits=Decimal("1.50000000"),
        cost_usd=Decimal("0.0000012000"),
    )
    ended = replies.finish(claimed, outcome, render=lambda text: (f"<p>{text}</p>", 7))
    assert ended is not None
    stored = Message.objects.get(pk=reply.pk)
    fields = [field.attname for field in Message._meta.concrete_fields]
    assert {name: getattr(ended.reply, name) for name in fields} == {name: getattr(stored, name) for name in fields}
    [part] = Part.objects.filter(message=reply)
    assert [(one.pk, one.text, one.html, one.markup_version) for one in ended.parts] == [
        (part.pk, part.text, part.html, part.markup_version)
    ]


def test_an_end_that_could_not_be_committed_can_be_stored_again(claimed: Message) -> None:
    replies.write([piece(claimed, 0, "said")])

    @transaction.atomic
    def end_on_a_full_disk() -> None:
        assert replies.finish(claimed, Outcome(Status.COMPLETE))
        raise OperationalError("the disk is full")

    with pytest.raises(OperationalError):
        end_on_a_full_disk()
    assert Message.objects.get(pk=claimed.pk).status == Status.STREAMING
    assert replies.finish(claimed, Outcome(Status.COMPLETE))
    assert Part.objects.get(message=claimed).text == "said"


def test_a_pending_reply_can_be_stopped(reply: Message) -> None:
    assert replies.stop(reply)
    assert replies.claim(reply.pk) is None
    assert Message.objects.get(pk=reply.pk).status == Status.STOPPED


def test_a_lease_that_ran_out_shows_an_abandoned_reply(claimed: Message) -> None:
    assert replies.abandoned(alive=[]) == []
    with time_machine.travel(timezone.now() + dt.timedelta(seconds=21)):
        assert replies.abandoned(alive=[]) == [claimed]
        assert replies.abandoned(alive=[claimed.pk]) == []
        replies.renew([claimed.pk])
        assert replies.abandoned(alive=[]) == []


def test_at_the_start_of_the_only_process_every_streaming_reply_is_abandoned(claimed: Message) -> None:
    assert replies.abandoned(alive=[], whatever_the_lease=True) == [claimed]


def test_replies_nobody_queued_are_found(reply: Message) -> None:
    assert replies.unclaimed(known=[]) == []
    assert replies.unclaimed(known=[], whatever_the_age=True) == [reply.pk]
    assert replies.unclaimed(known=[reply.pk], whatever_the_age=True) == []
    with time_machine.travel(timezone.now() + dt.timedelta(seconds=11)):
        assert replies.unclaimed(known=[]) == [reply.pk]


def test_deleting_a_conversation_stops_its_reply_and_keeps_the_text_for_the_undo(claimed: Message) -> None:
    replies.write([piece(claimed, 0, "so far")])
    conversations.delete(claimed.conversation)
    conversations.restore(claimed.conversation)
    reply = Message.objects.get(pk=claimed.pk)
    assert reply.status == Status.STOPPED
    assert reply.parts.get().text == "so far"


def test_replies_of_deactivated_people_are_unwanted(claimed: Message, alice: User) -> None:
    assert replies.unwanted() == []
    User.objects.filter(pk=alice.pk).update(is_active=False)
    assert replies.unwanted() == [claimed]


def test_replies_whose_rows_are_gone_are_told_apart(claimed: Message) -> None:
    assert replies.vanished([claimed.pk, 987654]) == {987654}


def test_a_reply_that_somebody_took_since_it_was_stored_is_not_taken_again(
    alice: User, conversation: Conversation
) -> None:
    """The engine is handed the row as it was stored; another process may have been quicker."""
    reply = send(alice, "hello", conversation).reply
    stored = Message.objects.get(pk=reply.pk)
    first = replies.claim(reply.pk, reply)
    assert first is not None
    assert replies.claim(reply.pk, stored) is None
    assert Message.objects.get(pk=reply.pk).claim == first.claim
