"""Costs from measurements, predictions from costs, the size of a cluster from predictions. Pure arithmetic.

What a cluster uses is taken for a sum: so much for each second that it exists, for each page, each send, each piece
(what a reply got in one round of its worker's reader), each stream that is opened, each piece shown to one follower.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass
from typing import Self

ROUND = 0.041  # seconds; with what it takes to go round, of a worker that has time (conversations/generation/reader.py)
Used = Mapping[str, float]
"""By resource: seconds of processor time of a role ("web cpu", …), commands, statements, bytes."""


@dataclass(frozen=True, slots=True)
class Work:
    """What a cluster did, or, as a cost, what one of each takes. `shown`: pieces, once for each follower."""

    seconds: float = 0.0
    pages: float = 0.0
    sends: float = 0.0
    pieces: float = 0.0
    follows: float = 0.0
    shown: float = 0.0

    @classmethod
    def of(cls, values: Sequence[float]) -> Self:
        return cls(*values)

    def times(self, cost: "Work") -> float:
        return math.fsum(done * each for done, each in zip(astuple(self), astuple(cost), strict=True))


def pieces(tokens: float, pace: float) -> float:
    """How many pieces so many tokens make that come at `pace` seconds one after the other."""
    return tokens * min(1.0, pace / ROUND)


def costs(runs: Sequence[tuple[Work, Used]]) -> dict[str, Work]:
    """By resource what each cause takes, from as many runs as there are causes; nothing can cost less than nothing."""
    done = [astuple(work) for work, _ in runs]
    return {
        name: Work.of([max(0.0, round(cost, 9)) for cost in solved(done, [used[name] for _, used in runs])])
        for name in runs[0][1]
    }


def solved(matrix: Sequence[Sequence[float]], values: Sequence[float]) -> list[float]:
    """Gauss' elimination. Raises ValueError where the runs do not tell the causes apart."""
    rows = [[*row, value] for row, value in zip(matrix, values, strict=True)]
    for at in range(len(rows)):
        pivot = max(range(at, len(rows)), key=lambda number: abs(rows[number][at]))
        rows[at], rows[pivot] = rows[pivot], rows[at]
        if abs(rows[at][at]) < 1e-9:
            raise ValueError("these runs do not tell the causes apart")
        rows[at] = [cell / rows[at][at] for cell in rows[at]]
        for number, row in enumerate(rows):
            if number != at:
                rows[number] = [cell - row[at] * mine for cell, mine in zip(row, rows[at], strict=True)]
    return [row[-1] for row in rows]


def predicted(by_resource: Mapping[str, Work], work: Work) -> dict[str, float]:
    return {name: work.times(cost) for name, cost in by_resource.items()}


@dataclass(frozen=True, slots=True)
class Demand:
    """`replies` at the same time, of so many tokens at so many a second, each with so many followers.

    pages: opened for each send; most sends happen on a page that is there
    """

    replies: float
    tokens: float = 400.0
    pace: float = 50.0
    followers: float = 1.0
    pages: float = 0.5

    @property
    def sends(self) -> float:
        """Each second."""
        return self.replies * self.pace / self.tokens

    def each_second(self) -> Work:
        """Without what processes take for being there, which is known only when they are counted."""
        made = pieces(self.replies * self.pace, 1 / self.pace)
        return Work(0.0, self.sends * self.pages, self.sends, made, self.sends * self.followers, made * self.followers)


@dataclass(frozen=True, slots=True)
class Sized:
    """`cpu`: processors' worth of work; `count`: processes, or for PostgreSQL processors, that are not full with it."""

    cpu: float
    count: int


WEBS, WORKERS = 3, 2  # processes of the cluster that is measured
FULL = 0.6  # the share of a processor that may be used in the mean, so that a busy second finds room


def sizes(by_resource: Mapping[str, Work], demand: Demand) -> dict[str, Sized]:
    """A web or worker process and Redis do what one processor can; PostgreSQL takes as many as it gets."""
    webs = _processes(by_resource["web cpu"], WEBS, demand)
    workers = _processes(by_resource["worker cpu"], WORKERS, demand)
    asking = (webs.count + workers.count) / (WEBS + WORKERS)  # what being there costs Redis and PostgreSQL
    found = {"web": webs, "worker": workers}
    for role in ("redis", "postgres"):
        cost = by_resource[f"{role} cpu"]
        cpu = demand.each_second().times(cost) + asking * cost.seconds
        found[role] = Sized(cpu, math.ceil(cpu / FULL))
    return found


def _processes(cost: Work, measured: int, demand: Demand) -> Sized:
    idle = cost.seconds / measured
    load = demand.each_second().times(cost)
    count = max(1, math.ceil(load / (FULL - idle)))
    return Sized(load + count * idle, count)


def rate(cost: Work, demand: Demand) -> float:
    """What is used of a resource each second."""
    return demand.each_second().times(cost)


def most(cost: Work, demand: Demand, limit: float) -> float:
    """How many such replies there can be at the same time with so much of the resource each second."""
    return demand.replies * limit / rate(cost, demand)


@dataclass(frozen=True, slots=True)
class Limit:
    """What there is of a resource each second, or, of connections, at the same time."""

    words: str
    resource: str
    amount: float


LIMITS = (
    Limit("Redis: one processor", "redis cpu", 1.0),
    Limit("Redis: 10,000 connections, its default", "redis connections", 10_000),
    Limit("Redis: 10 Gbit/s out", "redis kB out", 1_250_000),
    Limit("PostgreSQL: 100 connections, its default", "postgres connections", 100),
    Limit("PostgreSQL: 16 processors", "postgres cpu", 16.0),
    Limit("PostgreSQL: 64 processors", "postgres cpu", 64.0),
    Limit("PostgreSQL: 200 MB/s of write-ahead log", "postgres WAL kB", 200_000),
)


def breaks_at(by_resource: Mapping[str, Work], connections: Mapping[str, float], limit: Limit, demand: Demand) -> float:
    """Replies at the same time at which this limit is reached; `connections` are those of one process."""
    if limit.resource not in connections:
        return most(by_resource[limit.resource], demand, limit.amount)
    sized = sizes(by_resource, demand)
    processes = sized["web"].count + sized["worker"].count
    return demand.replies * limit.amount / (processes * connections[limit.resource])
