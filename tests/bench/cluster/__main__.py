"""`python -m tests.bench.cluster`: what a cluster of two web and two worker processes costs on this machine.

Costs come from six runs, and are checked against others: what was predicted stands beside what was measured.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from tests.bench import figures, processes
from tests.bench.cluster import meter, model, tables
from tests.bench.cluster.drive import Driver, Load
from tests.bench.cluster.meter import PIECES, Meter
from tests.bench.cluster.model import Used, Work
from tests.bench.load import Exchange
from tests.bench.processes import ROOT
from tests.bench.site import Site
from tests.cluster.processes import SECRET_KEY, Cluster
from tests.postgres import Postgres

BUILD, DOCS = ROOT / ".build", ROOT / "docs" / "scaling.md"
PEOPLE = 100
IDLE = 10.0  # seconds
PAGES = Load("pages", 100, 0, 0, 0.0)
WARM = Load("warm", 20, 20, 1, 2.0)
CALIBRATION = (
    Load("sends", 100, 2, 0, 8.0),
    Load("sends-followed", 100, 2, 1, 8.0),
    Load("replies", 60, 200, 0, 2.0),
    Load("replies-followed", 60, 200, 1, 2.0),
)
CHECKS = (Load("two-followers", 40, 300, 2, 3.0), Load("many-slow", 300, 60, 1, 10.0, pace=250))


class Bench:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.remarks: list[str] = []
        self.highest: dict[str, dict[str, float]] = {}
        self.statements: dict[str, list[tuple[str, float, float, float]]] = {}
        self.commands: dict[str, dict[str, float]] = {}

    def run(self) -> tuple[list[tuple[Work, Used]], list[tuple[Load, Work, Used]]]:
        with self._running():
            self._load(WARM)
            runs = [self._idle(), self._pages(), *(self._load(each) for each in CALIBRATION)]
            # What happens is predicted from what people do alone; costs come from what was counted.
            checks = [(each, each.work(work.seconds), used) for each in CHECKS for work, used in [self._load(each)]]
        return runs, checks

    @contextmanager
    def _running(self) -> Iterator[None]:
        with processes.upstream() as (url, _pid), Postgres(options=meter.OPTIONS) as postgres:
            site = Site(self.folder / "people", url, settings={"DATABASE_URL": postgres.url, "SECRET_KEY": SECRET_KEY})
            people = site.prepare(PEOPLE)
            provider = {"AIMLAPI_API_KEY": "key-of-the-benchmark", "AIMLAPI_BASE_URL": f"{url}/v1"}
            with Cluster(self.folder, postgres, provider) as cluster:
                self.meter = Meter(cluster)
                self.driver = Driver([web.url for web in cluster.webs], people, url)
                yield
                self.meter.close()

    def _idle(self) -> tuple[Work, Used]:
        before, begun = self.meter.read(), time.monotonic()
        with self.meter.watching() as self.highest["idle"]:
            time.sleep(IDLE)
        return Work(seconds=time.monotonic() - begun), meter.used(before, self.meter.read())

    def _pages(self) -> tuple[Work, Used]:
        before, begun = self.meter.read(), time.monotonic()
        self.driver.open(PAGES)
        work = Work(seconds=time.monotonic() - begun, pages=PAGES.replies)
        return work, meter.used(before, self.meter.read())

    def _load(self, wanted: Load) -> tuple[Work, Used]:
        """From the first send until every reply is over and stored."""
        opened = self.driver.open(wanted)
        self.meter.forget_statements()
        before, begun, commands = self.meter.read(), time.monotonic(), self.meter.commands()
        with self.meter.watching() as self.highest[wanted.name]:
            exchanges = self.driver.send(wanted, opened)
            self.meter.wait_for_ends()
        seconds, used = time.monotonic() - begun, meter.used(before, self.meter.read())
        after = self.meter.commands()
        self.commands[wanted.name] = {name: after[name] - commands.get(name, 0.0) for name in after}
        self.statements[wanted.name] = self.meter.frequent()
        self._understand(wanted, exchanges)
        return wanted.work(seconds, used[PIECES]), used

    def _understand(self, wanted: Load, exchanges: list[Exchange]) -> None:
        found = self.driver.understood(wanted, exchanges)
        if found.first:
            first, late = (figures.percentile(values, 50) * 1000 for values in (found.first, found.delays))
            self.remarks.append(
                f"{wanted.name}: first token after {first:.0f} ms, a token late by {late:.0f} ms (medians)"
            )
        self.remarks += figures.remarks(wanted.name, found)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.cluster", description=__doc__.partition("\n")[0])
    parser.add_argument("--size", default="1000,10000,100000", help="for how many replies at the same time to size")
    parser.add_argument("--again", action="store_true", help="do not measure, take the figures of the last time")
    parser.add_argument("--docs", action="store_true", help="put the tables into docs/scaling.md")
    parser.add_argument("--out", type=Path, default=BUILD / "bench-cluster.json")
    chosen = parser.parse_args()
    if not chosen.again:
        chosen.out.parent.mkdir(parents=True, exist_ok=True)
        chosen.out.write_text(json.dumps(measured(), indent=1) + "\n")
    blocks = tables.blocks(json.loads(chosen.out.read_text()), [int(size) for size in chosen.size.split(",")])
    print("\n\n".join(blocks.values()))
    if chosen.docs:
        DOCS.write_text(tables.put_into(DOCS.read_text(), blocks))
    return 0


def measured() -> dict[str, object]:
    with tempfile.TemporaryDirectory(prefix="chatsite-cluster-") as folder:
        bench = Bench(Path(folder))
        runs, checks = bench.run()
    by_resource = model.costs(runs)
    return {
        "costs": {name: asdict(cost) for name, cost in by_resource.items()},
        "checks": {each.name: [model.predicted(by_resource, work), used] for each, work, used in checks},
        "runs": [[asdict(work), used] for work, used in runs],
        "highest": bench.highest,
        "statements": bench.statements,
        "commands": bench.commands,
        "remarks": [*bench.remarks, tables.surroundings()],
    }


if __name__ == "__main__":
    sys.exit(main())
