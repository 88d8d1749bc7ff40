"""Followers of a running reply: whoever joins, falls behind or comes back gets exactly what is missing."""

import asyncio
import random

import pytest

from conversations.generation.log import Event, Follower, Hub, Position, ReplyLog, State


class Screen:
    """What a browser shows, by the events it was given."""

    def __init__(self) -> None:
        self.blocks, self.tail, self.last_id = "", "", ""

    def apply(self, events: list[Event]) -> None:
        for event in events:
            data = str(event.data)
            if event.name == "reset":
                self.blocks, self.tail = data, ""
            elif event.name == "append":
                self.blocks, self.tail = self.blocks + data, ""
            elif event.name == "tail":
                self.tail = data
            elif event.name == "more":
                self.tail += data
            self.last_id = event.id or self.last_id


def take(log: ReplyLog, last_event_id: str = "") -> tuple[Follower, list[Event]]:
    follower = Follower(Hub(), log, last_event_id)
    return follower, follower._take()


def test_a_new_follower_gets_a_reset_and_at_once_a_tail() -> None:
    log = ReplyLog("r1")
    log.append("<p>one</p>", "<p>two</p>")
    _, events = take(log)
    assert [event.name for event in events] == ["reset", "tail", "state"]
    assert all(event.id for event in events)


def test_a_follower_that_is_up_to_date_gets_nothing() -> None:
    log = ReplyLog("r1")
    log.append("<p>one</p>", "<p>two</p>")
    follower, _ = take(log)
    assert follower._take() == []


def test_new_blocks_are_always_followed_by_a_tail() -> None:
    log = ReplyLog("r1")
    follower, _ = take(log)
    log.append("<p>one</p>", "")
    assert [event.name for event in follower._take()] == ["append", "tail"]


@pytest.mark.parametrize(
    "event_id",
    [
        "",
        "r2:0.0.0",
        "r1",
        "r1:",
        "r1:1.2",
        "r1:a.b.c",
        "r1:-1.0.0",
        "r1:9.0.0",
        "r1:0.0.0.0",
        "r1:²." + "9" * 400 + ".0",
    ],
)
def test_an_id_that_means_nothing_here_begins_anew(event_id: str) -> None:
    assert Position.parse(event_id, ReplyLog("r1")) is None
    assert take(ReplyLog("r1"), event_id)[1][0].name == "reset"


@pytest.mark.parametrize("seed", range(20))
def test_any_mixture_of_lagging_leaving_and_coming_back_shows_the_same(seed: int) -> None:
    chance = random.Random(seed)
    log, screen = ReplyLog("r1"), Screen()
    follower, events = take(log)
    screen.apply(events)
    for number in range(200):
        if chance.random() < 0.3:
            log.append(f"<b{number}>" if chance.random() < 0.5 else "", f"<t{number}>")
        else:
            log.add(f" w{number}")
        action = chance.choice(["look", "lag", "resume", "reload"])
        if action == "look":
            screen.apply(follower._take())
        elif action == "resume":
            follower, events = take(log, screen.last_id)
            screen.apply(events)
        elif action == "reload":
            screen = Screen()
            follower, events = take(log)
            screen.apply(events)
        if action != "lag":
            assert screen.blocks == "".join(log.blocks)
            assert screen.tail == log.tail + "".join(log.more)


def test_the_end_reaches_followers_and_closing_ends_them_without_it() -> None:
    async def follow(close: bool) -> list[str]:
        hub = Hub()
        hub.open(1)
        follower = hub.follow(1, "")
        assert follower is not None
        names: list[str] = []
        async for group in follower.groups():
            names += [event.name for event in group]
            if len(names) < 4:
                if close:
                    hub.close()
                else:
                    hub.end(1)
        return names

    assert asyncio.run(follow(close=False)) == ["reset", "tail", "state", "ended"]
    assert asyncio.run(follow(close=True)) == ["reset", "tail", "state"]


def test_states_are_sent_when_they_change() -> None:
    log = ReplyLog("r1", state=State("queued", 3))
    follower, events = take(log)
    assert events[-1].data == State("queued", 3)
    log.state = State("writing")
    assert [event.data for event in follower._take()] == [State("writing")]
