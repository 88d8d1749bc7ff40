"""Rules flag what was written since they last looked, once, and wait for what still runs."""

import datetime as dt
from decimal import Decimal

import pytest
from django.db.models import F

from conversations.models import Case, Flag, Message, Rule, User
from conversations.models.message import Status
from conversations.models.work import RuleKind
from conversations.services import replies, rules
from conversations.services.replies import NewPiece, Outcome
from tests.conftest import send


def make(kind: RuleKind, **fields: object) -> Rule:
    return Rule.objects.create(name=f"by {kind}", kind=kind, **fields)


def end(reply: Message, text: str = "fine", cost: str | None = None) -> Message:
    claimed = replies.claim(reply.pk)
    assert claimed is not None
    replies.write([NewPiece(claimed.pk, claimed.claim, 0, "text", text)])
    replies.finish(claimed, Outcome(Status.COMPLETE))
    Message.objects.filter(pk=reply.pk).update(cost_usd=cost and Decimal(cost))
    return Message.objects.get(pk=reply.pk)


def test_words_are_found_in_what_people_and_models_say_once(alice: User, bob: User) -> None:
    rule = make(RuleKind.WORDS, words="secret plan*\n\nbomb")
    asked = send(alice, "My SECRET\nPlans").message
    end(Message.objects.get(parent=asked), "no bombshell here")
    end(send(bob, "plain", key="b").reply, "A bomb.")
    assert rules.check_all() == 2
    assert set(Flag.objects.values_list("cause", "rule", "message__role")) == {
        ("words", rule.pk, "user"),
        ("words", rule.pk, "assistant"),
    }
    assert rules.check_all() == 0
    assert Case.objects.count() == 2


@pytest.mark.parametrize(
    ("words", "text", "is_found"),
    [
        ("kill", "skill", False),
        ("kill*", "killing", True),
        ("*kill", "overkill", True),
        ("a.c", "abc", False),
        ("c++", "I like C++.", True),
        ("größe", "GRÖẞE GRÖSSE Größe", True),
        ("", "anything", False),
    ],
)
def test_whole_words_are_found_in_any_case_and_a_star_is_the_rest_of_one(words: str, text: str, is_found: bool) -> None:
    assert bool(rules.compiled(words).search(text)) == is_found


def test_what_costs_as_much_is_flagged(alice: User) -> None:
    make(RuleKind.COST, dollars=Decimal("0.5"))
    for number, cost in enumerate(("0.4999", "0.5", None)):
        end(send(alice, "x", key=f"k{number}").reply, cost=cost)
    assert rules.check_all() == 1
    assert Flag.objects.get().message.cost_usd == Decimal("0.5")  # type: ignore[union-attr]


@pytest.mark.parametrize(("percent", "count"), [("0", 0), ("100", 20)])
def test_a_sample_takes_its_share_of_replies(alice: User, percent: str, count: int) -> None:
    make(RuleKind.SAMPLE, percent=Decimal(percent))
    for number in range(20):
        end(send(alice, "x", key=f"k{number}").reply)
    assert rules.check_all() == count


def test_a_reply_that_runs_is_waited_for(alice: User) -> None:
    make(RuleKind.WORDS, words="needle")
    running = send(alice, "x").reply
    later = send(alice, "a needle", key="later")
    assert rules.check_all() == 0
    end(running, "another needle")
    assert rules.check_all() == 2  # what is before the later reply, which runs as well
    end(later.reply, "a third needle")
    assert rules.check_all() == 1


def test_a_disabled_rule_and_one_that_begins_now_leave_the_past_alone(alice: User) -> None:
    end(send(alice, "needle").reply)
    make(RuleKind.WORDS, words="needle", enabled=False)
    fresh = Rule(name="fresh", kind=RuleKind.WORDS, words="needle")
    rules.begin(fresh)
    fresh.save()
    assert rules.check_all() == 0
    end(send(alice, "needle", key="new").reply)
    assert rules.check_all() == 1


def test_long_histories_are_looked_at_in_stretches(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "STRETCH", 3)
    rule = make(RuleKind.WORDS, words="needle")
    end(send(alice, "needle of before").reply)
    rules.begin(rule)
    rule.save()
    for number in range(4):
        end(send(alice, "needle", key=f"k{number}").reply)
    assert [rules.check_all() for _ in range(4)] == [2, 1, 1, 0]


def test_a_reply_that_was_written_on_is_looked_at_again_and_flagged_once(alice: User) -> None:
    rule = make(RuleKind.WORDS, words="needle")
    rules.begin(rule)
    rule.save()
    reply = send(alice, "hello").reply
    claimed = replies.claim(reply.pk)
    assert claimed is not None
    replies.write([NewPiece(claimed.pk, claimed.claim, 0, "text", "nothing so far")])
    replies.finish(claimed, Outcome(Status.STOPPED))
    assert rules.check_all() == 0
    past_moments(rule)
    assert replies.go_on(Message.objects.get(pk=reply.pk))
    end(reply, " and then a needle")
    past_moments(rule)
    assert rules.check_all() == 1
    past_moments(rule)
    assert rules.check_all() == 0


def past_moments(rule: Rule) -> None:
    """As if all that were half a minute ago."""
    ago = dt.timedelta(seconds=30)
    Message.objects.update(ended_at=F("ended_at") - ago)
    Rule.objects.filter(pk=rule.pk).update(continued_up_to=F("continued_up_to") - 2 * ago)
