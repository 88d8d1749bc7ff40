"""Cut connections between browsers and a real server: a tenth of what `make soak` tries."""

from pathlib import Path

from tests.faults import invariants, repeats, resume
from tests.faults.site import KEY, embedded
from tests.simulator import Simulator


def test_streams_that_are_cut_again_and_again_show_everything_once(tmp_path: Path) -> None:
    with Simulator(key=KEY, first_ms=0) as simulator, embedded(tmp_path, simulator.base_url, "alice") as site:
        found = resume.prove(site, 100, at_once=2)
    assert not found.wrong
    assert sum(found.cuts.values()) >= 100
    assert set(found.cuts) == set(resume.BREAKS)


def test_a_message_that_is_sent_again_and_again_is_one_message_and_one_bill(tmp_path: Path) -> None:
    with Simulator(key=KEY, first_ms=0) as simulator, embedded(tmp_path, simulator.base_url, "alice") as site:
        found = repeats.prove(site, simulator, repeats.cases(10))
        assert not found.wrong
        assert found.messages == 10
        assert found.answers_lost >= 20
        assert not invariants.broken(site)
