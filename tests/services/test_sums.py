"""The sums of the ledger: however often and in whichever stretches they are added up, they are what the calls are."""

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pytest_django import DjangoAssertNumQueries

from conversations.models import LedgerEntry, LedgerSum, User
from conversations.providers.events import Usage
from conversations.providers.wire import Attempt
from conversations.services import conversations, ledger, replies, spent, sums, usage
from conversations.services.ledger import Terms
from tests.services.test_ledger import begun
from tests.views.test_usage import spend

pytestmark = pytest.mark.django_db


def by(kind: str, days: int = 365) -> dict[str, tuple[int, int, dict[str, Decimal]]]:
    """Calls, calls of unknown cost, and money by name."""
    _by_day, table = spent.of_everybody(spent.since(days), kind)
    return {line.name: (line.calls, line.unknown, line.money) for line in table}


calls = st.lists(
    st.tuples(
        st.sampled_from(["alice", "bob"]),
        st.one_of(st.none(), st.decimals(min_value=0, max_value=9_000_000, places=12)),
        st.integers(0, 3),
        st.booleans(),
    ),
    max_size=12,
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(calls)
def test_sums_are_those_of_the_calls_whatever_was_added_up_when(
    alice: User, bob: User, made: list[tuple[str, Decimal | None, int, bool]]
) -> None:
    LedgerEntry.objects.all().delete()
    LedgerSum.objects.all().delete()
    expected: dict[str, Decimal] = {}
    for name, amount, days_ago, adds_up in made:
        spend({"alice": alice, "bob": bob}[name], None if amount is None else str(amount), days_ago=days_ago)
        expected[name] = expected.get(name, Decimal(0)) + (amount or 0)
        if adds_up:
            sums.add_up()
    found = by("person")
    assert {name: money.get("USD", 0) for name, (_calls, _unknown, money) in found.items()} == expected
    assert sum(one[1] for one in found.values()) == sum(amount is None for _name, amount, *_rest in made)
    for kind in ("day", "model", "connection", "group"):
        assert sum(one[2].get("USD", Decimal(0)) for one in by(kind).values()) == sum(expected.values())
    own = spent.together(spent.of_person(alice, spent.since(7))[1])
    assert own.money.get("USD", 0) == expected.get("alice", 0)


def test_a_call_counts_for_the_groups_of_its_time(alice: User) -> None:
    before, after = Group.objects.create(name="before"), Group.objects.create(name="after")
    alice.groups.add(before)
    spend(alice, "1")
    sums.add_up()
    alice.groups.set([after])
    spend(alice, "2")
    assert by("group") == {"before": (1, 0, {"USD": Decimal(1)}), "after": (1, 0, {"USD": Decimal(2)})}


def test_who_tells_late_after_the_sums_were_made_is_counted_once(alice: User) -> None:
    reply, call = begun(alice)
    replies.interrupt(reply)
    spend(alice, "1", call=10**9)
    assert sums.add_up()
    assert by("person") == {"alice": (2, 1, {"USD": Decimal(1)})}
    late = Attempt(1, {}, status_code=200, outcome="complete", usage=Usage(cost_usd=Decimal("0.5")))
    usage.complete(call, late, reply=reply, terms=Terms())
    for _ in range(2):
        assert by("person") == {"alice": (2, 0, {"USD": Decimal("1.5")})}
        sums.add_up()


def test_a_call_that_is_lost_with_its_conversation_keeps_its_row(alice: User) -> None:
    reply, call = begun(alice)
    conversations.purge(reply.conversation)
    assert LedgerEntry.objects.get(call=call.pk).outcome == ledger.LOST


def test_pages_do_not_look_at_calls_that_are_added_up(
    alice: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for days_ago in range(5):
        spend(alice, "1", days_ago=days_ago)
    sums.add_up()
    with django_assert_num_queries(4):
        assert by("person") == {"alice": (5, 0, {"USD": Decimal(5)})}
    LedgerEntry.objects.all().delete()  # as nobody does; but the sums must not need them
    assert by("person", days=3) == {"alice": (3, 0, {"USD": Decimal(3)})}


def test_rows_of_other_days_are_left_out_even_when_they_are_new(alice: User) -> None:
    spend(alice, "1", days_ago=40)
    assert by("day", days=30) == {}
    yesterday: Any = timezone.localdate() - dt.timedelta(days=40)
    assert by("day") == {yesterday.isoformat(): (1, 0, {"USD": Decimal(1)})}
