"""One message to several models: replies side by side, one of them picked, the others its siblings."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from pytest_django import DjangoAssertNumQueries, DjangoCaptureOnCommitCallbacks

from conversations import queries
from conversations.models import Conversation, Message, User
from conversations.models.message import Status
from conversations.services import branches, columns, history, messages, replies
from conversations.services.errors import Busy, NotNow, Refusal
from conversations.services.replies import NewPiece, Outcome
from tests.conftest import MODEL, PAINTER, IdleEngine, send
from tests.services.photographs import photograph

OLD, FLASH = "segmind/gemini-1.5-pro", "segmind/gemini-2.5-flash"
FOUR = [MODEL, PAINTER, OLD, FLASH]


@pytest.fixture
def three(alice: User, conversation: Conversation) -> list[Message]:
    return list(send(alice, "one", conversation, compare=[PAINTER, OLD]).replies)


def end(reply: Message, status: Status = Status.COMPLETE, text: str = "text") -> None:
    claimed = replies.claim(reply.pk)
    assert claimed is not None
    replies.write([NewPiece(reply.pk, claimed.claim, 0, "text", text)])
    assert replies.finish(claimed, Outcome(status))


def places(conversation: Conversation) -> list[tuple[str, int | None, bool]]:
    """Model, column, whether on show, of all replies in the order they were made."""
    rows = Message.objects.filter(conversation=conversation).replies().order_by("pk")
    return list(rows.values_list("model", "column", "on_path"))


def test_one_message_gets_a_pending_reply_of_each_model_and_the_first_is_on_show(
    three: list[Message], conversation: Conversation
) -> None:
    assert places(conversation) == [(MODEL, 0, True), (PAINTER, 1, False), (OLD, 2, False)]
    assert {(reply.status, reply.parent_id, reply.depth) for reply in three} == {
        (Status.PENDING, three[0].parent_id, 1)
    }


def test_all_of_them_are_handed_to_the_engine(
    alice: User, idle_engine: IdleEngine, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        sent = send(alice, "one", compare=[PAINTER])
    assert idle_engine.started == [reply.pk for reply in sent.replies]


def test_a_model_named_twice_answers_once(alice: User, conversation: Conversation) -> None:
    send(alice, "one", conversation, compare=[MODEL, MODEL])
    assert places(conversation) == [(MODEL, None, True)]


@pytest.mark.parametrize(
    ("compare", "says"),
    [([PAINTER, OLD, FLASH, "a/b"], "At most 4 models"), (["nobody/nothing"], "not on offer")],
)
def test_what_cannot_be_compared_stores_nothing(alice: User, compare: list[str], says: str) -> None:
    with pytest.raises(Refusal, match=says):
        send(alice, "one", compare=compare)
    assert not Message.objects.exists()


def test_four_models_can_be_compared_also_on_a_picture(alice: User, conversation: Conversation) -> None:
    picture = SimpleUploadedFile("a.jpg", photograph(320, 200), "image/jpeg")
    sent = send(alice, "look", conversation, compare=FOUR, images=[picture])
    assert [reply.model for reply in sent.replies] == FOUR


def test_a_comparison_does_not_wait_for_a_running_reply(alice: User, conversation: Conversation) -> None:
    send(alice, "one", conversation)
    with pytest.raises(NotNow, match="then compare"):
        send(alice, "two", conversation, compare=[PAINTER])


def test_a_repeated_form_gives_the_same_replies(alice: User, conversation: Conversation) -> None:
    one, two = (send(alice, "one", conversation, key="k", compare=[PAINTER]) for _ in range(2))
    assert two.is_repeated
    assert (two.message, two.replies) == (one.message, one.replies)


def test_picking_puts_one_on_show_and_makes_siblings_of_all(three: list[Message], conversation: Conversation) -> None:
    end(three[2])
    columns.pick(three[2])
    assert places(conversation) == [(MODEL, None, False), (PAINTER, None, False), (OLD, None, True)]
    assert Message.objects.running().count() == 2


def test_the_conversation_goes_on_with_the_picked_one(
    three: list[Message], alice: User, conversation: Conversation
) -> None:
    end(three[1])
    columns.pick(three[1])
    assert send(alice, "two", conversation).message.parent == three[1]


def test_a_running_reply_is_not_picked(three: list[Message], conversation: Conversation) -> None:
    with pytest.raises(NotNow, match="still being written"):
        columns.pick(three[1])
    assert places(conversation)[1] == (PAINTER, 1, False)


def test_nothing_is_picked_twice(three: list[Message]) -> None:
    end(three[1])
    end(three[2])
    columns.pick(three[1])
    with pytest.raises(NotNow, match="already"):
        columns.pick(three[2])


def test_the_next_message_goes_on_with_the_first_and_ends_the_comparison(
    three: list[Message], alice: User, conversation: Conversation
) -> None:
    for reply in three:
        end(reply)
    sent = send(alice, "two", conversation)
    assert (sent.message.parent, sent.picked) == (three[0], three[0])
    assert places(conversation)[:3] == [(MODEL, None, True), (PAINTER, None, False), (OLD, None, False)]


def test_a_message_that_waits_for_the_first_ends_the_comparison_too(
    three: list[Message], alice: User, conversation: Conversation
) -> None:
    sent = send(alice, "two", conversation)
    assert (sent.message.status, sent.message.parent) == (Status.WAITING, three[0])
    assert [column for _model, column, _on_path in places(conversation)] == [None, None, None]
    end(three[1])
    assert Message.objects.get(pk=sent.message.pk).status == Status.WAITING
    end(three[0])
    assert Message.objects.get(pk=sent.message.pk).status == Status.COMPLETE


@pytest.mark.parametrize("place", [0, 2])
def test_a_retry_takes_the_place_of_its_column(three: list[Message], conversation: Conversation, place: int) -> None:
    end(three[place], Status.FAILED)
    fresh = branches.regenerate(three[place])
    old = Message.objects.get(pk=three[place].pk)
    assert (fresh.model, fresh.column, fresh.on_path) == (FOUR[place], place, place == 0)
    assert (old.column, old.on_path) == (None, False)
    assert Message.objects.filter(conversation=conversation, on_path=True).count() == 2


def test_a_running_column_is_not_retried(three: list[Message]) -> None:
    with pytest.raises(Busy):
        branches.regenerate(three[1])


def test_a_column_is_continued_beside_the_others(three: list[Message]) -> None:
    end(three[2], Status.STOPPED)
    messages.go_on(three[2])
    reply = Message.objects.get(pk=three[2].pk)
    assert (reply.status, reply.column, reply.runs) == (Status.PENDING, 2, 2)


def test_after_the_pick_the_others_are_past(three: list[Message]) -> None:
    end(three[1])
    end(three[2], Status.STOPPED)
    columns.pick(three[1])
    with pytest.raises(NotNow):
        messages.go_on(three[2])


def test_each_model_is_asked_the_same_whichever_is_on_show(
    alice: User, conversation: Conversation, three: list[Message]
) -> None:
    turns = {history.question_for(reply).request.turns for reply in Message.objects.filter(parent=three[0].parent)}
    assert len(turns) == 1


def test_columns_cost_one_query_and_their_content_however_many_there_are(
    three: list[Message], conversation: Conversation, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for reply in three:
        end(reply, text=f"by {reply.model}")
    with django_assert_num_queries(5):  # path, parts; siblings; columns, parts
        shown = queries.newest(conversation).shown
    assert [one.body[0].text for one in shown[1].columns] == [f"by {model}" for model in (MODEL, PAINTER, OLD)]
    assert shown[0].columns == []
