"""What a stream says of a log brings every mirror to the same, however late it comes and whatever it has missed."""

import json
import random

import pytest
from django.conf import settings

from conversations.generation.log import Position, ReplyLog, State
from conversations.generation.relay import entries
from conversations.generation.relay.entries import Entry, Sent


class Stream:
    """As Redis keeps it: entries behind the last whole log."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.sent: Sent | None = None
        self.count = 0  # of all there ever were

    def publish(self, log: ReplyLog) -> None:
        found, self.sent = entries.entry(log, self.sent)
        if found.get("whole"):
            self.entries = []
        self.entries.append(json.loads(json.dumps(found)))
        self.count += 1


class Reader:
    def __init__(self, stream: Stream) -> None:
        self.stream, self.seen = stream, 0
        self.log = ReplyLog("")
        self.has_ended = False

    def read(self) -> None:
        new = self.stream.count - self.seen
        for found in self.stream.entries[-new:] if new else []:
            self.has_ended |= entries.apply(self.log, found)
        self.seen = self.stream.count


def content(log: ReplyLog) -> tuple[object, ...]:
    return log.epoch, log.blocks, log.tail, log.tail_version, log.more, log.state


@pytest.mark.parametrize("seed", range(20))
def test_every_mirror_is_brought_to_the_same(seed: int) -> None:
    chance = random.Random(seed)
    log, stream = ReplyLog("r1-a"), Stream()
    readers = [Reader(stream)]
    for number in range(500):
        what = chance.random()
        if what < 0.2:
            log.append(f"<b{number}>" if chance.random() < 0.5 else "", f"<t{number}>")
        elif what < 0.8:
            log.add(f" w{number}")
        elif what < 0.9:
            log.state = State("writing" if chance.random() < 0.5 else "thinking")
        if chance.random() < 0.01:
            stream.sent = None  # Redis was lost
        if chance.random() < 0.7:
            stream.publish(log)
            for reader in readers:
                if chance.random() < 0.5:
                    reader.read()
        if chance.random() < 0.01:
            readers.append(Reader(stream))
    stream.publish(log)
    for reader in readers:
        reader.read()
        assert content(reader.log) == content(log)
    assert Position.parse(Position(len(log.blocks), log.tail_version, len(log.more)).id(log), readers[0].log)


def test_a_long_stream_is_begun_anew_but_not_again_and_again() -> None:
    log, stream = ReplyLog("r1-a"), Stream()
    wholes = 0
    for number in range(10_000):
        log.append(f"<p>block {number}</p>", "")
        stream.publish(log)
        wholes += "whole" in stream.entries[-1]
    assert len(stream.entries) < 6_000
    assert wholes < 12


def test_the_end_reaches_a_mirror() -> None:
    log, stream = ReplyLog("r1-a"), Stream()
    stream.publish(log)
    reader = Reader(stream)
    log.has_ended = True
    stream.publish(log)
    reader.read()
    assert reader.has_ended


def test_an_end_told_by_another_process_counts_and_that_of_an_earlier_run_does_not() -> None:
    log = ReplyLog("r1-b")
    assert entries.apply(log, entries.end())
    assert not entries.apply(log, {"epoch": "r1-a", "ended": True, "blocks": [], "more": [], "state": ["waiting", 0]})


def test_changes_are_nothing_to_a_mirror_that_has_not_seen_the_beginning() -> None:
    log = ReplyLog("")
    found = {"epoch": "r1-a", "ended": False, "blocks": ["<p>late</p>"], "more": [], "state": ["writing", 0]}
    entries.apply(log, found)
    assert (log.epoch, log.blocks) == ("", [])


def test_each_task_that_beat_asks_for_is_there_and_waits_for_no_reply() -> None:
    from conversations.generation.relay import tasks

    known = {task.name for task in (tasks.sweep, tasks.purge, tasks.tidy)}
    asked = {str(entry["task"]) for entry in settings.CELERY_BEAT_SCHEDULE.values()}
    assert asked == known
    assert [settings.CELERY_TASK_ROUTES[name] for name in asked] == [{"queue": "housekeeping"}] * 3
