"""What a stream in Redis says of a reply's log: now and then all of it, in between what has changed. Pure, no I/O.

Both ends count blocks, versions of the tail and pieces of text alike, so an event id of one process is understood by
every other one.
"""

from dataclasses import dataclass
from typing import Any

from conversations.generation.log import ReplyLog, State

Entry = dict[str, Any]

WHOLE_AFTER = 100  # entries; and not before what has changed weighs as much as the whole did


@dataclass(slots=True)
class Sent:
    """How much of a log its stream holds, and the weight (in characters) of the whole and of the changes behind it."""

    epoch: str
    blocks: int
    tail: int
    more: int
    whole_weight: int
    weight: int = 0
    entries: int = 0

    @property
    def is_long(self) -> bool:
        """Whether a reader would have more to read than if everything were written anew."""
        return self.entries >= WHOLE_AFTER and self.weight >= self.whole_weight


def entry(log: ReplyLog, sent: Sent | None) -> tuple[Entry, Sent]:
    """What to add to the stream, and what it holds then. Call it under the log's lock."""
    if sent is None or sent.epoch != log.epoch or sent.is_long:
        return _whole(log)
    found: Entry = {"blocks": log.blocks[sent.blocks :]}
    since = 0 if sent.tail != log.tail_version else sent.more
    if sent.tail != log.tail_version:
        found |= {"tail": log.tail, "version": log.tail_version}
    found |= {"more": log.more[since:]} | _rest(log)
    sent.blocks, sent.tail, sent.more = len(log.blocks), log.tail_version, len(log.more)
    sent.weight += _weight(found)
    sent.entries += 1
    return found, sent


def _whole(log: ReplyLog) -> tuple[Entry, Sent]:
    found: Entry = {"whole": True, "blocks": list(log.blocks), "tail": log.tail, "version": log.tail_version}
    found |= {"more": list(log.more)} | _rest(log)
    return found, Sent(log.epoch, len(log.blocks), log.tail_version, len(log.more), _weight(found))


def _rest(log: ReplyLog) -> Entry:
    return {"epoch": log.epoch, "state": [log.state.name, log.state.position], "ended": log.has_ended}


def _weight(found: Entry) -> int:
    return sum(map(len, found["blocks"])) + len(found.get("tail", "")) + sum(map(len, found["more"]))


def end() -> Entry:
    """For a reply that ended without a word of who wrote it."""
    return {"epoch": "", "ended": True}


def apply(log: ReplyLog, found: Entry) -> bool:
    """Bring a mirrored log up to date; whether the reply has ended. An entry of another run of it changes nothing."""
    with log.lock:
        if found.get("whole"):
            log.epoch, log.blocks, log.more = found["epoch"], [], []
        elif found["epoch"] != log.epoch or not found["epoch"]:
            return bool(found["ended"]) and not (found["epoch"] and log.epoch)
        log.blocks += found["blocks"]
        if "tail" in found:
            log.tail, log.tail_version, log.more = found["tail"], found["version"], []
        log.more += found["more"]
        log.state = State(*found["state"])
        return bool(found["ended"])
