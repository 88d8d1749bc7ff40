"""People who send at one web process while any number of followers look on at all of them."""

import asyncio
import itertools
import time
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urljoin

import uvloop

from tests.bench import load
from tests.bench.cluster import model
from tests.bench.cluster.model import Work
from tests.bench.figures import Figures, figures
from tests.bench.load import Exchange, Prepared
from tests.live import rawhttp


@dataclass(frozen=True, slots=True)
class Load:
    """So many replies of so many tokens, begun within `spread` seconds, each with so many followers."""

    name: str
    replies: int
    tokens: int
    followers: int
    spread: float
    pace: int = load.PACE

    def work(self, seconds: float, pieces: float | None = None) -> Work:
        """Pieces as counted; without a count as a worker makes them that has time."""
        made = model.pieces(self.replies * self.tokens, self.pace / 1000) if pieces is None else pieces
        return Work(seconds, 0.0, self.replies, made, self.replies * self.followers, made * self.followers)


class Driver:
    """`open` what people look at before they send, then `send`; `webs` are the addresses of web processes."""

    def __init__(self, webs: Sequence[str], people: Sequence[dict[str, str]], upstream_url: str) -> None:
        self._webs, self._people, self._upstream_url = webs, people, upstream_url

    def open(self, wanted: Load) -> list[Prepared]:
        return uvloop.run(self._open(wanted))

    async def _open(self, wanted: Load) -> list[Prepared]:
        opened: list[Prepared] = []
        for number in range(wanted.replies):  # nobody waits for this, so one after the other
            web, person = self._webs[number % len(self._webs)], self._people[number % len(self._people)]
            prompt = load.prompt_for(f"{wanted.name}.{number}", wanted.tokens, wanted.pace)
            opened.append(await load.prepared(web, person, prompt))
        return opened

    def send(self, wanted: Load, opened: Sequence[Prepared]) -> list[Exchange]:
        """One exchange for each follower; for a reply that nobody follows one without a recording only if it failed."""
        return uvloop.run(self._send(wanted, opened))

    async def _send(self, wanted: Load, opened: Sequence[Prepared]) -> list[Exchange]:
        found: list[Exchange] = []

        async def press(number: int) -> Exchange:
            sent = await self._one(wanted, opened[number], f"{wanted.name}.{number}")
            found.extend(sent)
            return Exchange("", 0, "site", 0.0)

        pressed = await load.press_all(wanted.replies, press, tokens=wanted.tokens, spread=wanted.spread)
        return found + [exchange for exchange in pressed if exchange.failure]

    async def _one(self, wanted: Load, message: Prepared, tag: str) -> list[Exchange]:
        pressed = time.monotonic()
        connection = await rawhttp.connect(message.url)
        try:
            reply, body = (await connection.ask(message.request)).body()
        finally:
            connection.close()
        answered = time.monotonic()
        address = load.STREAM_ADDRESS.findall(body)
        if not address:
            failure = f"status {reply.status}, no stream address"
            return [Exchange(tag, wanted.tokens, "site", pressed, answered, failure=failure)]
        webs = itertools.islice(itertools.cycle(self._webs), wanted.followers)
        follow = (rawhttp.follow(urljoin(web, address[-1].decode()), message.headers) for web in webs)
        return [
            Exchange(tag, wanted.tokens, "site", pressed, answered, recording)
            for recording in await asyncio.gather(*follow)
        ]

    def understood(self, wanted: Load, exchanges: Sequence[Exchange]) -> Figures:
        return figures(exchanges, uvloop.run(load.sent_by(self._upstream_url, wanted.name)))
