"""Browsers that come and break off, against a real server: a twentieth of what `make soak` lets come."""

from pathlib import Path

from tests.faults import comings
from tests.faults.site import KEY, embedded
from tests.simulator import Simulator


def test_browsers_that_break_off_leave_nothing_behind(tmp_path: Path) -> None:
    with Simulator(key=KEY, first_ms=0) as simulator, embedded(tmp_path, simulator.base_url, "alice") as site:
        found = comings.prove(site, simulator, 500)
    assert not found.wrong
    assert found.comings == 500
