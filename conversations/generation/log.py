"""What followers can see of a running reply, in this process' memory. The database is the truth; this is the relay.

Writers (worker threads and the flusher) change a ReplyLog under its lock and then wake the followers of every event
loop with one callback for all replies. A follower is a position in the log, not a queue: one that is slow, or comes
back with its last event id, gets the difference between what it has and what there is.
"""

import asyncio
import secrets
import threading
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field
from typing import Literal

from conversations.services.replies import Ended

StateName = Literal["queued", "waiting", "thinking", "writing", "drawing"]


@dataclass(frozen=True, slots=True)
class State:
    """What a running reply is doing; `position` in the queue, counted from 1."""

    name: StateName
    position: int = 0


@dataclass(frozen=True, slots=True)
class Event:
    """One event for a browser: `data` is an HTML fragment, or a State for "state"; `id` says how far it brings one."""

    name: Literal["reset", "append", "tail", "more", "state", "beat", "ended"]
    data: str | State = ""
    id: str = ""


@dataclass(slots=True)
class ReplyLog:
    """The visible part of one reply: finished blocks, the open block as last rendered, and the escaped text since.

    `ended`: the whole of it as stored at its end, where that is known without reading it. The `epoch` of a log that
    another process writes is empty until something of it has come.
    """

    epoch: str
    state: State = State("waiting")
    blocks: list[str] = field(default_factory=list)
    tail: str = ""
    tail_version: int = 0
    more: list[str] = field(default_factory=list)
    has_ended: bool = False
    ended: Ended | None = None
    reply: int = 0
    is_dropped: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)

    def append(self, blocks: str, tail: str) -> None:
        """Finished blocks, and what is open after them."""
        with self.lock:
            if blocks:
                self.blocks.append(blocks)
            self.tail, self.more = tail, []
            self.tail_version += 1

    def add(self, escaped: str) -> None:
        """New text of the open block, escaped, before it is rendered again."""
        with self.lock:
            self.more.append(escaped)


@dataclass(slots=True)
class Position:
    """How much of a log one follower has: blocks, version of the tail, pieces of text since it."""

    blocks: int = 0
    tail: int = -1
    more: int = 0

    @classmethod
    def parse(cls, event_id: str, log: ReplyLog) -> "Position | None":
        """The position an event id stands for; None for one of another log or of nobody."""
        epoch, _, numbers = event_id.partition(":")
        fields = numbers.split(".")
        if epoch != log.epoch or len(fields) != 3 or not all(part.isascii() and part.isdigit() for part in fields):
            return None
        blocks, tail, more = (int(part[:9]) for part in fields)
        return cls(blocks, tail, more) if blocks <= len(log.blocks) else None

    def id(self, log: ReplyLog) -> str:
        return f"{log.epoch}:{self.blocks}.{max(self.tail, 0)}.{self.more}"


class Follower:
    """One open stream: an iterator of events that ends with the reply, or when it is closed."""

    def __init__(self, hub: "Hub", log: ReplyLog, last_event_id: str) -> None:
        self._hub, self._log = hub, log
        self._last_event_id = last_event_id
        self._position: Position | None = None
        self._state: State | None = None
        self._woken = asyncio.Event()
        self._beat = False
        self.is_closed = False

    @property
    def ended(self) -> Ended | None:
        """The reply as it ended, where it need not be read again."""
        return self._log.ended

    def wake(self) -> None:
        self._woken.set()

    def beat(self) -> None:
        """Ask for a sign of life."""
        self._beat = True
        self._woken.set()

    def close(self) -> None:
        self.is_closed = True
        self._woken.set()

    async def groups(self) -> AsyncGenerator[list[Event]]:
        """Groups of events that belong together; the last group ends with "ended" unless the follower was closed."""
        self._hub.join(self._log, self)
        try:
            while not self.is_closed:
                self._woken.clear()
                if events := self._take():
                    yield events
                    if events[-1].name == "ended":
                        return
                await self._woken.wait()
        finally:
            self._hub.leave(self._log, self)

    def _take(self) -> list[Event]:
        """The difference between what this follower has and what the log holds."""
        log = self._log
        with log.lock:
            events = (self._content() if log.epoch else []) + self._changed_state()
            if log.has_ended:
                events.append(Event("ended"))
        if self._beat and not events:
            events.append(Event("beat"))
        self._beat = False
        return events

    def _content(self) -> list[Event]:
        log, events = self._log, []
        if self._position is None:
            self._position = Position.parse(self._last_event_id, log)
        if self._position is None:
            self._position = Position(blocks=len(log.blocks))
            events.append(Event("reset", "".join(log.blocks), self._position.id(log)))
        position = self._position
        if position.blocks < len(log.blocks):
            new = "".join(log.blocks[position.blocks :])
            position.blocks, position.tail = len(log.blocks), -1
            events.append(Event("append", new, position.id(log)))
        if position.tail != log.tail_version:
            position.tail, position.more = log.tail_version, len(log.more)
            events.append(Event("tail", log.tail + "".join(log.more), position.id(log)))
        elif position.more < len(log.more):
            new = "".join(log.more[position.more :])
            position.more = len(log.more)
            events.append(Event("more", new, position.id(log)))
        return events

    def _changed_state(self) -> list[Event]:
        if self._log.state == self._state:
            return []
        self._state = self._log.state
        return [Event("state", self._state, self._position.id(self._log) if self._position else self._last_event_id)]


