"""A disk that is full while a real server wants to write to it."""

from pathlib import Path

import pytest

from tests.faults import fullness
from tests.faults.site import KEY, embedded
from tests.simulator import Simulator


@pytest.mark.parametrize(("give_up", "seconds"), [("30", 1.0), ("1", 3.0)], ids=["for a moment", "for too long"])
def test_a_full_disk_loses_nothing_and_is_said(tmp_path: Path, give_up: str, seconds: float) -> None:
    with (
        Simulator(key=KEY, first_ms=0) as simulator,
        embedded(tmp_path, simulator.base_url, "alice", FAULTS_GIVE_UP=give_up) as site,
    ):
        found = fullness.prove(site, simulator, seconds=seconds)
    assert not found.wrong
    assert found.refused == found.taken == len(fullness.FORMS)
