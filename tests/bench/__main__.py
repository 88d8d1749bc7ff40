"""`python -m tests.bench`: chatsite under load beside the direct connection to the same upstream, in one run.

A benchmark, not a test: it ends with status 0 whatever the figures are, and with 1 if it could not measure.
"""

import argparse
import json
import os
import platform
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import uvloop

from tests.bench import load, longpage, processes, report
from tests.bench.figures import Figures, figures, percentile
from tests.bench.firstpage import first_page
from tests.bench.processes import ROOT
from tests.bench.site import Site
from tests.postgres import Postgres

TOKENS = 200
REPEATS_ALONE = 5  # one reply at a time says little; so many, one after the other, say more
SMALL_SENDS, SMALL_TOKENS = 30, 2
GENTLE, GENTLE_TOKENS, GENTLE_SPREAD = 200, 400, 8.0  # so many open, each as long as all starts together take
SATURATED = 20_000  # tokens of a reply that comes as fast as anybody takes it
BUILD = ROOT / ".build"
MEGABYTE = 1_000_000


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__.partition("\n")[0])
    parser.add_argument("--only", default="1,50,200,500", help="numbers of concurrent replies, such as 1,50")
    parser.add_argument("--no-crowd", action="store_true", help="leave out the pages with very much stored")
    parser.add_argument("--runs", type=int, default=1, help="how often to measure; the table shows medians")
    parser.add_argument("--tokens", type=int, default=TOKENS, help="tokens of a reply")
    parser.add_argument("--server-command", default="", help="what to start instead of manage.py serve")
    parser.add_argument(
        "--setting", action="append", default=[], metavar="NAME=VALUE", help="for the server's environment"
    )
    parser.add_argument("--out", type=Path, default=BUILD / "bench.json")
    return parser.parse_args()


class Bench:
    """One run: a fake upstream, a fresh server, all levels of concurrency."""

    def __init__(self, chosen: argparse.Namespace, levels: Sequence[int], folder: Path) -> None:
        self.chosen, self.levels, self.folder = chosen, levels, folder
        self.measured: dict[str, float] = {}
        self.remarks: list[str] = []

    def run(self) -> None:
        with processes.upstream() as (upstream_url, self.upstream_pid):
            self.upstream_url = upstream_url
            settings = dict(pair.split("=", 1) for pair in self.chosen.setting)
            self.site = Site(self.folder, upstream_url, self.chosen.server_command, settings)
            self.people = self.site.prepare(max(*self.levels, SMALL_SENDS, GENTLE))
            log = BUILD / "bench-server.log"
            with self.site.running(log) as seconds:
                self.measured["start"] = seconds
            with self.site.running(log) as seconds:
                self.measured["start again"] = seconds
                self.at_rest()
                self.long_conversations()
                self.small_sends()
                for level in self.levels:
                    self.level(level)
                    self.measured[f"{level} reference"] = processes.reference() * 1000
                self.gently()
                self.saturated()

    def crowded(self) -> dict[str, list[report.Page]]:
        """Every page with very much stored, on SQLite and, where it is installed, on PostgreSQL."""
        found = {"SQLite": self.pages_on("")}
        try:
            with Postgres() as server:
                found["PostgreSQL"] = self.pages_on(server.url)
        except AssertionError as error:
            self.remarks.append(str(error))
        return found

    def pages_on(self, database: str) -> list[report.Page]:
        site = Site(self.folder / f"crowded{len(database)}", self.upstream_url, settings={"DATABASE_URL": database})
        site.prepare(2)
        dumped = site.manage("shell", "-v0", "-c", "from tests.bench import crowded; print(crowded.dumped())")
        pages: list[report.Page] = json.loads(dumped.splitlines()[-1])
        return pages

    def at_rest(self) -> None:
        fetched = uvloop.run(first_page(f"{self.site.url}/", self.people[0]))
        if wrong := [page for page in fetched if page.status != 200]:
            self.remarks.append(f"the first page loads what is not there: {wrong}")
        self.measured["first page"] = sum(page.wire_bytes for page in fetched) / 1000
        self.measured["first page requests"] = len(fetched)
        self.measured["idle memory"] = self.site.spent().resident / MEGABYTE

    def long_conversations(self) -> None:
        addresses, person = longpage.conversations(self.site), self.people[0]
        took = {length: longpage.server_ms(url, person) for length, url in addresses.items()}
        self.measured["long page server"] = took[1_000]
        self.measured["long page ratio"] = took[10_000] / took[10]
        fetched = uvloop.run(first_page(addresses[1_000], person))
        self.measured["long page"] = sum(page.wire_bytes for page in fetched) / 1000
        if (visible := longpage.visible_ms(addresses[1_000], person)) is None:
            self.remarks.append("without chromium nobody knows when a long conversation is visible")
        else:
            self.measured["long page visible"] = visible / 1000

    def small_sends(self) -> None:
        """Short replies one after the other: what a send costs beside its tokens. The first few only warm up."""
        for count, run in ((5, "warm"), (SMALL_SENDS, "small")):
            found, cpu = self.through_site(count, run, tokens=SMALL_TOKENS, spread=count * 0.15)
            self.note("small sends", found)
        self.measured["send cpu"] = cpu / SMALL_SENDS * 1000

    def level(self, level: int) -> None:
        direct, ours, cpu = Figures(), Figures(), 0.0
        for repeat in range(REPEATS_ALONE if level == 1 else 1):
            straight = uvloop.run(
                load.straight(self.upstream_url, level, f"d{level}-{repeat}", tokens=self.chosen.tokens)
            )
            direct.join(self.understood(straight, f"d{level}-{repeat}"))
            found, used = self.through_site(level, f"s{level}-{repeat}", tokens=self.chosen.tokens, spread=load.SPREAD)
            ours.join(found)
            cpu += used
        self.keep(level, direct, " direct")
        self.keep(level, ours, "")
        self.measured[f"{level} cpu"] = cpu / max(1, ours.tokens) * 10_000
        self.measured[f"{level} memory"] = self.site.spent().peak / MEGABYTE
        self.note(f"{level} at once", ours)

    def gently(self) -> None:
        """As many open as at a level, but begun one after the other."""
        found, _cpu = self.through_site(GENTLE, "gentle", tokens=GENTLE_TOKENS, spread=GENTLE_SPREAD)
        for rank in (50, 99):
            self.measured[f"gentle first p{rank}"] = percentile(found.first, rank) * 1000
        self.measured["gentle failed"], self.measured["gentle lost"] = found.failures.total(), found.lost.total()
        self.note("gently", found)

    def saturated(self) -> None:
        """One reply that the upstream sends without any pause."""
        straight = uvloop.run(load.straight(self.upstream_url, 1, "ds", tokens=SATURATED, pace=0))
        self.measured["saturated direct"] = percentile(self.understood(straight, "ds").rates, 50)
        found, _cpu = self.through_site(1, "ss", tokens=SATURATED, spread=0.0, pace=0)
        self.measured["saturated"] = percentile(found.rates, 50)
        self.note("saturated", found)

    def through_site(
        self, count: int, run: str, *, tokens: int, spread: float, pace: int = load.PACE
    ) -> tuple[Figures, float]:
        """Open the pages, then measure pressing Send until all replies are over: figures and CPU seconds."""
        base_url, people = self.site.url, self.people[:count]

        async def measure() -> tuple[list[load.Exchange], float]:
            press_all = await load.through_site(base_url, people, run, tokens=tokens, spread=spread, pace=pace)
            before, others = self.site.spent().cpu, self.others_cpu()
            exchanges = await press_all()
            self.measured[f"{run} cpu of driver and upstream"] = self.others_cpu() - others
            return exchanges, self.site.spent().cpu - before

        exchanges, cpu = uvloop.run(measure())
        return self.understood(exchanges, run), cpu

    def others_cpu(self) -> float:
        return time.process_time() + processes.spent(self.upstream_pid).cpu

    def understood(self, exchanges: list[load.Exchange], run: str) -> Figures:
        return figures(exchanges, uvloop.run(load.sent_by(self.upstream_url, run)))

    def keep(self, level: int, found: Figures, suffix: str) -> None:
        for name, values in (("first", found.first), ("delay", found.delays), ("answer", found.answers)):
            for rank in (50, 99):
                self.measured[f"{level} {name} p{rank}{suffix}"] = percentile(values, rank) * 1000
        self.measured[f"{level} failed{suffix}"] = found.failures.total()
        self.measured[f"{level} lost{suffix}"] = found.lost.total()
        self.measured[f"{level} events{suffix}"] = found.events / max(1, found.replies)
        self.measured[f"{level} wire kB{suffix}"] = found.wire_bytes / max(1, found.replies) / 1000

    def note(self, what: str, found: Figures) -> None:
        self.remarks += [f"{what}: {count} × {reason}" for reason, count in (found.failures + found.lost).items()]


