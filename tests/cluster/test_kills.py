"""Kills in the middle of everything, past one process: two of the points that `make soak` tries."""

import pytest

from tests.faults import crash
from tests.faults.clustered import Clustered
from tests.faults.crash import Point
from tests.faults.site import logged_in

POINTS = [Point("after publish", 12, "both"), Point("after", 9, "postgres")]


@pytest.mark.parametrize("point", POINTS, ids=["a web and a worker", "PostgreSQL"])
def test_a_kill_loses_and_doubles_nothing_and_everything_comes_back(site: Clustered, point: Point) -> None:
    found = crash.prove(site, [logged_in(site.url, "alice", timeout=120)] * 4, [point])
    assert not found.wrong
    assert found.messages >= 4
    assert found.characters
