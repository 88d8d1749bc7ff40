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

from tests.bench import figures, load, longpage, processes, report
from tests.bench.figures import Figures, percentile
from tests.bench.firstpage import first_page
from tests.bench.peers import weight
from tests.bench.peers.chainlit import Chainlit
from tests.bench.peers.gradio import Gradio
from tests.bench.peers.installed import Unavailable
from tests.bench.peers.peer import Peer
from tests.bench.peers.run import SATURATED, PeerRun
from tests.bench.processes import ROOT
from tests.bench.site import Site
from tests.postgres import Postgres

TOKENS = 200
REPEATS_ALONE = 5  # one reply at a time says little; so many, one after the other, say more
SMALL_SENDS, SMALL_TOKENS = 100, 2
QUIET = 8.0  # seconds in which nothing is asked of the server; its housekeeping comes every 4
GENTLE, GENTLE_TOKENS, GENTLE_SPREAD = 200, 400, 8.0  # so many open, each as long as all starts together take
PEERS: dict[str, type[Peer]] = {peer.name: peer for peer in (Chainlit, Gradio)}
BUILD = ROOT / ".build"
MEGABYTE = 1_000_000


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__.partition("\n")[0])
    parser.add_argument("--only", default="1,50,200,500", help="numbers of concurrent replies, such as 1,50")
    parser.add_argument("--no-crowd", action="store_true", help="leave out the pages with very much stored")
    parser.add_argument("--only-pages", action="store_true", help="measure nothing but the pages with very much stored")
    parser.add_argument("--runs", type=int, default=1, help="how often to measure; the table shows medians")
    parser.add_argument("--peers", default="", help=f"other chats to measure beside ours, of {', '.join(PEERS)}")
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
        self.missing: list[str] = []  # what was asked for and could not be measured, in sentences

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
            for name in self.peers:
                self.peer(name)

    @property
    def peers(self) -> list[str]:
        return [name for name in self.chosen.peers.split(",") if name]

    def peer(self, name: str) -> None:
        """One of them being ill keeps nobody from being measured, but is said."""
        folder = self.folder / name
        folder.mkdir()
        try:
            if name not in PEERS:
                raise Unavailable(f"nobody knows how to measure {name!r}")
            one = PeerRun(PEERS[name](folder, self.upstream_url), self.levels, self.chosen.tokens, BUILD)
            one.run()
            self.measured |= one.measured
            self.remarks += one.remarks
        except Unavailable as error:
            self.missing.append(str(error))
        except Exception as error:
            self.missing.append(f"{name} cannot be measured: {type(error).__name__}: {error}"[:200])

    def only_pages(self) -> dict[str, list[report.Page]]:
        with processes.upstream() as (self.upstream_url, self.upstream_pid):
            return self.crowded()

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
        if self.peers:
            self.opened()
        self.measured["idle memory"] = self.site.spent().resident / MEGABYTE

    def opened(self) -> None:
        """The same in a browser, because what the pages of peers load is known to a browser only."""
        try:
            page = weight.first_page(f"{self.site.url}/", self.people[0])
        except Unavailable as error:
            self.missing.append(str(error))
        else:
            self.measured["opened"], self.measured["opened requests"] = page.wire_bytes / 1000, page.requests

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
        """Short replies, each begun when the one before has ended: what a send costs beside its tokens.

        The first few only warm up. What the server does anyway in the same time, as a quiet while shows it, is no
        part of a send.
        """
        for count, run in ((10, "warm"), (SMALL_SENDS, "small")):
            found, cpu = self.through_site(count, run, tokens=SMALL_TOKENS, spread=None)
            self.note("small sends", found)
        idle = self.idle_cpu()
        self.measured["idle cpu"] = idle * 1000
        self.measured["send cpu"] = (cpu - self.measured["small seconds"] * idle) / SMALL_SENDS * 1000

    def idle_cpu(self) -> float:
        """CPU seconds per second of a server of which nothing is asked."""
        before = self.site.spent().cpu
        time.sleep(QUIET)
        return (self.site.spent().cpu - before) / QUIET

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
        self.measured |= figures.named(level, direct, " direct") | figures.named(level, ours)
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
        self, count: int, run: str, *, tokens: int, spread: float | None, pace: int = load.PACE
    ) -> tuple[Figures, float]:
        """Open the pages, then measure pressing Send until all replies are over: figures and CPU seconds."""
        base_url, people = self.site.url, self.people[:count]

        async def measure() -> tuple[list[load.Exchange], float]:
            press_all = await load.through_site(base_url, people, run, tokens=tokens, spread=spread, pace=pace)
            before, others, begun = self.site.spent().cpu, self.others_cpu(), time.monotonic()
            exchanges = await press_all()
            self.measured[f"{run} seconds"] = time.monotonic() - begun
            self.measured[f"{run} cpu of driver and upstream"] = self.others_cpu() - others
            return exchanges, self.site.spent().cpu - before

        exchanges, cpu = uvloop.run(measure())
        return self.understood(exchanges, run), cpu

    def others_cpu(self) -> float:
        return time.process_time() + processes.spent(self.upstream_pid).cpu

    def understood(self, exchanges: list[load.Exchange], run: str) -> Figures:
        return figures.figures(exchanges, uvloop.run(load.sent_by(self.upstream_url, run)))

    def note(self, what: str, found: Figures) -> None:
        self.remarks += figures.remarks(what, found)