def main() -> int:
    chosen = options()
    levels = [int(level) for level in chosen.only.split(",")]
    BUILD.mkdir(exist_ok=True)
    runs: list[dict[str, float]] = []
    remarks: list[str] = []
    crowd: dict[str, list[report.Page]] = {}
    for number in range(chosen.runs):
        with tempfile.TemporaryDirectory(prefix="chatsite-bench-") as folder:
            bench = Bench(chosen, levels, Path(folder))
            bench.run()
            if not (crowd or chosen.no_crowd):
                crowd = bench.crowded()
        runs.append(bench.measured)
        remarks += [f"run {number + 1}: {remark}" for remark in bench.remarks]
    measured = report.medians(runs)
    print(report.table(measured, levels))
    if crowd:
        print("\n" + report.pages(crowd) + "\n")
    print("\n".join([*surroundings(measured, levels), *remarks]))
    write(chosen.out, {"levels": levels, "measured": measured, "runs": runs, "pages": crowd, "remarks": remarks})
    return 0


def surroundings(measured: dict[str, float], levels: Sequence[int]) -> list[str]:
    """What the figures depend on beside chatsite: other work on the machine makes all of them worse."""
    loops = ", ".join(f"{measured[f'{level} reference']:.0f}" for level in levels)
    busy = "" if os.getloadavg()[0] <= (os.cpu_count() or 1) + 2 else "; THE MACHINE WAS BUSY WITH OTHER WORK"
    return [
        f"{os.cpu_count()} cores, Python {platform.python_version()}, load {os.getloadavg()[0]:.1f}{busy}",
        f"reference loop of {processes.REFERENCE:,} additions after each level: {loops} ms of CPU",
    ]


def write(out: Path, found: dict[str, Any]) -> None:
    machine = {"cores": os.cpu_count(), "python": platform.python_version(), "load": os.getloadavg()}
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps({"machine": machine, **found}, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    sys.exit(main())
