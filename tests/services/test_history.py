"""Stored rows -> the request of one reply."""

from django.core.files.uploadedfile import SimpleUploadedFile

from conversations.models import Conversation, Message, Part, User
from conversations.models.message import Kind, Status
from conversations.providers.turns import ImagePart, TextPart
from conversations.services import conversations, history, messages, replies
from conversations.services.replies import NewPiece, Outcome
from tests.conftest import PAINTER, send
from tests.services.photographs import photograph


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
    request = history.request_for(reply)
    assert [(turn.role, turn.parts) for turn in request.turns] == [
        ("user", (TextPart("one"),)),
        ("assistant", (TextPart("two"),)),
        ("user", (TextPart("three"),)),
    ]
    assert (request.system, request.parameters.temperature, request.parameters.max_tokens) == ("Be brief.", 0.5, 99)


def test_failed_replies_are_marked_and_other_branches_are_left_out(alice: User, conversation: Conversation) -> None:
    failed = answer(send(alice, "one", conversation).reply, "half", status=Status.FAILED)
    fresh = messages.retry(failed)
    assert [turn.role for turn in history.turns_before(fresh)] == ["user"]
    answer(fresh, "whole", status=Status.FAILED)
    later = send(alice, "two", conversation).reply
    assert [(turn.role, turn.failed) for turn in history.turns_before(later)] == [
        ("user", False),
        ("assistant", True),
        ("user", False),
    ]


def test_a_reply_is_asked_about_its_own_branch_whatever_is_on_show(alice: User, conversation: Conversation) -> None:
    answer(send(alice, "one", conversation).reply, "two")
    reply = send(alice, "three", conversation).reply
    Message.objects.filter(conversation=conversation).update(on_path=False)
    said = [part.text for turn in history.turns_before(reply) for part in turn.parts if isinstance(part, TextPart)]
    assert said == ["one", "two", "three"]


def test_reasoning_is_not_sent_back(alice: User, conversation: Conversation) -> None:
    reply = answer(send(alice, "one", conversation).reply, "answer")
    Part.objects.create(message=reply, position=9, kind=Kind.REASONING, text="secret thoughts")
    later = send(alice, "two", conversation).reply
    assert "secret" not in repr(history.turns_before(later))


def test_signatures_go_back_to_the_model_they_came_from_alone(alice: User, conversation: Conversation) -> None:
    answer(send(alice, "one", conversation).reply, "signed", signature="opaque")
    same = send(alice, "two", conversation).reply
    assert history.turns_before(same)[1].parts == (TextPart("signed", "opaque"),)
    answer(same, "fine")
    other = send(alice, "three", conversation, model=PAINTER).reply
    assert history.turns_before(other)[1].parts == (TextPart("signed"),)


def test_pictures_are_read_from_their_files(alice: User) -> None:
    picture = SimpleUploadedFile("a.png", photograph(64, 48, format="PNG"), "image/png")
    sent = send(alice, "look", images=[picture], model=PAINTER)
    image = history.turns_before(sent.reply)[0].parts[1]
    assert isinstance(image, ImagePart)
    assert image.media_type == "image/png"
    assert image.data.startswith(b"\x89PNG")
