"""Rows by composed statements are the rows that Django's own way writes and reads."""

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.db import IntegrityError, models, transaction
from django.utils import timezone

from conversations.models import Conversation, Message, Part, ProviderCall, User, rows
from conversations.models.message import Kind, Role, Status

pytestmark = pytest.mark.django_db


def values(row: models.Model) -> dict[str, Any]:
    found = {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}
    return {name: bytes(value) if isinstance(value, memoryview) else value for name, value in found.items()}


def reply(conversation: Conversation) -> Message:
    return Message(
        conversation=conversation,
        role=Role.ASSISTANT,
        status=Status.STREAMING,
        on_path=False,
        notices=["truncated", "„ü“"],
        cost_usd=Decimal("0.0000012345"),
        remaining_credits=Decimal("12.5"),
        started_at=timezone.now(),
        prompt_tokens=2**40,
    )


@pytest.mark.parametrize("kind", ["conversation", "message", "part", "call"])
def test_a_stored_row_is_read_back_as_it_was_made(conversation: Conversation, kind: str) -> None:
    message = rows.insert(reply(conversation))
    made: dict[str, models.Model] = {
        "conversation": Conversation(
            owner=conversation.owner, title='It\'s "%s" 🙂', parameters={"a": [1, None, "%"]}, active_at=timezone.now()
        ),
        "message": reply(conversation),
        "part": Part(message=message, position=3, kind=Kind.TEXT, text="100 %\n'; --", html="<p>"),
        "call": ProviderCall(message=message, attempt=1, model="m", request_deflated=b"\x00\xff%s"),
    }
    row = rows.insert(made[kind])
    assert row.pk
    assert not row._state.adding
    assert values(type(row)._base_manager.get(pk=row.pk)) == values(row)
    found = rows.find(type(row), pk=row.pk)
    assert found is not None
    assert values(found) == values(row)


def test_a_text_in_a_field_of_json_stays_a_text(alice: User) -> None:
    row = rows.insert(Conversation(owner=alice, parameters="text", active_at=timezone.now()))
    assert Conversation.objects.get(pk=row.pk).parameters == "text"


def test_rows_are_changed_where_all_conditions_hold(conversation: Conversation) -> None:
    one, other = rows.insert(reply(conversation)), rows.insert(reply(conversation))
    changes = {"status": Status.COMPLETE, "notices": [], "ended_at": timezone.now(), "cost_usd": None}
    assert rows.update(Message, {"pk": one.pk, "claim": "somebody else"}, changes) == 0
    assert rows.update(Message, {"pk": one.pk, "claim": "", "status": Status.STREAMING}, changes) == 1
    one.refresh_from_db()
    assert {name: getattr(one, name) for name in changes} == changes
    other.refresh_from_db()
    assert other.status == Status.STREAMING


def test_what_is_not_there_is_not_found(alice: User) -> None:
    assert rows.find(User, pk=alice.pk + 1) is None
    assert rows.find(User, username="ALICE") is None
    assert rows.find(User, username="alice", is_active=True) == alice


def test_a_session_is_found_with_its_end(alice: User) -> None:
    until = dt.datetime(2030, 1, 2, 3, 4, 5, 678, tzinfo=dt.UTC)
    Session.objects.create(session_key="k" * 32, session_data="x", expire_date=until)
    found = rows.find(Session, session_key="k" * 32)
    assert found is not None
    assert found.expire_date == until


def test_a_refused_row_raises_what_django_raises(conversation: Conversation) -> None:
    message = rows.insert(reply(conversation))
    rows.insert(Part(message=message, position=0, kind=Kind.TEXT))
    with pytest.raises(IntegrityError), transaction.atomic():
        rows.insert(Part(message=message, position=0, kind=Kind.TEXT))
