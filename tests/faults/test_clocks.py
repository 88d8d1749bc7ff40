"""A wall clock that jumps under a real server."""

from pathlib import Path

from tests.faults import clocks
from tests.faults.site import KEY
from tests.simulator import Simulator


def test_a_clock_that_jumps_ends_no_reply_and_no_login(tmp_path: Path) -> None:
    with Simulator(key=KEY, first_ms=0) as simulator, clocks.with_a_clock(tmp_path, simulator.base_url) as site:
        found = clocks.prove(site, simulator, (clocks.HOUR, -clocks.HOUR))
    assert not found.wrong
    assert found.jumps == 2
