"""What was measured and what follows from it, as tables. No measuring here."""

import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import astuple
from typing import Any

from tests.bench.cluster import model
from tests.bench.cluster.model import Demand, Work
from tests.bench.report import columns

HEAD = ("", "idle, each s", "a page", "a send", "1,000 pieces", "a stream opened", "1,000 pieces shown")
SCALES = (1, 1, 1, 1000, 1, 1000)


def blocks(found: Mapping[str, Any], replies: Sequence[int]) -> dict[str, str]:
    """By the name that docs/scaling.md gives to each."""
    by_resource = {name: Work(**cost) for name, cost in found["costs"].items()}
    checks = [f"{name}\n\n{check(predicted, used)}" for name, (predicted, used) in found["checks"].items()]
    return {
        "costs": "what each thing costs (processor time in ms)\n\n" + costs(by_resource),
        "checks": "\n\n".join(checks),
        "highest": "highest sizes\n\n" + highest(found["highest"]),
        "sizes": sized(by_resource, replies),
        "limits": "what breaks at how many replies at the same time\n\n" + breaking(by_resource, found["highest"]),
        "machine": "\n".join(found["remarks"]),
    }


def put_into(page: str, found: Mapping[str, str]) -> str:
    """The page with each block between its marks replaced."""
    for name, block in found.items():
        before, begin, rest = page.partition(f"<!-- {name}: begin -->\n")
        if begin:
            _, end, after = rest.partition(f"<!-- {name}: end -->")
            page = f"{before}{begin}```text\n{block}\n```\n{end}{after}"
    return page


def costs(by_resource: Mapping[str, Work]) -> str:
    rows: list[Sequence[str]] = [HEAD]
    for name, cost in by_resource.items():
        unit = 1000 if name.endswith("cpu") else 1
        values = zip(astuple(cost), SCALES, strict=True)
        rows.append((name, *(plain(value * unit * scale) for value, scale in values)))
    return columns(rows)


def check(predicted: Mapping[str, float], used: Mapping[str, float]) -> str:
    rows: list[Sequence[str]] = [("", "predicted", "measured", "error")]
    for name, value in used.items():
        error = f"{(predicted[name] / value - 1) * 100:+.0f} %" if value else ""
        rows.append((name, plain(predicted[name]), plain(value), error))
    return columns(rows)


def highest(by_run: Mapping[str, Mapping[str, float]]) -> str:
    names = list(by_run["idle"])
    return columns([("", *by_run), *((name, *(plain(sizes[name]) for sizes in by_run.values())) for name in names)])


def sized(by_resource: Mapping[str, Work], replies: Sequence[int]) -> str:
    demands = [Demand(count) for count in replies]
    rows: list[Sequence[str]] = [("replies at the same time", *(f"{count:,}" for count in replies))]
    rows.append(("sends each second", *(plain(demand.sends) for demand in demands)))
    by_demand = [model.sizes(by_resource, demand) for demand in demands]
    for role in by_demand[0]:
        rows.append((f"{role}: processors used", *(plain(each[role].cpu) for each in by_demand)))
        rows.append((f"{role}: {model.FULL:.0%} full, so many", *(f"{each[role].count:,}" for each in by_demand)))
    for name, cost in by_resource.items():
        if not name.endswith("cpu"):
            rows.append((f"{name}, each second", *(plain(model.rate(cost, demand)) for demand in demands)))
    return columns(rows)


def breaking(by_resource: Mapping[str, Work], by_run: Mapping[str, Mapping[str, float]]) -> str:
    """The first one at the top. Beat is two processes beside those that are counted for the sizes."""
    demand, processes = Demand(10_000), model.WEBS + model.WORKERS + 2
    names = ("redis connections", "postgres connections")
    connections = {name: max(sizes[name] for sizes in by_run.values()) / processes for name in names}
    found = [(model.breaks_at(by_resource, connections, limit, demand), limit.words) for limit in model.LIMITS]
    return columns([("", "replies"), *((words, plain(replies)) for replies, words in sorted(found))])


def plain(value: float) -> str:
    """Three digits that count."""
    return f"{value:,.0f}" if abs(value) >= 99.95 else f"{value:.3g}"


def surroundings() -> str:
    return f"{os.cpu_count()} cores, Python {platform.python_version()}, load at the end {os.getloadavg()[0]:.1f}"
