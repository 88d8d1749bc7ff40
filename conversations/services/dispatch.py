"""The door from the services to whichever engine answers replies; the application names the engine at start."""

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from django.db import transaction

from conversations.models import Message, Part


@dataclass(frozen=True, slots=True)
class Fresh:
    """A reply as it was stored a moment ago; `asked`: the parts of the message above it, where that is as new."""

    reply: Message
    asked: Sequence[Part] | None = None


class Engine(Protocol):
    def start(self, reply: int, fresh: Fresh | None = None) -> None:
        """Answer the reply with this primary key, now or when it is its turn; what is `fresh` need not be read."""

    def go_on(self, reply: int) -> None:
        """As `start`, for a reply that has parts of an earlier run."""

    def cancel(self, reply: int) -> None:
        """Close the provider call of this reply, or take it out of the queue."""


_engine: Engine | None = None


def use(engine: Engine) -> None:
    global _engine
    _engine = engine


def engine() -> Engine:
    if _engine is None:
        raise RuntimeError("No engine was named; conversations.apps does it at start.")
    return _engine


def start(reply: Message, asked: Sequence[Part] | None = None) -> None:
    """Hand a PENDING reply to the engine once the transaction that made it is committed. `asked`: see Fresh."""
    fresh = Fresh(copy.copy(reply), asked)  # the engine's own: it will change
    transaction.on_commit(lambda: engine().start(fresh.reply.pk, fresh))


def go_on(reply: Message) -> None:
    """Hand a reply that is PENDING again to the engine once that is committed."""
    primary_key = reply.pk
    transaction.on_commit(lambda: engine().go_on(primary_key))


def cancel(reply: int) -> None:
    """Tell the engine, once the end of the reply is committed, that nobody waits for its call any more."""
    transaction.on_commit(lambda: engine().cancel(reply))
