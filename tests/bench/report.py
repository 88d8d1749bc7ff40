"""Targets, and the table that sets what was measured against them and against the direct connection. No I/O."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypedDict

SLOWEST_PAGE = 300.0  # milliseconds in the server
Measured = Mapping[str, float]
"""Figures by name, as in "50 first p50"; the direct connection's are called "50 first p50 direct"."""


@dataclass(frozen=True, slots=True)
class Line:
    """One row: `figure` is its name among the measured, `target` the worst value that is good enough.

    `is_rate`: more is better.
    """

    figure: str
    words: str
    unit: str
    target: float | None = None
    is_rate: bool = False


class Page(TypedDict):
    """What one page took: milliseconds in the server, and queries."""

    name: str
    milliseconds: float
    queries: int


def lines_of_level(level: int, limits: Mapping[str, float]) -> list[Line]:
    many = f"{level} at once: "
    rows = [
        ("first p50", "send to first token, median", "ms"),
        ("first p99", "send to first token, p99", "ms"),
        ("delay p50", "added delay of a token, median", "ms"),
        ("delay p99", "added delay of a token, p99", "ms"),
        ("cpu", "server CPU per 10,000 tokens", "s"),
        ("memory", "highest memory so far", "MB"),
        ("failed", "failed replies", ""),
        ("lost", "replies with lost or doubled text", ""),
    ]
    return [Line(f"{level} {name}", many + words, unit, limits.get(name)) for name, words, unit in rows]


ALWAYS = {"failed": 0.0, "lost": 0.0}
LEVELS = {
    1: {"first p50": 70.0, **ALWAYS},
    50: {"first p50": 90.0, "cpu": 1.5, **ALWAYS},
    200: {"first p50": 700.0, "delay p50": 50.0, "delay p99": 800.0, "cpu": 1.6, "memory": 150.0, **ALWAYS},
    500: {"first p50": 3000.0, "memory": 220.0, **ALWAYS},
}
GENERAL = [
    Line("gentle first p50", "200 open, 25 starts a second: send to first token, median", "ms", 100.0),
    Line("gentle first p99", "200 open, 25 starts a second: send to first token, p99", "ms", 400.0),
    Line("gentle failed", "200 open, 25 starts a second: failed replies", "", 0.0),
    Line("gentle lost", "200 open, 25 starts a second: replies with lost or doubled text", "", 0.0),
    Line("saturated", "one stream as fast as it goes", "tokens/s", 8000.0, is_rate=True),
    Line("start", "start to first answer", "s", 1.5),
    Line("start again", "start to first answer, second start", "s", 1.5),
    Line("idle memory", "memory when idle", "MB", 90.0),
    Line("first page", "first page on the wire", "kB", 60.0),
    Line("first page requests", "first page, requests", "", 10.0),
    Line("long page visible", "conversation of 1,000 messages visible, Chromium cold", "s", 0.4),
    Line("long page server", "conversation of 1,000 messages, server", "ms", 30.0),
    Line("long page", "conversation of 1,000 messages on the wire", "kB", 100.0),
    Line("long page ratio", "10,000 messages against 10, server", "times", 1.2),
    Line("send cpu", "server CPU of a send of 2 tokens", "ms", 9.0),
    Line("idle cpu", "server CPU when idle, of a second", "ms"),
]

# What is also known of peers, beside the levels; pages as Chromium loads them.
OF_PEERS = [
    Line("saturated", "one stream as fast as it goes", "tokens/s", is_rate=True),
    Line("start", "start to first answer", "s"),
    Line("start again", "start to first answer, second start", "s"),
    Line("idle memory", "memory when idle", "MB"),
    Line("opened", "first page in Chromium, on the wire", "kB"),
    Line("opened requests", "first page in Chromium, requests", ""),
]


def lines(levels: Sequence[int]) -> list[Line]:
    return [line for level in levels for line in lines_of_level(level, LEVELS.get(level, ALWAYS))] + GENERAL


def medians(runs: Sequence[Measured]) -> dict[str, float]:
    """The median over the runs of each figure; of failures and losses the worst run counts."""
    names = dict.fromkeys(name for run in runs for name in run)
    return {name: _middle(name, [run[name] for run in runs if name in run]) for name in names}


def _middle(name: str, values: Sequence[float]) -> float:
    return max(values) if {"failed", "lost"} & set(name.split()) else statistics.median(values)


def table(measured: Measured, levels: Sequence[int]) -> str:
    head = ("", "direct", "chatsite", "ratio", "target", "")
    return columns([head, *(row(line, measured) for line in lines(levels) if line.figure in measured)])


def against(measured: Measured, levels: Sequence[int], peers: Sequence[str]) -> str:
    """Ours beside each peer, with how many times ours the peer's figure is."""
    rows: list[tuple[str, ...]] = [("", "chatsite", *(cell for peer in peers for cell in (peer, "of ours")))]
    for line in [*(line for level in levels for line in lines_of_level(level, {})), *OF_PEERS]:
        ours = measured.get(line.figure)
        theirs = [measured.get(f"{line.figure} {peer}") for peer in peers]
        cells = [cell for value in theirs for cell in (number(value, line.unit), _times(value, ours))]
        rows.append((line.words, number(ours, line.unit), *cells))
    return columns(rows)


def _times(value: float | None, ours: float | None) -> str:
    if not ours or value is None:
        return ""
    ratio = value / ours
    return f"{ratio:.{1 if ratio >= 1 else 2}f} ×"


def pages(by_database: Mapping[str, Sequence[Page]]) -> str:
    """A table of its own: one row for each page, with what it takes on each database."""
    head = "pages with 100,000 conversations, 1,000,000 messages and 1,000,000 calls stored"
    rows: list[tuple[str, ...]] = [(head, *by_database, "")]
    for found in zip(*by_database.values(), strict=True):
        cells = (f"{page['milliseconds']:.1f} ms, {page['queries']} queries" for page in found)
        is_slow = any(page["milliseconds"] > SLOWEST_PAGE for page in found)
        rows.append((found[0]["name"], *cells, f"OVER {SLOWEST_PAGE:.0f} ms" if is_slow else ""))
    return columns(rows)


def row(line: Line, measured: Measured) -> tuple[str, ...]:
    ours, direct = measured[line.figure], measured.get(f"{line.figure} direct")
    ratio = f"{ours / direct:.1f}" if direct and line.unit else ""
    target = "" if line.target is None else f"{'≥' if line.is_rate else '≤'} {number(line.target, line.unit)}"
    return (line.words, number(direct, line.unit), number(ours, line.unit), ratio, target, verdict(ours, line))


def verdict(value: float, line: Line) -> str:
    if line.target is None:
        return ""
    is_met = value >= line.target if line.is_rate else value <= line.target
    return "met" if is_met else "MISSED"


def number(value: float | None, unit: str) -> str:
    if value is None:
        return ""
    digits = 2 if unit in ("s", "times") else 1 if unit == "ms" and abs(value) < 100 else 0
    return f"{value:,.{digits}f} {unit}".strip()


def columns(rows: Sequence[Sequence[str]]) -> str:
    widths = [max(len(cells[column]) for cells in rows) for column in range(len(rows[0]))]
    return "\n".join(_aligned(cells, widths) for cells in rows)


def _aligned(cells: Sequence[str], widths: Sequence[int]) -> str:
    first, *others = (
        cell.ljust(width) if not at else cell.rjust(width)
        for at, (cell, width) in enumerate(zip(cells, widths, strict=True))
    )
    return "  ".join([first, *others]).rstrip()
