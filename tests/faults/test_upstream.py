"""A provider that breaks in every way, against a real server: a quarter of what `make soak` tries."""

from pathlib import Path

from tests.faults import simulated, troubles
from tests.faults.place import ALL
from tests.faults.site import KEY, MIB, embedded
from tests.faults.upstream import FAULTS, Upstream
from tests.simulator import Simulator

BRIEF = "first_byte=1.5 no_progress=1.0 total=4 after_end=0.5 longest_wait=1 pause=0.05"


def test_the_faults_of_the_simulator_end_the_same_way(tmp_path: Path) -> None:
    with Simulator(key=KEY, first_ms=0) as simulator:
        site = embedded(tmp_path, simulator.base_url, "alice", FAULTS_LIMITS=BRIEF)
        with site:
            found = simulated.prove(site, simulated.cases(every=7), at_once=12, deadline=120)
    assert not found.wrong
    assert found.cases == len(simulated.cases(every=7))


def test_every_fault_ends_in_an_honest_state_with_its_text_a_sentence_and_a_retry(tmp_path: Path) -> None:
    chosen = troubles.a_quarter()
    with Upstream(patience=30) as upstream, embedded(tmp_path, upstream.base_url, "alice", FAULTS_LIMITS=BRIEF) as site:
        found = troubles.prove(site, upstream, chosen, at_once=24, deadline=120)
        assert not found.wrong
        assert found.cases == len(chosen)
        assert max(found.memory, found.kept) <= 64 * MIB


def test_there_are_enough_faults_and_each_is_there_once() -> None:
    assert len({fault.name for fault in FAULTS}) == len(FAULTS) >= 40
    assert len(ALL) == 4
