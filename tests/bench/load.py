"""The load driver: people who press Send at given moments, through the site or straight at the upstream.

While the load runs the driver only notes what arrives and when; figures.py makes sense of it afterwards.
"""

import asyncio
import gc
import json
import re
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeAlias
from urllib.parse import urljoin

from tests.live import rawhttp
from tests.live.forms import Form
from tests.live.pages import Page
from tests.live.rawhttp import Connection, Recording, Reply

MODEL = "aimlapi/google/gemini-2.5-flash"
SPREAD = 1.0  # seconds over which the starts are spread
PACE = 20  # milliseconds between two tokens of the upstream
PATIENCE = 60.0  # seconds beyond the length of a reply after which it counts as lost
STREAM_ADDRESS = re.compile(rb'sse-connect="([^"]+)"')
EVENT_STREAM = {"Accept": "text/event-stream", "Cache-Control": "no-cache"}


@dataclass(frozen=True, slots=True)
class Exchange:
    """One reply as the driver saw it: when Send was pressed, and the stream, or why there is none.

    way: "site", "direct", or the name of a peer
    """

    tag: str
    tokens: int
    way: str
    pressed: float
    answered: float = 0.0
    recording: Recording | None = None
    failure: str = ""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A filled-in composer: the request that pressing Send will make."""

    url: str
    headers: dict[str, str]
    request: bytes


Press: TypeAlias = Callable[[int], Awaitable[Exchange]]


# --- Through the site -------------------------------------------------------------------------------------------------
async def open_pages(base_url: str, people: Sequence[dict[str, str]], prompts: Sequence[str]) -> list[Prepared]:
    """Each person opens the page of a new conversation and types; a few at a time."""
    gate = asyncio.Semaphore(4)

    async def open_page(cookies: dict[str, str], prompt: str) -> Prepared:
        async with gate:
            return await prepared(base_url, cookies, prompt)

    return await asyncio.gather(*(open_page(*pair) for pair in zip(people, prompts, strict=False)))


async def prepared(base_url: str, cookies: dict[str, str], prompt: str) -> Prepared:
    """Raises LookupError where the page has no composer, for example because nobody is logged in."""
    url = f"{base_url}/"
    connection = await rawhttp.connect(url)
    reply, body = (await connection.ask(rawhttp.request("GET", url, cookies))).body()
    connection.close()
    form = Page(url, reply.status, body.decode()).form_with("text")
    submission = form.submission({"text": prompt, "model": MODEL}, htmx=form.by_htmx)
    headers = {"Cookie": with_new_cookies(cookies["Cookie"], reply), "Origin": base_url, "Referer": url}
    wanted = headers | {"Content-Type": submission.content_type} | htmx_headers(form)
    return Prepared(base_url, headers, rawhttp.request("POST", submission.url, wanted, submission.body))


def htmx_headers(form: Form) -> dict[str, str]:
    return {"HX-Request": "true", "HX-Current-URL": form.url, "Accept": "*/*"} if form.by_htmx else {}


def with_new_cookies(cookies: str, reply: Reply) -> str:
    return "; ".join([cookies, *(header.split(";")[0] for header in reply.cookies)])


async def send(message: Prepared, tag: str, tokens: int) -> Exchange:
    """Press Send, then follow the reply that the answer shows."""
    pressed = time.monotonic()
    connection = await rawhttp.connect(message.url)
    try:
        reply, body = (await connection.ask(message.request)).body()
        answered = time.monotonic()
        reply, body = await redirected(connection, message, reply, body)
        address = STREAM_ADDRESS.findall(body)
        if not address:
            failure = f"status {reply.status}, no stream address"
            return Exchange(tag, tokens, "site", pressed, answered, failure=failure)
        url = urljoin(message.url, address[-1].decode())
        recording = await connection.follow(rawhttp.request("GET", url, message.headers | EVENT_STREAM))
        return Exchange(tag, tokens, "site", pressed, answered, recording)
    finally:
        connection.close()


async def redirected(connection: Connection, message: Prepared, reply: Reply, body: bytes) -> tuple[Reply, bytes]:
    """The page behind a redirect, whether HTTP or htmx asks for it."""
    target = reply.headers.get("location") or reply.headers.get("hx-redirect")
    if not target:
        return reply, body
    url = urljoin(message.url, target)
    return (await connection.ask(rawhttp.request("GET", url, message.headers))).body()


# --- Straight at the upstream -----------------------------------------------------------------------------------------
async def call(upstream_url: str, prompt: str, tag: str, tokens: int) -> Exchange:
    body = json.dumps({"model": "m", "stream": True, "messages": [{"role": "user", "content": prompt}]}).encode()
    request = rawhttp.request("POST", f"{upstream_url}/v1/chat/completions", {"Accept": "*/*"}, body)
    pressed = time.monotonic()
    connection = await rawhttp.connect(upstream_url)
    try:
        recording = await connection.ask(request)
        return Exchange(tag, tokens, "direct", pressed, pressed, recording)
    finally:
        connection.close()


# --- Many at once -----------------------------------------------------------------------------------------------------
def prompt_for(tag: str, tokens: int, pace: int = PACE) -> str:
    return f"Please count for me: bench:{tag}:{tokens}:{pace}"


async def press_all(count: int, press: Press, *, tokens: int, spread: float | None) -> list[Exchange]:
    """`count` people press Send, evenly spread over `spread` seconds; every one gives an exchange, come what may.

    Without a spread each does when the reply of the one before has ended.
    """
    begin = time.monotonic() + 0.1
    patience = tokens * 0.02 + PATIENCE

    async def one(number: int) -> Exchange:
        if spread is not None:
            await asyncio.sleep(begin + spread * number / count - time.monotonic())
        pressed = time.monotonic()
        try:
            return await asyncio.wait_for(press(number), patience)
        except (TimeoutError, OSError, ValueError) as exc:
            return Exchange(str(number), tokens, "site", pressed, failure=f"{type(exc).__name__}: {exc}"[:80])

    with undisturbed():
        if spread is None:
            return [await one(number) for number in range(count)]
        return await asyncio.gather(*(one(number) for number in range(count)))


@contextmanager
def undisturbed() -> Iterator[None]:
    """No garbage collection of the driver while it measures."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


