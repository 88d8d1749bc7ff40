"""How long conversations are kept: for everybody, and for the members of a group in place of that.

Of several groups the one that keeps longest counts. Holds win over all of it.
"""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

from django.db.models import Q, QuerySet
from django.utils import timezone

from conversations.models import Conversation, Retention, User
from conversations.services import conversations, holds

AT_ONCE = 500  # conversations that one round removes for each rule


@dataclass(frozen=True, slots=True)
class Due:
    """What a rule removes: `conversations` are past their time, those that are held left out already."""

    rule: Retention
    conversations: QuerySet[Conversation]
    held: int


def due() -> Iterator[Due]:
    """Rule by rule; each looks only at the people it counts for."""
    now = timezone.now()
    for rule, theirs in _rules("days"):
        if rule.days is not None:
            past = Conversation.objects.filter(theirs, active_at__lt=now - dt.timedelta(days=rule.days))
            removable = holds.unheld(past)
            yield Due(rule, removable.order_by("active_at", "pk"), past.count() - removable.count())


def apply() -> int:
    """Remove for good what is past its time, a bounded number in one go; returns how many conversations went."""
    return sum(conversations.purge_all(one.conversations[:AT_ONCE]) for one in due())


def purge_deleted(*, before: dt.datetime | None = None) -> int:
    """Remove what its owner deleted, once the time for undo and that for reviewers are over; returns how many went."""
    now = timezone.now()
    limit = before or now - conversations.UNDO_WINDOW
    count = 0
    for rule, theirs in _rules("deleted_days"):
        moment = min(limit, now - dt.timedelta(days=rule.deleted_days))
        count += conversations.purge_all(Conversation.objects.filter(theirs, deleted_at__lt=moment))
    return count


def _rules(longest: str) -> list[tuple[Retention, Q]]:
    """Each rule with the conversations it counts for; those of groups first, the one that keeps longest before all."""
    stored = list(Retention.objects.select_related("group"))
    for_groups = [rule for rule in stored if rule.group_id]
    for_groups.sort(key=lambda rule: (getattr(rule, longest) is not None, -(getattr(rule, longest) or 0)))
    found: list[tuple[Retention, Q]] = []
    earlier: list[int] = []
    for rule in for_groups:
        members = User.objects.filter(groups=rule.group_id).exclude(groups__in=earlier)
        found.append((rule, Q(owner__in=members)))
        earlier.append(rule.group_id or 0)
    general = next((rule for rule in stored if rule.group_id is None), Retention())
    others = ~Q(owner__in=User.objects.filter(groups__in=earlier)) if earlier else Q()
    return [*found, (general, others)]
