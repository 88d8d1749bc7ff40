"""The ledger: bodies as providers send them give rows that are exact to the last digit, and nothing is guessed."""

import datetime as dt
import json
from decimal import Decimal
from fractions import Fraction
from importlib import import_module
from typing import Any

import pytest
from django.apps import apps
from django.db import connection
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conversations.models import LedgerEntry, Message, ProviderCall, User
from conversations.models.message import Status
from conversations.providers.events import Usage
from conversations.providers.wire import Attempt
from conversations.services import ledger, people, replies, usage
from conversations.services.ledger import Terms
from conversations.services.offers import Prices
from conversations.services.replies import Outcome
from tests.conftest import send
from tests.wire.reading import decoded

pytestmark = pytest.mark.django_db

FLASH = Prices("USD", input=Decimal("0.3"), output=Decimal("2.5"), cached=Decimal("0.075"), picture=Decimal("0.039"))
SAID = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "Hello"}}
DREW = {
    "role": "model",
    "parts": [{"text": "Here"}],
}
AIMLAPI = {
    "choices": [SAID],
    "usage": {
        "prompt_tokens": 6,
        "completion_tokens": 3360,
        "total_tokens": 3366,
        "completion_tokens_details": {"reasoning_tokens": 1399},
        "prompt_tokens_details": {"cached_tokens": 0},
    },
    "meta": {"usage": {"credits_used": 2480, "usd_spent": 0.00124}},
}
CACHED = {
    "choices": [SAID],
    "usage": {
        "prompt_tokens": 20_011,
        "completion_tokens": 317,
        "prompt_tokens_details": {"cached_tokens": 19_456},
        "completion_tokens_details": {"reasoning_tokens": 192},
    },
}
GEMINI = {
    "candidates": [{"finishReason": "STOP", "content": DREW}],
    "usageMetadata": {
        "promptTokenCount": 1034,
        "candidatesTokenCount": 1304,
        "thoughtsTokenCount": 77,
        "cachedContentTokenCount": 1000,
        "totalTokenCount": 2415,
        "candidatesTokensDetails": [{"modality": "IMAGE", "tokenCount": 1290}],
    },
}
# What is asked of the row: tokens in, out, reasoning, cached; credits; money.
BODIES: dict[str, tuple[Any, int, tuple[Any, ...]]] = {
    "AI/ML API, which states money": (AIMLAPI, 0, (6, 3360, 1399, 0, "2480", "0.00124")),
    # 555 × 0.3 + 19,456 × 0.075 + 317 × 2.5 millionths
    "cached and reasoning tokens": (CACHED, 0, (20_011, 317, 192, 19_456, None, "0.0024182")),
    # 34 × 0.3 + 1,000 × 0.075 + 1,381 × 2.5 millionths, and a picture
    "picture tokens of Gemini": (GEMINI, 1, (1034, 1381, 77, 1000, None, "0.0425377")),
    "no usage at all": ({"choices": [SAID]}, 0, (None, None, None, None, None, None)),
    "money below nothing": (
        {"choices": [SAID], "meta": {"usage": {"usd_spent": -5, "credits_used": -3}}},
        0,
        (None, None, None, None, None, None),
    ),
}


def begun(user: User) -> tuple[Message, ProviderCall]:
    reply = replies.claim(send(user, "hello").reply.pk)
    assert reply is not None
    return reply, usage.begin(reply, Attempt(1, {"messages": []}))


def noted(user: User, used: Usage | None, *, prices: Prices | None = None, pictures: int = 0) -> LedgerEntry:
    reply, call = begun(user)
    attempt = Attempt(1, {}, status_code=200, outcome="complete", usage=used)
    usage.complete(call, attempt, reply=reply, terms=Terms(False, prices), pictures=pictures)
    return LedgerEntry.objects.get(call=call.pk)


def usage_in(body: Any) -> Usage | None:
    found = decoded([json.dumps(body).encode()])
    return next((event for event in found.events if isinstance(event, Usage)), None)


@pytest.mark.parametrize(("body", "pictures", "expected"), BODIES.values(), ids=BODIES)
def test_a_body_gives_its_row_to_the_last_digit(
    alice: User, body: Any, pictures: int, expected: tuple[Any, ...]
) -> None:
    row = noted(alice, usage_in(body), prices=FLASH if pictures or body is CACHED else None, pictures=pictures)
    *tokens, credits, money = expected
    assert [row.prompt_tokens, row.output_tokens, row.reasoning_tokens, row.cached_tokens] == tokens
    assert row.credits == (None if credits is None else int(credits) * 10**8)
    assert row.money == (None if money is None else Decimal(money))
    assert row.pictures == (pictures or None)


def test_what_the_provider_states_goes_before_the_prices_and_keeps_all_its_digits(alice: User) -> None:
    stated = Decimal("0.001240000000000000123")
    row = noted(alice, Usage(prompt=6, output=3360, cost_usd=stated), prices=FLASH)
    assert (row.money, row.stated, row.basis) == (Decimal("0.00124"), "0.001240000000000000123", "stated")


def test_a_row_says_who_what_how_and_at_which_prices(alice: User) -> None:
    row = noted(alice, Usage(prompt=1_000_000, output=1), prices=FLASH)
    assert (row.person, row.person_name, row.connection, row.is_own_key) == (alice.pk, "alice", "aimlapi", False)
    assert row.prices == {"currency": "USD", "input": "0.3", "output": "2.5", "cached": "0.075", "picture": "0.039"}
    assert (row.basis, row.currency, row.outcome) == ("", "", "complete"), "nobody said how many were cached"


