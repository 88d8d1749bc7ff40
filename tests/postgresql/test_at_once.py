"""Writers that meet at the same rows. On SQLite they stand in one queue; on PostgreSQL only what they hold keeps order.

`python -m tests.postgres python -m pytest tests/postgresql` runs these.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from django.core.files.storage import default_storage
from django.db import connection, transaction
from pytest_django import Settings

from conversations.models import Attachment, Look, Message, Part, Piece, User
from conversations.models.attachment import Origin
from conversations.models.message import Status
from conversations.services import attachments, chain, conversations, messages, pictures, replies, review
from conversations.services.errors import Refusal
from conversations.services.messages import Draft
from conversations.services.replies import NewPiece, Outcome
from tests.conftest import MODEL, IdleEngine, send
from tests.services.photographs import photograph
from tests.serving import until

pytestmark = pytest.mark.django_db(transaction=True)


@contextmanager
def kept_waiting(work: Callable[[], object]) -> Iterator[None]:
    """Run this in another thread while the block holds its transaction; it must be found waiting for the block."""
    failed: list[Exception] = []
    thread = threading.Thread(target=_run, args=(work, failed))
    with transaction.atomic():
        yield
        thread.start()
        until(_somebody_waits, "a wait for a lock")
    thread.join(60)
    assert not thread.is_alive()
    if failed:
        raise failed[0]


def _run(work: Callable[[], object], failed: list[Exception]) -> None:
    try:
        work()
    except Exception as error:
        failed.append(error)
    finally:
        connection.close()


def _somebody_waits() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
        return bool(cursor.fetchone()[0])


def claimed(user: User) -> Message:
    reply = replies.claim(send(user, "hello").reply.pk)
    assert reply is not None
    return reply


def piece(reply: Message, text: str, sequence: int = 0) -> NewPiece:
    return NewPiece(reply.pk, reply.claim, sequence, "text", text)


def stored(reply: Message) -> str:
    return "".join(Part.objects.filter(message=reply).values_list("text", flat=True))


def test_a_stop_waits_for_text_that_is_being_written(alice: User) -> None:
    reply = claimed(alice)
    with kept_waiting(lambda: replies.stop(reply)):
        assert replies.write([piece(reply, "seen by somebody")])
    assert stored(reply) == "seen by somebody"
    assert not Piece.objects.exists()


def test_text_that_comes_while_a_reply_is_stopped_is_not_stored(alice: User) -> None:
    reply = claimed(alice)
    written: list[object] = []
    with kept_waiting(lambda: written.append(replies.write([piece(reply, "late")]))):
        replies.stop(reply)
    assert written == [set()]
    assert stored(reply) == ""
    assert not Piece.objects.exists()


def test_a_message_sent_while_the_reply_ends_is_answered(alice: User, idle_engine: IdleEngine) -> None:
    reply = claimed(alice)
    with kept_waiting(lambda: replies.finish(reply, Outcome(Status.COMPLETE))):
        follow_up = send(alice, "and then?", reply.conversation)
        assert follow_up.message.status == Status.WAITING
    follow_up.message.refresh_from_db()
    assert follow_up.message.status == Status.COMPLETE
    assert idle_engine.started[-1] == follow_up.message.children.get().pk


def test_a_waiting_message_is_released_once(alice: User) -> None:
    reply = claimed(alice)
    waiting = send(alice, "and then?", reply.conversation).message
    Message.objects.filter(pk=reply.pk).update(status=Status.COMPLETE)
    with kept_waiting(lambda: replies.release(waiting)):
        assert replies.release(waiting)
    assert waiting.children.count() == 1


def test_leases_are_renewed_while_text_is_written_in_any_order(alice: User) -> None:
    first, second = claimed(alice), claimed(alice)
    with kept_waiting(lambda: replies.renew([second.pk, first.pk])):
        assert len(replies.write([piece(second, "b"), piece(first, "a")])) == 2


def test_the_same_form_at_two_processes_is_one_message(alice: User) -> None:
    conversation = conversations.create(alice, model=MODEL)
    draft = Draft(text="once", model=MODEL, key="the-same-key")
    again: list[messages.Sent] = []
    with kept_waiting(lambda: again.append(messages.send(alice, draft, conversation))):
        first = messages.send(alice, draft, conversation)
    assert again[0].is_repeated
    assert again[0].message == first.message
    assert Message.objects.filter(role="user").count() == 1


def test_a_picture_that_comes_back_while_it_is_removed_keeps_its_file(alice: User) -> None:
    picture = pictures.vet(photograph(64, 48), longest_side=None)
    old = attachments.store(alice, picture, origin=Origin.UPLOADED)

    def store_again() -> None:
        with transaction.atomic():
            attachments.store(alice, picture, origin=Origin.UPLOADED)

    with kept_waiting(store_again):
        attachments.discard([old])
    assert default_storage.exists(Attachment.objects.get().path)


def test_two_sends_at_once_do_not_get_more_room_than_there_is(alice: User, settings: Settings) -> None:
    picture = pictures.vet(photograph(64, 48), longest_side=None)
    settings.CHATSITE_STORAGE_PER_PERSON = len(picture.data) * 3 // 2

    def keep() -> None:
        with transaction.atomic():
            attachments.check_room(alice, len(picture.data))
            attachments.store(alice, picture, origin=Origin.UPLOADED)

    with pytest.raises(Refusal), kept_waiting(keep):
        keep()
    assert Attachment.objects.count() == 1


def test_records_of_looks_stand_in_one_chain(carol: User) -> None:
    with kept_waiting(lambda: review.record(carol, "thread", "second", [review.Seen(None)])):
        review.record(carol, "thread", "first", [review.Seen(None)])
    assert list(Look.objects.order_by("number").values_list("reason", flat=True)) == ["first", "second"]
    assert chain.verify().faults == []
