"""Conversations are removed when their time is over, for everybody and by group; a hold wins over everything."""

import datetime as dt
from io import StringIO

import pytest
from django.contrib.auth.models import Group
from django.core.management import call_command
from django.utils import timezone

from conversations.models import Conversation, Hold, Message, Retention, User
from conversations.services import conversations, holds, people, retention
from conversations.services.errors import NotNow
from tests.conftest import MODEL, send

DAY = dt.timedelta(days=1)


def talk(owner: User, days: float, **fields: object) -> Conversation:
    """Last active so many days ago."""
    made = conversations.create(owner, model=MODEL, title=f"{owner} {days}")
    Conversation.objects.filter(pk=made.pk).update(active_at=timezone.now() - days * DAY, **fields)
    return made


def member(user: User, name: str) -> Group:
    group, _is_new = Group.objects.get_or_create(name=name)
    user.groups.add(group)
    return group


def left() -> set[str]:
    return set(Conversation.objects.values_list("title", flat=True))


def test_without_a_rule_everything_is_kept(alice: User) -> None:
    talk(alice, 10_000)
    assert retention.apply() == 0


def test_what_is_past_its_time_goes_and_what_is_not_stays(alice: User) -> None:
    Retention.objects.create(days=30)
    talk(alice, 29.99)
    talk(alice, 30.01)
    talk(alice, 300, pinned=True, archived=True)
    assert retention.apply() == 2
    assert left() == {"alice 29.99"}


def test_the_rule_of_a_group_takes_the_place_of_the_general_one_and_the_longest_counts(alice: User, bob: User) -> None:
    Retention.objects.create(days=30)
    Retention.objects.create(group=member(alice, "short"), days=10)
    Retention.objects.create(group=member(bob, "long"), days=100)
    bob.groups.add(Group.objects.get(name="short"))
    for days in (9, 11, 31, 101):
        talk(alice, days)
        talk(bob, days)
    retention.apply()
    assert left() == {"alice 9", "bob 9", "bob 11", "bob 31"}


def test_a_group_that_keeps_for_ever_keeps_for_ever(alice: User) -> None:
    Retention.objects.create(days=1)
    Retention.objects.create(group=member(alice, "short"), days=2)
    Retention.objects.create(group=member(alice, "archive"), days=None)
    talk(alice, 5000)
    assert retention.apply() == 0


def test_what_was_deleted_stays_for_reviewers_as_long_as_the_rule_says(alice: User, bob: User) -> None:
    Retention.objects.create(group=member(alice, "watched"), deleted_days=7)
    now = timezone.now()
    talk(alice, 1, deleted_at=now - 6.9 * DAY)
    talk(alice, 2, deleted_at=now - 7.1 * DAY)
    talk(bob, 1, deleted_at=now - 0.1 * DAY)
    talk(bob, 2, deleted_at=now - dt.timedelta(minutes=59))
    assert retention.purge_deleted() == 2
    assert left() == {"alice 1", "bob 2"}


@pytest.mark.parametrize("held", ["conversation", "person", "group"])
def test_a_hold_wins_over_retention_deletion_and_the_end_of_time(alice: User, bob: User, held: str) -> None:
    Retention.objects.create(days=30)
    first = talk(alice, 300)
    what = {"conversation": first, "person": alice, "group": member(alice, "sued")}[held]
    hold = Hold.objects.create(reason="case 12", **{held: what})
    talk(bob, 300)
    assert retention.apply() == 1
    conversations.delete(first)
    assert retention.purge_deleted(before=timezone.now()) == 0
    Conversation.objects.filter(pk=first.pk).update(deleted_at=None, expires_at=timezone.now() - DAY)
    assert conversations.purge_expired() == 0
    with pytest.raises(NotNow, match="legal hold"):
        people.delete(alice)
    alice.refresh_from_db()
    assert alice.is_active
    holds.release(hold)
    assert conversations.purge_expired() == 1
    people.delete(alice)


def test_a_dry_run_says_what_would_go_and_removes_nothing(alice: User, bob: User) -> None:
    Retention.objects.create(days=30)
    Retention.objects.create(group=member(bob, "short"), days=10)
    talk(alice, 31)
    Hold.objects.create(reason="case 12", conversation=talk(alice, 40))
    talk(bob, 11)
    talk(bob, 9)
    out = StringIO()
    call_command("apply_retention", "--dry-run", stdout=out)
    said = out.getvalue()
    assert "short, after 10 days: 1 conversations of 1 people" in said
    assert "everybody, after 30 days: 1 conversations of 1 people" in said
    assert "1 are held" in said
    assert said.endswith("Nothing was removed.\n")
    assert Conversation.objects.count() == 4
    out = StringIO()
    call_command("apply_retention", stdout=out)
    assert out.getvalue().endswith("2 conversations were removed.\n")
    assert Conversation.objects.count() == 2


def test_a_talk_that_goes_on_begins_its_time_anew(alice: User) -> None:
    Retention.objects.create(days=30)
    old = talk(alice, 300)
    send(alice, "still here", old)
    assert retention.apply() == 0
    assert Message.objects.count() == 2
