"""The proofs past one process, at full length: 2 webs, 2 workers, beat, PostgreSQL, Redis, a store, nginx."""

from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from tests.faults import crash, death, invariants, repeats, restarts, resume
from tests.faults.clustered import Clustered
from tests.faults.crash import Point
from tests.faults.site import KEY, logged_in
from tests.simulator import Simulator

SETS = 4
"""Whole set-ups side by side: after most kills there is little to do but to wait."""
ROLLING = ("web1", "worker1", "web2", "worker2")


def kills(data: Path) -> tuple[list[str], list[str]]:
    """216 kills of webs, workers, both, Redis, PostgreSQL: around commits and publishes, at events, at random times."""
    points = crash.points(36, Clustered.members, tuple(death.KINDS))
    shares = [(data / str(number), points[number::SETS], number * 1000) for number in range(SETS)]
    with ProcessPoolExecutor(SETS, get_context("spawn")) as processes:
        found = crash.Figures()
        for one in processes.map(_killed, *zip(*shares, strict=True)):
            found.add(one)
    return found.told(), found.wrong


def _killed(data: Path, points: Sequence[Point], seed: int) -> crash.Figures:
    """What was found; a set-up that does not come up again ends its share, which is said."""
    found = crash.Figures()
    try:
        with Simulator(key=KEY, first_ms=0) as simulator, Clustered(data, simulator.base_url, "alice") as site:
            people = [logged_in(site.url, "alice", timeout=120)] * 4
            for number, point in enumerate(points, seed):
                one = crash.prove(site, people, [point], seed=number)
                found.add(one)
                print("\n  ".join([f"set-up {data.name}", *found.told(), *one.wrong]), flush=True)
    except Exception as trouble:
        found.wrong.append(f"set-up {data.name}: {type(trouble).__name__}: {trouble}")
    return found


def cuts(data: Path) -> tuple[list[str], list[str]]:
    """1,000 broken connections between browsers and two webs."""
    with Simulator(key=KEY, first_ms=0) as simulator, Clustered(data, simulator.base_url, "alice") as site:
        found = resume.prove(site, 1000, at_once=3)
    return found.told(), found.wrong


def repeated(data: Path) -> tuple[list[str], list[str]]:
    """100 messages, each sent nine times with one key, to whichever web answers."""
    with Simulator(key=KEY, first_ms=0, keep=5000) as simulator, Clustered(data, simulator.base_url, "alice") as site:
        found = repeats.prove(site, simulator, repeats.cases(100))
        wrong = found.wrong + invariants.broken(site)
    return found.told(), wrong


def restarted(data: Path) -> tuple[list[str], list[str]]:
    """Ten rolling restarts of both webs and both workers under load."""
    with Simulator(key=KEY, first_ms=0) as simulator, Clustered(data, simulator.base_url, "alice") as site:
        found = restarts.prove(site, ROLLING * 10, people=6)
    return [f"{len(ROLLING) * 10} restarts: {found.told()}"], found.wrong + found.failures