async def through_site(
    base_url: str,
    people: Sequence[dict[str, str]],
    run: str,
    *,
    tokens: int,
    spread: float | None = SPREAD,
    pace: int = PACE,
) -> Callable[[], Awaitable[list[Exchange]]]:
    """Open the pages now; the result presses Send on all of them."""
    tags = [f"{run}.{number}" for number in range(len(people))]
    messages = await open_pages(base_url, people, [prompt_for(tag, tokens, pace) for tag in tags])

    async def press(number: int) -> Exchange:
        return await send(messages[number], tags[number], tokens)

    return lambda: press_all(len(people), press, tokens=tokens, spread=spread)


async def straight(
    upstream_url: str, count: int, run: str, *, tokens: int, spread: float = SPREAD, pace: int = PACE
) -> list[Exchange]:
    async def press(number: int) -> Exchange:
        tag = f"{run}.{number}"
        return await call(upstream_url, prompt_for(tag, tokens, pace), tag, tokens)

    return await press_all(count, press, tokens=tokens, spread=spread)


async def sent_by(upstream_url: str, run: str) -> dict[str, list[list[float]]]:
    """What the upstream sent for the tags of this run, and when."""
    connection = await rawhttp.connect(upstream_url)
    _, body = (await connection.ask(rawhttp.request("GET", f"{upstream_url}/sent/{run}", {}))).body()
    connection.close()
    value: dict[str, list[list[float]]] = json.loads(body)
    return value
