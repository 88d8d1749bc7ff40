"""The record of looks: nobody changes or removes a row, and where somebody did all the same, it shows."""

import datetime as dt
import hashlib
from collections.abc import Callable
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction

from conversations.models import Conversation, Look, User
from conversations.models.review import Kept
from conversations.services import chain, review
from conversations.services.chain import FIRST
from tests.conftest import send

WHY = "a complaint"
LOOSE = {  # what somebody who owns the database can do
    "sqlite": ("DROP TRIGGER look_UPDATE", "DROP TRIGGER look_DELETE"),
    "postgresql": ("ALTER TABLE conversations_look DISABLE TRIGGER USER",),
}


@pytest.fixture
def looks(alice: User, carol: User, conversation: Conversation) -> list[Look]:
    return [review.record_look(carol, conversation, "thread", f"{WHY} {number}") for number in range(4)]


def tamper(sql: str) -> None:
    with connection.cursor() as cursor:
        for statement in (*LOOSE[connection.vendor], sql):
            cursor.execute(statement)


def verified(*options: str) -> str:
    out = StringIO()
    call_command("verify_audit", *options, stdout=out)
    return out.getvalue()


def test_records_are_numbered_and_each_continues_the_one_before(looks: list[Look]) -> None:
    assert [look.number for look in looks] == [1, 2, 3, 4]
    assert [look.previous for look in looks] == [FIRST, *(look.digest for look in looks[:3])]
    assert verified() == f"4 records, each continues the one before. Head: 4:{looks[3].digest}\n"


def test_the_digest_is_of_canonical_json() -> None:
    moment = dt.datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=dt.UTC)
    look = Look(number=1, reviewer_id=2, reviewer_name="ü", what="thread", reason="r", previous=FIRST)
    look.created_at = moment
    text = (
        '{"at":"2026-01-02T03:04:05.000006+00:00","conversation":"","detail":"","number":1,"owner":null,"owner_name":"",'
        f'"previous":"{FIRST}","reason":"r","reviewer":2,"reviewer_name":"ü","what":"thread"}}'
    )
    assert chain.digest_of(look) == hashlib.sha256(text.encode()).hexdigest()


@pytest.mark.parametrize(
    "attempt",
    [
        lambda look: look.save(),
        lambda look: look.delete(),
        lambda look: Look.objects.all().delete(),
        lambda look: Look.objects.filter(pk=look.pk).update(reason="another"),
        lambda look: Look.objects.create(number=9),
    ],
)
def test_models_refuse_to_change_or_remove_a_record(looks: list[Look], attempt: Callable[[Look], object]) -> None:
    with pytest.raises(Kept):
        attempt(looks[0])


@pytest.mark.parametrize(
    "sql", ["UPDATE conversations_look SET reason = 'another'", "DELETE FROM conversations_look WHERE number = 4"]
)
def test_the_database_refuses_to_change_or_remove_a_record(looks: list[Look], sql: str) -> None:
    refused = pytest.raises(DatabaseError, match="records of looks are kept")
    with refused, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql)
    assert Look.objects.filter(reason__startswith=WHY).count() == 4


@pytest.mark.parametrize(
    ("sql", "fault"),
    [
        ("UPDATE conversations_look SET reason = 'another' WHERE number = 2", "record 2 was changed"),
        ("UPDATE conversations_look SET owner_id = NULL WHERE number = 2", "record 2 was changed"),
        ("DELETE FROM conversations_look WHERE number = 3", "record 4 follows 2: records between them were removed"),
        ("DELETE FROM conversations_look WHERE number = 1", "record 2 follows 0: records between them were removed"),
        (
            "UPDATE conversations_look SET previous = digest WHERE number = 3",
            "record 3 does not continue record 2\nrecord 3 was changed",
        ),
    ],
)
def test_tampering_shows(looks: list[Look], sql: str, fault: str) -> None:
    tamper(sql)
    with pytest.raises(CommandError) as raised:
        verified()
    assert str(raised.value) == f"The records are not whole:\n{fault}"


def test_a_missing_end_shows_against_a_noted_head_and_by_the_counter_of_the_database(looks: list[Look]) -> None:
    noted = str(chain.head())
    assert verified("--noted", noted)
    tamper("DELETE FROM conversations_look WHERE number = 4")
    with pytest.raises(CommandError, match="record 4 is not what was noted"):
        verified("--noted", noted)
    report = chain.verify()
    assert len(report.faults + report.doubts) == 1
    assert "the end was cut off" in (report.faults + report.doubts)[0]


def test_a_chain_that_was_written_anew_shows_against_a_noted_head(looks: list[Look], carol: User) -> None:
    noted = chain.head()
    tamper("DELETE FROM conversations_look")
    for number in range(4):
        review.record(carol, "thread", f"harmless {number}", [review.Seen(None)])
    assert chain.verify(noted).faults[0].startswith("record 4 is not what was noted")


def test_records_outlive_whom_and_what_they_are_about(alice: User, looks: list[Look], carol: User) -> None:
    uuid = looks[0].conversation
    alice.delete()
    carol.delete()
    look = Look.objects.get(number=1)
    assert (look.owner_name, look.reviewer_name, look.conversation) == ("alice", "carol", uuid)
    assert chain.verify().faults == []


def test_a_listing_is_recorded_for_each_person_in_it(alice: User, bob: User, carol: User) -> None:
    talks = [send(one, "x", key=f"k{number}").message.conversation for number, one in enumerate((alice, bob, alice))]
    review.record_listing(carol, talks, "list", WHY)
    found = {look.owner_name: set(look.detail.split()) for look in Look.objects.all()}
    assert found == {"alice": {str(talks[0].uuid), str(talks[2].uuid)}, "bob": {str(talks[1].uuid)}}
    assert chain.verify().faults == []