def main() -> int:
    chosen = options()
    levels = [int(level) for level in chosen.only.split(",")]
    BUILD.mkdir(exist_ok=True)
    runs: list[dict[str, float]] = []
    remarks: list[str] = []
    missing: list[str] = []
    crowd: dict[str, list[report.Page]] = {}
    if chosen.only_pages:
        return measure_pages(chosen)
    for number in range(chosen.runs):
        with tempfile.TemporaryDirectory(prefix="chatsite-bench-") as folder:
            bench = Bench(chosen, levels, Path(folder))
            bench.run()
            if not (crowd or chosen.no_crowd):
                crowd = bench.crowded()
        runs.append(bench.measured)
        remarks += [f"run {number + 1}: {remark}" for remark in bench.remarks]
        missing += [sentence for sentence in bench.missing if sentence not in missing]
    measured = report.medians(runs)
    print(report.table(measured, levels))
    if bench.peers:
        print("\n" + report.against(measured, levels, bench.peers) + "\n")
    if crowd:
        print("\n" + report.pages(crowd) + "\n")
    print("\n".join([*surroundings(measured, levels), *remarks, *missing]))
    write(
        chosen.out, {"levels": levels, "measured": measured, "runs": runs, "pages": crowd, "remarks": remarks + missing}
    )
    return 1 if missing else 0


def measure_pages(chosen: argparse.Namespace) -> int:
    with tempfile.TemporaryDirectory(prefix="chatsite-bench-") as folder:
        bench = Bench(chosen, [], Path(folder))
        crowd = bench.only_pages()
    print("\n".join([report.pages(crowd), *surroundings({}, []), *bench.remarks]))
    write(chosen.out.with_name("bench-pages.json"), {"pages": crowd, "remarks": bench.remarks})
    return 0


def surroundings(measured: dict[str, float], levels: Sequence[int]) -> list[str]:
    """What the figures depend on beside chatsite: other work on the machine makes all of them worse."""
    loops = ", ".join(f"{measured[f'{level} reference']:.0f}" for level in levels)
    busy = "" if os.getloadavg()[0] <= (os.cpu_count() or 1) + 2 else "; THE MACHINE WAS BUSY WITH OTHER WORK"
    return [
        f"{os.cpu_count()} cores, Python {platform.python_version()}, load {os.getloadavg()[0]:.1f}{busy}",
        *(
            [f"reference loop of {processes.REFERENCE:,} additions after each level: {loops} ms of CPU"]
            if loops
            else []
        ),
    ]


def write(out: Path, found: dict[str, Any]) -> None:
    machine = {"cores": os.cpu_count(), "python": platform.python_version(), "load": os.getloadavg()}
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps({"machine": machine, **found}, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    sys.exit(main())