@pytest.mark.parametrize(
    ("used", "prices"),
    [
        (Usage(prompt=5, output=5), None),
        (Usage(prompt=5, output=5), Prices("USD", input=Decimal(1))),
        (Usage(prompt=5, output=5), Prices("USD", output=Decimal(1))),
        (Usage(output=5), Prices("USD", input=Decimal(1), output=Decimal(1))),
        (Usage(prompt=5, output=5), Prices("USD", input=Decimal(-1), output=Decimal(1))),
        (Usage(prompt=5, output=5, cached=6), Prices("USD", Decimal(1), Decimal(1), cached=Decimal(0))),
        (Usage(prompt=2**62, output=5), Prices("USD", Decimal(10**9), Decimal(1))),
    ],
    ids=["no price", "one price", "the other price", "no count", "below nothing", "more cached than all", "too much"],
)
def test_what_cannot_be_known_is_unknown(alice: User, used: Usage, prices: Prices | None) -> None:
    row = noted(alice, used, prices=prices)
    assert (row.amount, row.currency, row.basis) == (None, "", "")


amounts = st.decimals(min_value=0, max_value=1000, places=6)
counts = st.integers(0, 2_000_000)


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(counts, counts, counts, counts, st.integers(0, 8), st.tuples(amounts, amounts, amounts, amounts, amounts))
def test_money_is_the_exact_sum_of_tokens_times_prices(
    prompt: int, output: int, cached: int, reasoning: int, pictures: int, five: tuple[Decimal, ...]
) -> None:
    used = Usage(prompt + cached, output + reasoning, reasoning, cached)
    prices = Prices("USD", five[0], five[1], five[2], five[3], five[4])
    millionths = prompt * five[0] + output * five[1] + cached * five[2] + reasoning * five[3]
    found = ledger.parts_of(ledger.cost_of(used, prices, pictures), 10**12)
    assert found == int(millionths * 10**6) + pictures * int(five[4] * 10**12)


@given(st.decimals(allow_nan=True, allow_infinity=True), st.decimals(), st.integers(), st.integers())
def test_no_price_and_no_figure_ever_credits(stated: Decimal, price: Decimal, prompt: int, output: int) -> None:
    assert (ledger.parts_of(stated, 10**12) or 0) >= 0
    if price.is_finite():
        cost = ledger.cost_of(Usage(abs(prompt), abs(output)), Prices("USD", price, price, picture=price), 1)
        assert cost is None or cost >= Fraction(0)


def test_rows_outlive_the_person_and_hold_nothing_that_was_said(alice: User) -> None:
    row = noted(alice, Usage(prompt=1, output=1))
    people.delete(alice)
    kept = LedgerEntry.objects.get(pk=row.pk)
    assert kept.person_name == "alice"
    assert "hello" not in json.dumps({name: str(value) for name, value in vars(kept).items()})


def test_a_call_whose_process_died_is_there_with_an_unknown_cost(alice: User) -> None:
    reply, call = begun(alice)
    replies.interrupt(reply)
    row = LedgerEntry.objects.get(call=call.pk)
    assert (row.outcome, row.amount) == ("lost", None)


def test_who_was_thought_dead_and_tells_late_makes_the_row_whole(alice: User) -> None:
    reply, call = begun(alice)
    replies.interrupt(reply)
    late = Attempt(1, {}, status_code=200, outcome="complete", usage=Usage(cost_usd=Decimal("0.5")))
    for _ in range(2):
        usage.complete(call, late, reply=reply, terms=Terms())
    row = LedgerEntry.objects.get()
    assert (row.outcome, row.money) == ("complete", Decimal("0.5"))


def test_a_call_that_ends_after_its_conversation_was_removed_is_there(alice: User) -> None:
    reply, call = begun(alice)
    reply.conversation.delete()
    paid = Attempt(1, {}, status_code=200, outcome="complete", usage=Usage(cost_usd=Decimal("0.5")))
    usage.complete(call, paid, reply=reply, terms=Terms())
    assert LedgerEntry.objects.get().money == Decimal("0.5")


def test_calls_that_were_stopped_and_then_lost_are_found_later(alice: User) -> None:
    reply, call = begun(alice)
    replies.stop(reply)
    assert ledger.close_lost() == 0
    ProviderCall.objects.filter(pk=call.pk).update(started_at=timezone.now() - dt.timedelta(hours=1))
    assert ledger.close_lost() == 1
    assert LedgerEntry.objects.get().outcome == "lost"


def test_the_end_of_a_call_costs_one_statement_more(alice: User, django_assert_num_queries: Any) -> None:
    reply, call = begun(alice)
    done = Attempt(1, {}, status_code=200, outcome="complete", usage=Usage(prompt=1, output=1))
    with django_assert_num_queries(2):
        usage.complete(call, done, reply=reply, terms=Terms(False, FLASH))
    replies.finish(reply, Outcome(Status.COMPLETE))


def test_calls_of_before_get_their_rows(alice: User) -> None:
    row = noted(alice, Usage(1, 2, 1, 0, cost_usd=Decimal("0.0000012345"), credits_used=Decimal("2.46913578")))
    before = {field.attname: getattr(row, field.attname) for field in LedgerEntry._meta.concrete_fields}
    LedgerEntry.objects.all().delete()
    migration = import_module("conversations.migrations.0012_fill_ledger")
    for _ in range(2):
        migration.fill(apps, connection.schema_editor(atomic=False))
    after = vars(LedgerEntry.objects.get())
    forgotten = {"id": None, "is_own_key": None, "stated": ""}
    assert {name: after[name] for name in before} | forgotten == before | forgotten
