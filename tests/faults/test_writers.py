"""Fifty people who write at once, against a real server: seconds of the ten minutes of `make soak`."""

from pathlib import Path

from tests.faults import writers
from tests.faults.site import KEY, embedded
from tests.simulator import Simulator


def test_fifty_writers_never_meet_a_locked_database(tmp_path: Path) -> None:
    with Simulator(key=KEY, first_ms=0) as simulator, embedded(tmp_path, simulator.base_url, "alice") as site:
        found = writers.prove(site, writers=50, seconds=5)
    assert not found.wrong
    assert found.beside
    assert found.writes["message"] > 50
