"""Leases of replies that other processes write: no wall clock can end them, and none can keep them alive."""

import datetime as dt

import pytest
import time_machine
from django.utils import timezone

from conversations.generation.engine import Pool
from conversations.generation.sweeper import Leases, Sweeper
from conversations.models import Message, User
from conversations.models.message import Status
from conversations.services import replies
from tests.conftest import send

HOUR = dt.timedelta(hours=1)


@pytest.fixture
def claimed(alice: User) -> Message:
    taken = replies.claim(send(alice, "hello").reply.pk)
    assert taken is not None
    return taken


def streaming() -> list[Message]:
    return list(Message.objects.filter(status=Status.STREAMING))


def test_a_clock_that_jumps_on_ends_no_reply_of_another_process(claimed: Message) -> None:
    sweeper = Sweeper(Pool(limit=1), is_alone=False)
    sweeper.sweep()
    with time_machine.travel(timezone.now() + HOUR):
        sweeper.sweep()
    assert streaming() == [claimed]


def test_a_lease_that_nobody_renews_runs_out_by_a_clock_of_its_own(claimed: Message) -> None:
    now = 0.0
    leases = Leases(lambda: now)
    with time_machine.travel(timezone.now() - HOUR):  # by the wall clock it lasts for an hour yet
        assert leases.run_out(streaming()) == []
        now = 19.0
        assert leases.run_out(streaming()) == []
        now = 21.0
        assert leases.run_out(streaming()) == [claimed]


def test_a_renewed_lease_begins_anew(claimed: Message) -> None:
    now = 0.0
    leases = Leases(lambda: now)
    assert leases.run_out(streaming()) == []
    now = 15.0
    with time_machine.travel(timezone.now() - HOUR):
        replies.renew([claimed.pk])
    assert leases.run_out(streaming()) == []
    now = 30.0
    assert leases.run_out(streaming()) == []
    now = 36.0
    assert leases.run_out(streaming()) == [claimed]
