"""Budgets: what is reserved, settled and refused, and that sends which come together never overspend."""

import datetime as dt
import random
import threading
from collections.abc import Callable
from decimal import Decimal
from functools import partial
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.db import connection
from django.db.models import Sum
from django.utils import timezone

from conversations.generation.sweeper import Sweeper
from conversations.models import Budget, LedgerEntry, Message, ProviderCall, Reservation, Spending, User
from conversations.models.message import Status
from conversations.providers.events import Usage
from conversations.providers.wire import Attempt
from conversations.services import budgets, conversations, messages, replies, usage
from conversations.services.budgets import OverBudget
from conversations.services.ledger import Terms
from conversations.services.replies import Outcome
from tests.conftest import MODEL, PAINTER, IdleEngine, send

pytestmark = pytest.mark.django_db


def budget(**values: Any) -> Budget:
    made = Budget.objects.create(**{"scope": "each", "period": "month"} | values)
    budgets.forget()
    budgets.current()
    return made


def answered(reply: Message, cost: str | None = None, outcome: str = "complete", status: int | None = 200) -> None:
    """The whole way of a reply in the engine: claimed, asked, answered at this cost, ended."""
    claimed = replies.claim(reply.pk)
    assert claimed is not None
    call = usage.begin(claimed, Attempt(1, {}))
    used = None if cost is None else Usage(cost_usd=Decimal(cost))
    usage.complete(call, Attempt(1, {}, status, outcome, usage=used), reply=claimed, terms=Terms(False))
    replies.finish(claimed, Outcome(Status.COMPLETE if outcome == "complete" else Status.FAILED))
    budgets.settle(claimed.pk, claimed.runs)


def state(of: Budget) -> tuple[int, Any, Any]:
    """Messages, money spent, money held."""
    (spending,) = Spending.objects.filter(budget=of)
    return spending.messages, Decimal(spending.spent).scaleb(-9), Decimal(spending.reserved).scaleb(-9)


def test_a_budget_of_messages_lets_so_many_go(alice: User, bob: User) -> None:
    made = budget(messages=2, period="day")
    for _ in range(2):
        send(alice, "hello")
    with pytest.raises(OverBudget) as refused:
        send(alice, "one more")
    tomorrow = timezone.localdate() + dt.timedelta(days=1)
    assert "0 messages are left." in str(refused.value.sentence)
    assert f"{tomorrow.day}, {tomorrow.year}" in str(refused.value.sentence)
    assert Message.objects.filter(sender=alice).count() == 2, "what is refused is not stored"
    send(bob, "each has a budget")
    assert Spending.objects.filter(budget=made).count() == 2


def test_money_is_held_before_the_call_and_settled_after_it(alice: User) -> None:
    made = budget(money="1.00", set_aside="0.40")
    reply = send(alice, "hello").reply
    assert state(made) == (1, 0, Decimal("0.4"))
    answered(reply, "0.123456789")
    assert state(made) == (1, Decimal("0.123456789"), 0)
    assert not Reservation.objects.exists()


def test_who_has_not_enough_left_is_told_how_much_it_is(alice: User) -> None:
    budget(money="1.00", set_aside="0.40")
    for _ in range(2):
        send(alice, "hello")
    with pytest.raises(OverBudget) as refused:
        send(alice, "hello")
    assert "It may cost up to 0.40 USD. 0.20 USD is left. It renews on" in str(refused.value.sentence)


def test_a_cost_that_nobody_knows_is_what_was_held(alice: User) -> None:
    made = budget(money="1.00", set_aside="0.40")
    answered(send(alice, "hello").reply)
    assert state(made) == (1, Decimal("0.4"), 0)


@pytest.mark.parametrize(("outcome", "status"), [("auth", 401), ("provider_down", 503), ("network", None)])
def test_a_call_that_was_refused_costs_nothing(alice: User, outcome: str, status: int | None) -> None:
    made = budget(money="1.00", set_aside="0.40", messages=5)
    answered(send(alice, "hello").reply, outcome=outcome, status=status)
    assert state(made) == (0, 0, 0)


def test_a_call_that_failed_and_was_charged_counts(alice: User) -> None:
    made = budget(money="1.00", set_aside="0.40")
    answered(send(alice, "hello").reply, "0.25", outcome="interrupted")
    assert state(made) == (1, Decimal("0.25"), 0)


def past(reply: Message) -> None:
    Message.objects.filter(pk=reply.pk).update(ended_at=timezone.now() - dt.timedelta(hours=1))
    ProviderCall.objects.filter(message=reply).update(started_at=timezone.now() - dt.timedelta(hours=1))


def swept(reply: Message) -> None:
    class Pool:
        def running(self) -> set[int]:
            return set()

        known = running

        def go_on(self, reply: int) -> None: ...

        def cancel(self, reply: int) -> None: ...

    sweeper = Sweeper(Pool(), is_alone=True)
    sweeper.sweep(at_start=True)
    past(reply)
    sweeper.purge()
    sweeper.sweep()


def test_a_reply_that_was_stopped_before_its_call_gives_everything_back(alice: User) -> None:
    made = budget(money="1.00", set_aside="0.40")
    reply = send(alice, "hello").reply
    replies.stop(reply)
    assert budgets.settle_left_behind() == 0, "whoever writes it may be about to"
    swept(reply)
    assert state(made) == (0, 0, 0)


def test_a_process_that_died_in_a_call_leaves_what_was_held_as_spent(alice: User) -> None:
    made = budget(money="1.00", set_aside="0.40")
    reply = replies.claim(send(alice, "hello").reply.pk)
    assert reply is not None
    usage.begin(reply, Attempt(1, {}))
    swept(reply)
    assert state(made) == (1, Decimal("0.4"), 0)


