"""Budgets on PostgreSQL, where many transactions run at once: nothing is overspent, and none waits for ever."""

from functools import partial

import pytest

from conversations.models import Spending, User
from conversations.services import conversations, messages
from conversations.services.budgets import OverBudget
from conversations.services.messages import Draft
from tests.conftest import MODEL, PAINTER
from tests.services.test_budgets import answered, budget, state, together

pytestmark = pytest.mark.django_db(transaction=True)


def test_fifty_sends_that_end_at_once_spend_no_more_than_there_is(alice: User, bob: User) -> None:
    made = budget(money="1.00", set_aside="0.07", scope="site")
    budget(messages=20)
    places = [conversations.create(person, model=MODEL) for person in (alice, bob) for _ in range(25)]

    def run(number: int) -> None:
        place = places[number]
        draft = Draft(text="hello", model=MODEL, key=f"together-{number}")
        answered(messages.send(place.owner, draft, place).reply, "0.069999999")

    failed = together([partial(run, number) for number in range(50)])
    assert {type(error) for error in failed} == {OverBudget}
    sent, spent, held = state(made)
    assert sent == 50 - len(failed) > 0
    assert held == 0
    assert spent * 10**9 == sent * 69_999_999
    assert spent <= 1


def test_comparisons_in_either_order_do_not_wait_for_each_other_in_a_circle(alice: User) -> None:
    first, second = budget(messages=15, model=MODEL), budget(messages=20, model=PAINTER)
    drafts = [
        Draft(text="compare", model=one, compare=[other], key=f"{turn}-{one}")
        for turn in range(20)
        for one, other in ((MODEL, PAINTER), (PAINTER, MODEL))
    ]
    failed = together([partial(messages.send, alice, draft) for draft in drafts])
    assert {type(error) for error in failed} == {OverBudget}
    assert len(failed) == 25
    assert [Spending.objects.get(budget=one).messages for one in (first, second)] == [15, 15]
