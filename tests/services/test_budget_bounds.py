"""What is reserved is never less than what a call costs: sends that run together never overspend."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from functools import partial

import pytest
from django.db.models import Sum
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conversations.generation.sweeper import Sweeper
from conversations.models import Budget, LedgerEntry, Message, Part, Reservation, Spending, User
from conversations.models.message import Kind, Status
from conversations.providers.events import Usage
from conversations.providers.wire import Attempt
from conversations.services import budgets, catalog, conversations, messages, replies, usage
from conversations.services.budgets import OverBudget
from conversations.services.ledger import Terms
from conversations.services.replies import NewPiece, Outcome
from tests.conftest import IdleEngine, send
from tests.connected import connect, offer
from tests.services.test_budgets import answered, budget, state, together

pytestmark = pytest.mark.django_db

PRICED = "house/chat"
LONGEST = 1000  # tokens of an answer
AT_ONCE = 12


@pytest.fixture
def priced() -> None:
    house = connect(key="", auth="none")
    offer(house, price_input=Decimal(3), price_output=Decimal(15), context_window=100_000, output_limit=LONGEST)


class NothingRuns(IdleEngine):
    """For housekeeping: an engine that answers nothing."""

    def running(self) -> set[int]:
        return set()

    known = running


@dataclass(frozen=True, slots=True)
class Call:
    """How a call went: what share of the longest request and answer it took, and what the provider said of it."""

    asked: float
    answered: float
    says: str


def went(reply: Message, call: Call, tokens_at_most: int) -> None:
    """The way of a reply in the engine; what is not said is known to nobody."""
    claimed = replies.claim(reply.pk)
    assert claimed is not None
    row = usage.begin(claimed, Attempt(1, {}))
    used = Usage(prompt=int(call.asked * tokens_at_most), output=int(call.answered * LONGEST), cached=0, reasoning=0)
    prices = catalog.find(PRICED).prices
    if call.says == "refused":
        attempt = Attempt(1, {}, 503, "overloaded")
    else:
        attempt = Attempt(1, {}, 200, call.says, usage=None if call.says == "stopped" else used)
    usage.complete(row, attempt, reply=claimed, terms=Terms(False, prices))
    replies.finish(claimed, Outcome(Status.COMPLETE if call.says == "complete" else Status.FAILED))
    budgets.settle(claimed.pk, claimed.runs)


calls = st.lists(
    st.builds(Call, st.floats(0, 1), st.floats(0, 1), st.sampled_from(["complete", "complete", "stopped", "refused"])),
    min_size=AT_ONCE,
    max_size=AT_ONCE,
)


@pytest.mark.django_db(transaction=True)
@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(calls, st.decimals(min_value="0.01", max_value="0.2", places=4))
def test_sends_that_run_together_never_overspend_whatever_they_cost(
    priced: None, alice: User, made: list[Call], limit: Decimal
) -> None:
    for model in (Reservation, Spending, Budget, LedgerEntry):
        model._default_manager.all().delete()
    one = budget(money=limit)
    places = [conversations.create(alice, model=PRICED) for _ in made]
    before = LedgerEntry.objects.count()

    def sends(number: int) -> None:
        draft = messages.Draft(text="hello", model=PRICED, key=f"bounds-{places[number].pk}")
        sent = messages.send(alice, draft, places[number])
        went(sent.reply, made[number], tokens_at_most=400)

    work: list[Callable[[], object]] = [partial(sends, number) for number in range(len(made))]
    failed = together(work)
    assert {type(error) for error in failed} <= {OverBudget}
    assert before == 0
    _sent, spent, held = state(one) if Spending.objects.exists() else (0, Decimal(0), Decimal(0))
    charged = Decimal(LedgerEntry.objects.aggregate(all=Sum("amount"))["all"] or 0).scaleb(-12)
    assert held == 0
    assert charged <= spent <= limit


def test_what_is_held_grows_with_what_is_sent_and_ends_at_the_context(priced: None, alice: User) -> None:
    one = budget(money=1000)
    reply = send(alice, "äöü" * 1000, model=PRICED).reply
    _messages, _spent, short = state(one)
    least = (6000 * Decimal(3) + LONGEST * Decimal(15)) / 10**6
    assert least <= short < 4 * least
    answered(reply, "0")
    Part.objects.filter(message=reply.parent).update(text="x" * 10**6)
    send(alice, "and now?", reply.conversation, model=PRICED)
    assert state(one)[2] == (100_000 * Decimal(3) + LONGEST * Decimal(15)) / 10**6


def test_more_is_held_where_more_is_set_aside(priced: None, alice: User) -> None:
    less, more = budget(money=9, set_aside="0.000001"), budget(money=9, set_aside=2)
    send(alice, "hello", model=PRICED)
    assert state(less)[2] > Decimal("0.015")
    assert state(more)[2] == 2


def test_a_continuation_holds_what_the_answer_so_far_costs_anew(priced: None, alice: User) -> None:
    one = budget(money=9)
    reply = send(alice, "hello", model=PRICED).reply
    claimed = replies.claim(reply.pk)
    assert claimed is not None
    replies.write([NewPiece(claimed.pk, claimed.claim, 0, Kind.TEXT, "x" * 20_000)])
    replies.finish(claimed, Outcome(Status.STOPPED))
    budgets.settle(claimed.pk, claimed.runs)
    assert state(one)[2] == 0
    assert replies.go_on(Message.objects.get(pk=reply.pk))
    assert state(one)[2] > (20_000 * Decimal(3) + LONGEST * Decimal(15)) / 10**6
    budgets.settle(reply.pk, run=2)
    assert state(one)[2] == 0


def test_a_message_that_waits_for_a_reply_is_not_sent_with_the_money_that_reply_still_holds(
    alice: User,
) -> None:
    one = budget(money="1.00", set_aside="0.60")
    reply = send(alice, "hello").reply
    waiting = send(alice, "and then?", reply.conversation).message
    claimed = replies.claim(reply.pk)
    assert claimed is not None
    replies.finish(claimed, Outcome(Status.COMPLETE))
    sweeper = Sweeper(NothingRuns(), is_alone=False)
    sweeper.sweep()
    assert Message.objects.get(pk=waiting.pk).status == Status.WAITING
    budgets.settle(claimed.pk, claimed.runs)
    sweeper.sweep()
    assert Message.objects.get(pk=waiting.pk).status == Status.COMPLETE
    assert state(one)[2] == Decimal("0.6")
