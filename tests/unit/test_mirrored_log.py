"""Followers of a log that another process writes: they wait for its beginning, and end when it is lost."""

import asyncio

from conversations.generation.log import Follower, Hub, State
from conversations.generation.relay import entries
from tests.unit.test_log import take


def test_a_follower_is_told_the_state_and_nothing_else_until_the_log_is_here() -> None:
    hub = Hub()
    log = hub.open(7, epoch="")
    log.state = State("queued", 2)
    follower = Follower(hub, log, "r7-a:1.1.0")
    events = follower._take()
    assert [(event.name, event.data, event.id) for event in events] == [("state", State("queued", 2), "r7-a:1.1.0")]


def test_a_follower_goes_on_where_it_was_at_another_process() -> None:
    there = Hub().open(7)
    there.append("<p>one</p>", "two")
    _, seen = take(there)
    here = Hub().open(7, epoch="")
    follower = Follower(Hub(), here, seen[-1].id)
    follower._take()
    there.append("<p>two</p>", "three")
    entries.apply(here, entries.entry(there, None)[0])
    assert [(event.name, event.data) for event in follower._take()] == [("append", "<p>two</p>"), ("tail", "three")]


def test_followers_of_a_log_that_is_lost_end_without_an_end_also_those_who_come_at_that_moment() -> None:
    async def follow(joins_late: bool) -> list[str]:
        hub = Hub()
        hub.open(7)
        follower = hub.follow(7, "")
        assert follower is not None
        names: list[str] = []
        if joins_late:
            hub.drop(7)
        async for group in follower.groups():
            names += [event.name for event in group]
            hub.drop(7)
        return names

    assert asyncio.run(asyncio.wait_for(follow(joins_late=False), 5)) == ["reset", "tail", "state"]
    assert asyncio.run(asyncio.wait_for(follow(joins_late=True), 5)) == []


def test_an_unknown_log_is_asked_for() -> None:
    hub = Hub()
    assert hub.follow(7, "") is None
    hub.on_unknown = lambda reply: hub.open(reply, epoch="")
    assert hub.follow(7, "") is not None
