"""`make soak`: every proof at full length on fresh servers, one after the other; prints a table and fails if one fails.

python -m tests.faults             all of them, about two hours
python -m tests.faults upstream    those that are named
"""

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.faults import (
    clocks,
    comings,
    crash,
    fullness,
    invariants,
    moves,
    past_one,
    repeats,
    restarts,
    resume,
    simulated,
    troubles,
    writers,
)
from tests.faults.site import KEY, MIB, Embedded, Held, embedded, logged_in
from tests.faults.upstream import FAULTS, Upstream
from tests.simulator import Simulator

Proof = Callable[[Path], tuple[list[str], list[str]]]
"""A folder of its own -> figures in words, and what is not as promised."""


def upstream(data: Path) -> tuple[list[str], list[str]]:
    """Every fault at every place, with the deadlines that people have: 15 minutes for what drips for ever."""
    with Upstream(patience=1000) as provider, embedded(data, provider.base_url, "alice") as site:
        found = troubles.prove(site, provider, troubles.cases(), at_once=100, deadline=960)
    ends = ", ".join(f"{count} {status}" for status, count in sorted(found.ends.items()))
    figures = [
        f"{len(FAULTS)} faults × 4 places = {found.cases} replies: {ends}",
        f"stuck 0, longest {found.longest:.0f} s, retried well {found.retries}",
        f"memory +{found.memory / MIB:.0f} MiB at most, +{found.kept / MIB:.0f} MiB afterwards",
    ]
    return figures, found.wrong


def simulator(data: Path) -> tuple[list[str], list[str]]:
    """Each fault of the simulator with three models; with short deadlines, the long ones were waited for above."""
    limits = "first_byte=3 no_progress=2 total=8 after_end=1 longest_wait=2 pause=0.05"
    with Simulator(key=KEY, first_ms=0) as provider:
        site = embedded(data, provider.base_url, "alice", FAULTS_LIMITS=limits)
        with site:
            found = simulated.prove(site, simulated.cases(), at_once=12, deadline=120)
    ends = ", ".join(f"{count} {status}" for status, count in sorted(found.ends.items()))
    return [f"{found.cases} replies: {ends}; retried well {found.retries}"], found.wrong


def kills(data: Path) -> tuple[list[str], list[str]]:
    """220 kills: before and after each of the first commits of a round, at events, at random times."""
    with Simulator(key=KEY, first_ms=0) as simulator, embedded(data, simulator.base_url, "alice") as site:
        people = [logged_in(site.url, "alice")] * 4
        found = crash.prove(site, people, crash.points(55, site.members))
    return found.told(), found.wrong


def cuts(data: Path) -> tuple[list[str], list[str]]:
    """1,000 broken connections between browsers and the site."""
    with Simulator(key=KEY, first_ms=0) as simulator, embedded(data, simulator.base_url, "alice") as site:
        found = resume.prove(site, 1000, at_once=3)
    return found.told(), found.wrong


def repeated(data: Path) -> tuple[list[str], list[str]]:
    """200 messages, each sent nine times with one key, three times through connections that break."""
    with Simulator(key=KEY, first_ms=0, keep=5000) as simulator, embedded(data, simulator.base_url, "alice") as site:
        found = repeats.prove(site, simulator, repeats.cases(200))
        wrong = found.wrong + invariants.broken(site)
    return found.told(), wrong


def full(data: Path) -> tuple[list[str], list[str]]:
    """A disk that is full for 40 s, longer than calls are kept open for it."""
    with Simulator(key=KEY, first_ms=0) as simulator, embedded(data, simulator.base_url, "alice") as site:
        found = fullness.prove(site, simulator, seconds=40)
    return [f"full for 40 s: {found.refused} sends refused in words, the same {found.taken} taken later"], found.wrong


def restarted(data: Path) -> tuple[list[str], list[str]]:
    """20 restarts under load, of a server by itself and of one behind a socket that stays."""
    figures, wrong = [], []
    for kind, name in ((Embedded, "by itself"), (Held, "behind a socket that stays")):
        with Simulator(key=KEY, first_ms=0) as simulator:
            site = embedded(data / kind.__name__, simulator.base_url, "alice", kind=kind)
            with site:
                found = restarts.prove(site, [*site.members] * 20, people=6)
        figures.append(f"{name}: {found.told()}")
        wrong += found.wrong + (found.failures if kind is Held else [])
    return figures, wrong


def comers(data: Path) -> tuple[list[str], list[str]]:
    """10,000 browsers that break off, while one reply stands still for minutes."""
    with Simulator(key=KEY, first_ms=0) as simulator:
        site = embedded(data, simulator.base_url, "alice", FAULTS_LIMITS="no_progress=880")
        with site:
            found = comings.prove(site, simulator, 10_000)
    held = ", ".join(f"{found.before[what]} → {found.after[what]} {what}" for what in found.before)
    return [f"{found.comings} connections: {held}, memory +{found.kept / MIB:.0f} MiB"], found.wrong


def writing(data: Path) -> tuple[list[str], list[str]]:
    """50 writers for ten minutes, and another process that writes, too."""
    with Simulator(key=KEY, first_ms=0) as simulator, embedded(data, simulator.base_url, "alice") as site:
        found = writers.prove(site, writers=50, seconds=600)
    kinds = ", ".join(f"{count} × {what}" for what, count in sorted(found.writes.items())[:5])
    figures = [
        f"50 writers for 600 s: {kinds}, and {found.beside} transactions of another process",
        f"median {found.median:.2f} s, slowest {max(found.seconds):.1f} s; «database is locked» 0",
    ]
    return figures, found.wrong


def clock(data: Path) -> tuple[list[str], list[str]]:
    """A wall clock that jumps on and back by up to a week."""
    with Simulator(key=KEY, first_ms=0) as simulator, clocks.with_a_clock(data, simulator.base_url) as site:
        found = clocks.prove(site, simulator)
    return [
        f"{found.jumps} jumps in the middle of {found.replies} replies: all complete, nobody logged out"
    ], found.wrong


def moved(data: Path) -> tuple[list[str], list[str]]:
    """Five backups under load, each restored on SQLite, on PostgreSQL with a bucket, and back."""
    with Simulator(key=KEY, first_ms=0) as simulator, embedded(data / "site", simulator.base_url, "alice") as site:
        found = moves.prove(site, data, 5, messages=60)
    return found.told(), found.wrong


PROOFS: dict[str, Proof] = {
    "upstream": upstream,
    "simulator": simulator,
    "kills": kills,
    "cuts": cuts,
    "repeats": repeated,
    "full": full,
    "restarts": restarted,
    "comings": comers,
    "writers": writing,
    "clocks": clock,
    "moves": moved,
    "cluster-kills": past_one.kills,
    "cluster-cuts": past_one.cuts,
    "cluster-repeats": past_one.repeated,
    "cluster-restarts": past_one.restarted,
}


def main(names: list[str]) -> int:
    failed = 0
    for name in names or list(PROOFS):
        begun = time.monotonic()
        with tempfile.TemporaryDirectory(prefix=f"chatsite-{name}-") as folder:
            try:
                figures, wrong = PROOFS[name](Path(folder))
            except Exception as trouble:  # the other proofs are wanted all the same
                figures, wrong = [], [f"{type(trouble).__name__}: {trouble}"]
        print(f"\n{name}, {time.monotonic() - begun:.0f} s: {'FAILED' if wrong else 'holds'}")
        for line in (*figures, *(f"WRONG {line}" for line in wrong)):
            print(f"  {line}", flush=True)
        failed += bool(wrong)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