def test_a_reply_that_was_stopped_in_its_call_by_a_process_that_died_is_settled(alice: User) -> None:
    made = budget(money="1.00", set_aside="0.40")
    reply = replies.claim(send(alice, "hello").reply.pk)
    assert reply is not None
    usage.begin(reply, Attempt(1, {}))
    replies.stop(reply)
    swept(reply)
    assert state(made) == (1, Decimal("0.4"), 0)


def test_a_run_is_settled_once(alice: User) -> None:
    made = budget(money="1.00", set_aside="0.40")
    reply = send(alice, "hello").reply
    answered(reply, "0.1")
    budgets.settle(reply.pk, 1)
    assert state(made) == (1, Decimal("0.1"), 0)


def test_a_model_of_unknown_price_needs_an_amount_to_set_aside(alice: User) -> None:
    budget(money="1.00")
    with pytest.raises(OverBudget, match="Nobody knows what this model costs"):
        send(alice, "hello")


def test_budgets_of_a_model_a_person_and_a_group_hold_side_by_side(alice: User, bob: User) -> None:
    group = Group.objects.create(name="staff")
    group.user_set.add(alice)
    budget(messages=1, model=PAINTER)
    budget(messages=3, scope="person", person=alice)
    budget(messages=2, scope="group", group=group)
    budget(messages=4, scope="site")
    send(alice, "draw", model=PAINTER)
    with pytest.raises(OverBudget, match="Your budget"):
        send(alice, "draw", model=PAINTER)
    send(alice, "hello")
    with pytest.raises(OverBudget, match="of your group"):
        send(alice, "hello")
    for _ in range(2):
        send(bob, "hello")
    with pytest.raises(OverBudget, match="of everybody"):
        send(bob, "hello")
    assert [one.messages for one in budgets.left_for(alice.pk)] == [0, 1, 0, 0]


def test_columns_hold_room_for_each_reply_or_none_at_all(alice: User) -> None:
    made = budget(messages=1)
    with pytest.raises(OverBudget):
        send(alice, "compare", compare=[PAINTER])
    assert not Spending.objects.filter(budget=made).exists()


def test_a_message_that_waits_is_sent_when_the_budget_allows(alice: User, idle_engine: IdleEngine) -> None:
    made = budget(messages=1)
    reply = send(alice, "hello").reply
    waiting = send(alice, "and then?", reply.conversation).message
    answered(reply, "0.1")
    waiting.refresh_from_db()
    assert waiting.status == Status.WAITING
    Spending.objects.filter(budget=made).update(messages=0)
    swept(reply)
    waiting.refresh_from_db()
    assert waiting.status == Status.COMPLETE


def test_a_day_later_there_is_room_again(alice: User) -> None:
    made = budget(messages=1, period="day")
    send(alice, "hello")
    Spending.objects.update(begins=timezone.localdate() - dt.timedelta(days=1))
    send(alice, "hello")
    assert Spending.objects.filter(budget=made).count() == 2


def test_without_a_budget_a_send_costs_no_statement_more(alice: User, django_assert_num_queries: Any) -> None:
    reply = send(alice, "hello").reply
    with django_assert_num_queries(0):
        budgets.reserve(Message(model=MODEL, pk=1), alice.pk)
        budgets.settle(reply.pk, 1)
        budgets.settle_left_behind()


def together(work: list[Callable[[], object]]) -> list[Exception]:
    failed: list[Exception] = []
    ready = threading.Barrier(len(work))

    def run(one: Callable[[], object]) -> None:
        try:
            ready.wait(60)
            one()
        except Exception as error:
            failed.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(one,)) for one in work]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    return failed


@pytest.mark.django_db(transaction=True)
def test_fifty_sends_at_the_limit_never_overspend(alice: User) -> None:
    made = budget(money="1.00", set_aside="0.07", messages=40)
    budget(messages=1000, scope="site")
    places = [conversations.create(alice, model=MODEL) for _ in range(50)]
    chance = random.Random(5)

    def sends(number: int, cost: str) -> Callable[[], object]:
        draft = messages.Draft(text="hello", model=MODEL, key=f"together-{number}")

        def run() -> None:
            answered(messages.send(alice, draft, places[number]).reply, cost)

        return run

    failed = together([sends(number, f"0.0{chance.randint(1, 70_000_000):08}") for number in range(50)])
    assert {type(error) for error in failed} <= {OverBudget}
    sent, spent, held = state(made)
    stated = LedgerEntry.objects.aggregate(all=Sum("amount"))["all"]
    assert sent == 50 - len(failed) == LedgerEntry.objects.count()
    assert 0 < sent <= 40
    assert held == 0
    assert Decimal(0) <= spent - Decimal(stated).scaleb(-12) < Decimal(sent).scaleb(-9)
    assert spent <= 1


@pytest.mark.django_db(transaction=True)
def test_fifty_sends_that_all_run_hold_no_more_than_there_is(alice: User) -> None:
    made = budget(money="1.00", set_aside="0.07")
    places = [conversations.create(alice, model=MODEL) for _ in range(50)]
    drafts = [messages.Draft(text="hello", model=MODEL, key=f"held-{number}") for number in range(50)]
    pairs = list(zip(drafts, places, strict=True))
    failed = together([partial(messages.send, alice, draft, place) for draft, place in pairs])
    assert {type(error) for error in failed} == {OverBudget}
    assert state(made) == (14, 0, Decimal("0.98"))
