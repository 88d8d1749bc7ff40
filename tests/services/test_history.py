"""Stored rows -> the request of one reply."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from pytest_django import DjangoAssertNumQueries, Settings

from conversations.models import Conversation, Message, Part, User
from conversations.models.message import Kind, Status
from conversations.providers.errors import TooLarge
from conversations.providers.turns import ImagePart, TextPart
from conversations.services import branches, conversations, history, replies
from conversations.services.context import Fill
from conversations.services.replies import NewPiece, Outcome
from tests.conftest import PAINTER, send
from tests.services.photographs import photograph

LOCAL = "local/smollm2-135m-instruct"


def answer(reply: Message, *texts: str, status: Status = Status.COMPLETE, signature: str = "") -> Message:
    claimed = replies.claim(reply.pk)
    assert claimed is not None
    rows = [
        NewPiece(reply.pk, claimed.claim, number, "text", text, signature=signature)
        for number, text in enumerate(texts)
    ]
    replies.write(rows)
    assert replies.finish(claimed, Outcome(status))
    return Message.objects.get(pk=reply.pk)


def test_the_request_holds_prompt_parameters_and_the_path_before_the_reply(alice: User) -> None:
    first = send(alice, "one")
    conversation = first.message.conversation
    conversations.configure(conversation, system_prompt="Be brief.", parameters={"temperature": 0.5, "max_tokens": 99})
    answer(first.reply, "two")
    reply = Message.objects.get(pk=send(alice, "three", conversation).reply.pk)
    request = history.question_for(reply).request
    assert [(turn.role, turn.parts) for turn in request.turns] == [
        ("user", (TextPart("one"),)),
        ("assistant", (TextPart("two"),)),
        ("user", (TextPart("three"),)),
    ]
    assert (request.system, request.parameters.temperature, request.parameters.max_tokens) == ("Be brief.", 0.5, 99)


def test_failed_replies_are_marked_and_other_branches_are_left_out(alice: User, conversation: Conversation) -> None:
    failed = answer(send(alice, "one", conversation).reply, "half", status=Status.FAILED)
    fresh = branches.regenerate(failed)
    assert [turn.role for turn in history.question_for(fresh).request.turns] == ["user"]
    answer(fresh, "whole", status=Status.FAILED)
    later = send(alice, "two", conversation).reply
    assert [(turn.role, turn.failed) for turn in history.question_for(later).request.turns] == [
        ("user", False),
        ("assistant", True),
        ("user", False),
    ]


def test_a_reply_is_asked_about_its_own_branch_whatever_is_on_show(alice: User, conversation: Conversation) -> None:
    answer(send(alice, "one", conversation).reply, "two")
    reply = send(alice, "three", conversation).reply
    Message.objects.filter(conversation=conversation).update(on_path=False)
    said = [
        part.text
        for turn in history.question_for(reply).request.turns
        for part in turn.parts
        if isinstance(part, TextPart)
    ]
    assert said == ["one", "two", "three"]


def test_reasoning_is_not_sent_back(alice: User, conversation: Conversation) -> None:
    reply = answer(send(alice, "one", conversation).reply, "answer")
    Part.objects.create(message=reply, position=9, kind=Kind.REASONING, text="secret thoughts")
    later = send(alice, "two", conversation).reply
    assert "secret" not in repr(history.question_for(later).request.turns)


def test_signatures_go_back_to_the_model_they_came_from_alone(alice: User, conversation: Conversation) -> None:
    answer(send(alice, "one", conversation).reply, "signed", signature="opaque")
    same = send(alice, "two", conversation).reply
    assert history.question_for(same).request.turns[1].parts == (TextPart("signed", "opaque"),)
    answer(same, "fine")
    other = send(alice, "three", conversation, model=PAINTER).reply
    assert history.question_for(other).request.turns[1].parts == (TextPart("signed"),)


def test_what_is_older_than_the_window_is_left_out_and_noted(alice: User, settings: Settings) -> None:
    settings.CHATSITE_LOCAL_MODEL = True
    conversation = conversations.create(alice, model=LOCAL, system_prompt="Be brief.")
    for number in range(8):
        sent = send(alice, f"question {number} " + "long words follow here " * 40, conversation, model=LOCAL)
        answer(sent.reply, f"answer {number}")
    reply = send(alice, "the last one", conversation, model=LOCAL).reply
    question = history.question_for(reply)
    said = [str(turn.parts) for turn in question.request.turns]
    assert question.request.turns[0].role == "user"
    assert question.memory_from == 17 - len(said)
    assert "question 0" not in str(said)
    assert "question 7" in said[-3]
    assert "the last one" in said[-1]
    assert question.request.system == "Be brief."
    assert history.question_for(reply, caution=2.0).memory_from == question.memory_from + 4


def test_a_question_longer_than_the_window_is_too_large(alice: User, settings: Settings) -> None:
    settings.CHATSITE_LOCAL_MODEL = True
    reply = send(alice, "word " * 3000, model=LOCAL).reply
    with pytest.raises(TooLarge):
        history.question_for(reply)


def test_a_large_window_leaves_nothing_out_and_costs_no_further_query(
    alice: User, conversation: Conversation, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(6):
        answer(send(alice, f"question {number}", conversation).reply, "answer " * 2000)
    asked = send(alice, "the last one", conversation).reply
    reply = Message.objects.select_related("conversation").get(pk=asked.pk)
    with django_assert_num_queries(2):
        question = history.question_for(reply)
    assert (len(question.request.turns), question.memory_from, question.notices) == (13, None, ())


def test_a_conversation_is_read_in_chunks_and_in_order(
    alice: User, conversation: Conversation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "CHUNK", 3)
    for number in range(4):
        answer(send(alice, f"question {number}", conversation).reply, f"answer {number}")
    turns = history.question_for(send(alice, "question 4", conversation).reply).request.turns
    words = [f"{what} {number}" for number in range(5) for what in ("question", "answer")][:9]
    assert [turn.parts for turn in turns] == [(TextPart(text),) for text in words]


def test_pictures_that_are_not_sent_are_spoken_of(alice: User, settings: Settings) -> None:
    settings.CHATSITE_LOCAL_MODEL = True
    picture = SimpleUploadedFile("a.png", photograph(64, 48, format="PNG"), "image/png")
    first = send(alice, "look", images=[picture], model=PAINTER)
    assert history.question_for(first.reply).notices == ()
    answer(first.reply, "nice")
    blind = send(alice, "and now?", first.message.conversation, model=LOCAL).reply
    assert history.question_for(blind).notices == ("pictures_not_sent",)


def test_how_full_the_window_is_after_a_reply_is_what_was_reported_without_the_reasoning(alice: User) -> None:
    reply = send(alice, "one", model=PAINTER).reply
    claimed = replies.claim(reply.pk)
    assert claimed
    replies.finish(claimed, Outcome(Status.COMPLETE, prompt_tokens=8000, output_tokens=1000, reasoning_tokens=808))
    fill = history.fill_after(Message.objects.get(pk=reply.pk))
    assert fill == Fill(used=8192, size=32_768)


def test_where_no_tokens_were_reported_the_window_is_filled_by_estimate(alice: User) -> None:
    sent = send(alice, "x" * 4000, model=PAINTER)
    reply = answer(sent.reply, "y" * 96)
    assert history.fill_after(reply) == Fill(used=1024, size=32_768)
    reply.model = "nobody/nothing"
    assert history.fill_after(reply) is None


def test_pictures_are_read_from_their_files(alice: User) -> None:
    picture = SimpleUploadedFile("a.png", photograph(64, 48, format="PNG"), "image/png")
    sent = send(alice, "look", images=[picture], model=PAINTER)
    image = history.question_for(sent.reply).request.turns[0].parts[1]
    assert isinstance(image, ImagePart)
    assert image.media_type == "image/png"
    assert image.data.startswith(b"\x89PNG")
