"""Kills in the middle of everything, against a real server: a handful of the points that `make soak` tries."""

from collections import Counter
from pathlib import Path

from tests.faults import crash
from tests.faults.crash import Point
from tests.faults.site import KEY, embedded, logged_in
from tests.simulator import Simulator

POINTS = [
    Point("before", 3),
    Point("after", 6),
    Point("event", 25),
    Point("before", 24),
    Point("time", 700),
    Point("after", 40),
]


def test_a_killed_server_has_lost_and_doubled_nothing(tmp_path: Path) -> None:
    with Simulator(key=KEY, first_ms=0) as simulator, embedded(tmp_path, simulator.base_url, "alice") as site:
        found = crash.prove(site, [logged_in(site.url, "alice")] * 4, POINTS)
    assert not found.wrong
    assert found.kills == Counter(point.kind for point in POINTS)
    assert found.messages >= 10
    assert found.characters