class Hub:
    """All logs and followers of this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._logs: dict[int, ReplyLog] = {}
        self._followers: dict[int, set[tuple[asyncio.AbstractEventLoop, Follower]]] = {}
        self._loops: dict[asyncio.AbstractEventLoop, int] = {}
        self._is_closed = False
        # Where replies are written in other processes: whom to tell of changes, whom to ask for a log.
        self.on_change: Callable[[list[ReplyLog]], None] | None = None
        self.on_unknown: Callable[[int], ReplyLog | None] | None = None

    def open(self, reply: int, epoch: str | None = None) -> ReplyLog:
        """The log of this reply, made where there is none; no two logs have an epoch in common."""
        with self._lock:
            if reply not in self._logs:
                own = f"r{reply}-{secrets.token_hex(4)}" if epoch is None else epoch
                self._logs[reply] = ReplyLog(own, reply=reply)
            return self._logs[reply]

    def get(self, reply: int) -> ReplyLog | None:
        return self._logs.get(reply)

    def end(self, reply: int, ended: Ended | None = None) -> None:
        """The reply has ended in the database: let its followers know and forget it."""
        with self._lock:
            log = self._logs.pop(reply, None)
        if log:
            with log.lock:
                log.has_ended, log.ended = True, ended
            self.wake([log])

    def follow(self, reply: int, last_event_id: str) -> Follower | None:
        """A follower of a running reply; None where this process knows no such reply. Call it in an event loop."""
        log = self.get(reply) or (self.on_unknown(reply) if self.on_unknown else None)
        return Follower(self, log, last_event_id) if log else None

    def join(self, log: ReplyLog, follower: Follower) -> None:
        loop = asyncio.get_running_loop()
        with self._lock:
            self._followers.setdefault(id(log), set()).add((loop, follower))
            if self._is_closed or log.is_dropped:
                follower.close()

    def leave(self, log: ReplyLog, follower: Follower) -> None:
        with self._lock:
            members = self._followers.get(id(log), set())
            members.discard((asyncio.get_running_loop(), follower))
            if not members:
                self._followers.pop(id(log), None)

    def wake(self, logs: list[ReplyLog]) -> None:
        """Wake the followers of these logs: one callback for each event loop, whatever their number."""
        by_loop: dict[asyncio.AbstractEventLoop, list[Follower]] = {}
        with self._lock:
            for log in logs:
                for loop, follower in self._followers.get(id(log), ()):
                    by_loop.setdefault(loop, []).append(follower)
        for loop, followers in by_loop.items():
            _call(loop, followers)
        if self.on_change:
            self.on_change(logs)

    def drop(self, reply: int) -> None:
        """This process cannot tell any more how the reply goes on: its streams end, and browsers come back."""
        with self._lock:
            log = self._logs.pop(reply, None)
            if log is None:
                return
            log.is_dropped = True
            members = list(self._followers.get(id(log), ()))
        for loop, follower in members:
            follower.is_closed = True
            _call(loop, [follower])

    def is_followed(self, log: ReplyLog) -> bool:
        return bool(self._followers.get(id(log)))

    def close(self) -> None:
        """End all streams, for the end of the process. Safe in a signal handler's thread."""
        self._is_closed = True
        for members in list(self._followers.values()):
            for loop, follower in list(members):
                follower.is_closed = True
                _call(loop, [follower])


def _call(loop: asyncio.AbstractEventLoop, followers: list[Follower]) -> None:
    def wake_all() -> None:
        for follower in followers:
            follower.wake()

    try:
        loop.call_soon_threadsafe(wake_all)
    except RuntimeError:  # the loop was closed in between; nobody is left to wake
        return


hub = Hub()
