"""Rules that flag by themselves: words in messages, what a reply cost, a random sample. Each goes on where it ended."""

import datetime as dt
import re
from collections.abc import Iterator
from decimal import Decimal
from secrets import SystemRandom

from django.db import transaction
from django.db.models import Max, Min, QuerySet
from django.utils import timezone

from conversations.models import Message, Part, Rule
from conversations.models.message import Kind
from conversations.models.work import Cause, RuleKind
from conversations.services import cases

STRETCH = 20_000  # messages that a rule looks at in one go
SETTLED_AFTER = dt.timedelta(seconds=10)  # an end is stored within so long of the moment that it says
MOST_STARS = 3  # in one line of words: more would take long to look for

CAUSES = {RuleKind.WORDS: Cause.WORDS, RuleKind.COST: Cause.COST, RuleKind.SAMPLE: Cause.SAMPLE}
chance = SystemRandom()


def begin(rule: Rule) -> None:
    """A new rule looks at what is written from now on."""
    rule.checked_up_to = Message.objects.aggregate(newest=Max("pk"))["newest"] or 0
    rule.continued_up_to = timezone.now()


def check_all() -> int:
    """Let each rule look at what has ended since; returns how many flags were raised."""
    return sum(check(rule) + check_continued(rule) for rule in Rule.objects.filter(enabled=True))


@transaction.atomic
def check(rule: Rule) -> int:
    """Go on for a stretch. What still runs is waited for, and what comes after it: it may not be complete."""
    newest = Message.objects.aggregate(newest=Max("pk"))["newest"] or 0
    running = Message.objects.running().order_by().aggregate(oldest=Min("pk"))["oldest"]
    end = min(newest, rule.checked_up_to + STRETCH, running - 1 if running else newest)
    if end <= rule.checked_up_to:
        return 0
    found = _flag(rule, Message.objects.filter(pk__gt=rule.checked_up_to, pk__lte=end))
    Rule.objects.filter(pk=rule.pk).update(checked_up_to=end)
    return found


@transaction.atomic
def check_continued(rule: Rule) -> int:
    """Look again at replies that were written on; a sample is drawn once."""
    now = timezone.now() - SETTLED_AFTER
    since = rule.continued_up_to or now
    if since > now:
        return 0
    # Written out, since SQLite does not see otherwise that there is an index of these alone.
    continued = Message.objects.extra(where=["conversations_message.runs > 1"])
    again = continued.filter(ended_at__gt=since, ended_at__lte=now).exclude(pk__in=rule.flags.values("message"))
    chosen = Message.objects.filter(pk__in=list(again.values_list("pk", flat=True)))
    found = 0 if rule.kind == RuleKind.SAMPLE else _flag(rule, chosen)
    Rule.objects.filter(pk=rule.pk).update(continued_up_to=now)
    return found


def _flag(rule: Rule, messages: QuerySet[Message]) -> int:
    found = list(Message.objects.filter(pk__in=set(_caught(rule, messages))).select_related("conversation"))
    for message in found:
        cases.flag(message.conversation, CAUSES[RuleKind(rule.kind)], message=message, rule=rule)
    return len(found)


def _caught(rule: Rule, messages: QuerySet[Message]) -> Iterator[int]:
    match RuleKind(rule.kind):
        case RuleKind.WORDS:
            pattern = compiled(rule.words)
            texts = Part.objects.filter(message__in=messages.order_by(), kind=Kind.TEXT).values_list("message", "text")
            yield from (message for message, text in texts.iterator(chunk_size=500) if pattern.search(text))
        case RuleKind.COST:
            yield from messages.filter(cost_usd__gte=rule.dollars or Decimal(0)).values_list("pk", flat=True)
        case RuleKind.SAMPLE:
            share = float(rule.percent or 0) / 100
            replies = messages.filter(role="assistant").values_list("pk", flat=True)
            yield from (reply for reply in replies if chance.random() < share)


def compiled(words: str) -> re.Pattern[str]:
    """A line for each thing to find, whole words in any case; a star stands for the rest of a word.

    No regular expressions: one that somebody wrote could take for ever. Raises ValueError for a line of too many stars.
    """
    lines = [" ".join(line.split()) for line in words.splitlines() if line.strip()]
    if any(line.count("*") > MOST_STARS for line in lines):
        raise ValueError("too many stars")
    looked_for = "|".join(re.escape(line).replace(r"\*", r"\w*").replace(r"\ ", r"\s+") for line in lines)
    return re.compile(rf"(?<!\w)(?:{looked_for})(?!\w)" if lines else r"(?!)", re.IGNORECASE)
