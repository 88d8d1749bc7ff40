"""The measurement of one peer: the same levels and the same load as ours, against the same upstream."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import uvloop

from tests.bench import figures, load, processes
from tests.bench.figures import Figures
from tests.bench.load import Exchange
from tests.bench.peers import weight
from tests.bench.peers.peer import Peer, Send

MEGABYTE = 1_000_000
OPENING, OPENING_DEADLINE = 4, 120.0  # pages at a time; seconds for all of a level
REPEATS_ALONE = 5
SATURATED = 20_000  # tokens of a reply that comes as fast as anybody takes it


class PeerRun:
    """`measured` holds figures by the names that ours have, each followed by the name of the peer."""

    def __init__(self, peer: Peer, levels: Sequence[int], tokens: int, logs: Path) -> None:
        self.peer, self.levels, self.tokens = peer, levels, tokens
        self.log = logs / f"bench-{peer.name}.log"
        self.measured: dict[str, float] = {}
        self.remarks: list[str] = []

    def run(self) -> None:
        """Raises Unavailable."""
        self.peer.installed.bring()
        self.remarks.append(self.peer.installed.version())
        with self.peer.running(self.log) as seconds:
            self._note("start", seconds)
        with self.peer.running(self.log) as seconds:
            self._note("start again", seconds)
            self._at_rest()
            for level in self.levels:
                self._level(level)
            self._saturated()

    def _note(self, name: str, value: float) -> None:
        self.measured[f"{name} {self.peer.name}"] = value

    def _at_rest(self) -> None:
        page = weight.first_page(self.peer.url, {})
        self._note("opened", page.wire_bytes / 1000)
        self._note("opened requests", page.requests)
        if page.strange:
            self.remarks.append(f"{self.peer.name}: its page asks other servers: {', '.join(sorted(page.strange))}")
        self._note("idle memory", processes.spent(self.peer.pid).resident / MEGABYTE)

    def _level(self, level: int) -> None:
        found, cpu = Figures(), 0.0
        for repeat in range(REPEATS_ALONE if level == 1 else 1):
            run = f"{self.peer.name}{level}-{repeat}"
            more, used = self._through(level, run, tokens=self.tokens, spread=load.SPREAD)
            found.join(more)
            cpu += used
        self.measured |= figures.named(level, found, f" {self.peer.name}")
        self._note(f"{level} cpu", cpu / max(1, found.tokens) * 10_000)
        self._note(f"{level} memory", processes.spent(self.peer.pid).peak / MEGABYTE)
        self.remarks += figures.remarks(f"{self.peer.name}, {level} at once", found)

    def _saturated(self) -> None:
        found, _cpu = self._through(1, f"{self.peer.name}-s", tokens=SATURATED, spread=0.0, pace=0)
        if found.rates:
            self._note("saturated", found.rates[0])
        self.remarks += figures.remarks(f"{self.peer.name}, saturated", found)

    def _through(
        self, count: int, run: str, *, tokens: int, spread: float, pace: int = load.PACE
    ) -> tuple[Figures, float]:
        """As through our own site: open the pages, then measure pressing Send until all replies are over."""
        peer, tags = self.peer, [f"{run}.{number}" for number in range(count)]

        async def measure() -> tuple[list[Exchange], float]:
            gate = asyncio.Semaphore(OPENING)

            async def opened(tag: str) -> Send:
                async with gate:
                    return await peer.open(load.prompt_for(tag, tokens, pace), tag, tokens)

            async with asyncio.timeout(OPENING_DEADLINE):
                sends = await asyncio.gather(*map(opened, tags))
            before = processes.spent(peer.pid).cpu
            pressed = await load.press_all(count, lambda number: sends[number](), tokens=tokens, spread=spread)
            return pressed, processes.spent(peer.pid).cpu - before

        exchanges, cpu = uvloop.run(measure())
        return figures.figures(exchanges, uvloop.run(load.sent_by(peer.upstream_url, run)), peer.read), cpu
