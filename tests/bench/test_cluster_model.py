"""The arithmetic of the capacity model: numbers that can be checked by hand."""

import pytest

from tests.bench.cluster import model, tables
from tests.bench.cluster.drive import Load
from tests.bench.cluster.model import Demand, Limit, Work

# One cause more in each run, as the bench does it; the true costs are 1, 2, 3, 4, 5 and 6.
DONE = [
    Work(10),
    Work(10, 5),
    Work(8, 0, 10, 10),
    Work(8, 0, 10, 10, 10, 10),
    Work(7, 0, 3, 100),
    Work(7, 0, 3, 100, 3, 100),
]
COST = Work(1, 2, 3, 4, 5, 6)


def test_costs_are_found_from_runs_that_tell_causes_apart() -> None:
    [found] = model.costs([(work, {"web cpu": work.times(COST)}) for work in DONE]).values()
    for name in ("seconds", "pages", "sends", "pieces", "follows", "shown"):
        assert getattr(found, name) == pytest.approx(getattr(COST, name))


def test_runs_that_do_not_tell_causes_apart_are_refused() -> None:
    with pytest.raises(ValueError, match="tell the causes apart"):
        model.costs([(DONE[0], {"web cpu": 1.0})] * 6)


def test_nothing_costs_less_than_nothing() -> None:
    runs = [(work, {"beat cpu": work.seconds - work.sends}) for work in DONE]
    assert model.costs(runs)["beat cpu"].sends == 0


def test_a_prediction_is_the_sum_of_what_everything_costs() -> None:
    assert model.predicted({"web cpu": COST}, Work(1, 1, 1, 1, 1, 1)) == {"web cpu": 21}


def test_tokens_that_come_quicker_than_rounds_share_a_piece() -> None:
    assert model.pieces(100, pace=0.25) == 100
    assert model.pieces(100, pace=model.ROUND / 2) == pytest.approx(50)
    slow = Load("slow", replies=3, tokens=10, followers=2, spread=1.0, pace=250).work(seconds=4.0)
    assert slow == Work(seconds=4.0, pages=0, sends=3, pieces=30, follows=6, shown=60)
    counted = Load("slow", replies=3, tokens=10, followers=2, spread=1.0).work(seconds=4.0, pieces=12)
    assert counted == Work(seconds=4.0, pages=0, sends=3, pieces=12, follows=6, shown=24)


def test_what_people_do_each_second_follows_from_how_many_replies_there_are() -> None:
    demand = Demand(1000, tokens=400, pace=10, followers=2, pages=0.5)
    assert demand.sends == 25
    assert demand.each_second() == Work(0, pages=12.5, sends=25, pieces=10_000, follows=50, shown=20_000)


def test_processes_are_counted_so_that_none_is_fuller_than_it_should_be() -> None:
    demand = Demand(1000, tokens=400, pace=10)
    costs = {
        "web cpu": Work(seconds=0.3, sends=0.2),  # three processes, each idle at 0.1; 5 processors of work
        "worker cpu": Work(pieces=0.0001),  # 1 processor of work
        "redis cpu": Work(seconds=0.01, pieces=0.00001),
        "postgres cpu": Work(sends=0.1),
    }
    sizes = model.sizes(costs, demand)
    assert sizes["web"].count == 10
    assert sizes["web"].cpu == pytest.approx(6.0), "5 of work and 10 times 0.1 for being there"
    assert sizes["worker"].count == 2
    assert sizes["worker"].cpu == pytest.approx(1.0)
    assert sizes["redis"].cpu == pytest.approx(0.1 + 0.01 * 12 / 5), "twelve processes in the place of five"
    assert sizes["postgres"].count == 5


def test_the_most_that_a_limit_allows() -> None:
    demand = Demand(1000, tokens=400, pace=10)
    assert model.rate(Work(pieces=0.0001), demand) == pytest.approx(1.0)
    assert model.most(Work(pieces=0.0001), demand, limit=0.5) == pytest.approx(500)


def test_connections_break_at_as_many_processes_as_have_them() -> None:
    demand, costs = Demand(1000, tokens=400, pace=10), dict.fromkeys(("web cpu", "redis cpu"), Work(pieces=0.0006))
    costs |= dict.fromkeys(("worker cpu", "postgres cpu"), Work(pieces=0.0003))
    few = Limit("few", "postgres connections", amount=75)
    assert model.breaks_at(costs, {"postgres connections": 5}, few, demand) == pytest.approx(1000), "10 webs, 5 workers"


def test_tables_are_put_between_their_marks() -> None:
    page = "a\n<!-- costs: begin -->\nold\n<!-- costs: end -->\nb\n"
    assert tables.put_into(page, {"costs": "new", "machine": "not wanted"}) == (
        "a\n<!-- costs: begin -->\n```text\nnew\n```\n<!-- costs: end -->\nb\n"
    )


def test_the_table_of_a_check_says_how_wrong_the_prediction_was() -> None:
    rows = tables.check({"web cpu": 1.5, "beat cpu": 0.1}, {"web cpu": 2.0, "beat cpu": 0.0}).splitlines()
    assert rows[1].split() == ["web", "cpu", "1.5", "2", "-25", "%"]
    assert rows[2].split() == ["beat", "cpu", "0.1", "0"]
