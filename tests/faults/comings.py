"""The proof of the comings and goings: whatever browsers break off, the server holds afterwards what it held before."""

import contextlib
import json
import random
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from tests.faults.site import MIB, MODEL, Embedded, Memory, logged_in
from tests.live.browserless import Person
from tests.serving import until
from tests.simulator import Simulator
from tests.wire.byteserver import reset

AT_ONCE = 20
WARM_UP = 100  # comings before anything is counted: threads and connections that stay are made by then
MORE = {"threads": 2, "tasks": 2, "files": 6}
"""What may be held beyond what was held before: a pool that had not met so many at once yet."""


@dataclass
class Figures:
    """What came out. `before` and `after`: threads, unfinished tasks, open files; `kept` in bytes."""

    comings: int = 0
    before: dict[str, int] = field(default_factory=dict)
    after: dict[str, int] = field(default_factory=dict)
    kept: int = 0
    wrong: list[str] = field(default_factory=list)


def prove(site: Embedded, simulator: Simulator, comings: int) -> Figures:
    """Let browsers come so often and break off: streams, pages, sends, uploads, in every state."""
    figures, alice = Figures(), logged_in(site.url, "alice")
    held = alice.send("[[tokens:60]] [[hold:30]]", model=MODEL).reply_uuid
    ended = alice.send("[[say:Done.]]", model=MODEL).reply_uuid
    alice.follow(ended, reconnect=True)
    _come(site, alice, [held, ended], WARM_UP)
    figures.before = settled(site, {})
    memory = Memory(site)
    _come(site, alice, [held, ended], comings)
    figures.comings = comings
    figures.after = settled(site, figures.before)
    figures.kept = memory.kept
    simulator.release()
    if not (alice.follow(held, reconnect=True).text.endswith("w60")):
        figures.wrong.append("the reply that all of them watched did not end well")
    for what, count in figures.after.items():
        if count > figures.before[what] + MORE[what]:
            figures.wrong.append(f"{count} {what}, {figures.before[what]} before")
    if figures.kept > max(16 * MIB, comings * 1000):
        figures.wrong.append(f"{figures.kept / MIB:.0f} MiB more")
    return figures


def _come(site: Embedded, alice: Person, replies: list[str], comings: int) -> None:
    cookies = "; ".join(f"{name}={value}" for name, value in alice.session.cookies.items())
    with ThreadPoolExecutor(AT_ONCE) as threads:
        list(threads.map(lambda number: _come_and_go(site.port, cookies, replies, number), range(comings)))


def _come_and_go(port: int, cookies: str, replies: list[str], number: int) -> None:
    """One connection that breaks off somewhere: by a close or a reset, at once or after some bytes of an answer."""
    chance = random.Random(number)
    head = f"Host: 127.0.0.1\r\nCookie: {cookies}\r\nOrigin: http://127.0.0.1\r\n"
    asked = chance.choice(
        (
            f"GET /replies/{replies[0]}/events/ HTTP/1.1\r\n{head}\r\n",
            f"GET /replies/{replies[0]}/events/ HTTP/1.1\r\n{head}\r\n",
            f"GET /replies/{replies[1]}/events/ HTTP/1.1\r\n{head}\r\n",
            f"GET / HTTP/1.1\r\n{head}\r\n",
            f"POST / HTTP/1.1\r\n{head}Content-Length: 100000\r\n\r\ntext=",
            f"POST / HTTP/1.1\r\n{head}Transfer-Encoding: chunked\r\n\r\n5\r\ntext=\r\n",
            f"GET /c/ HTTP/1.1\r\n{head}"[: chance.randint(1, 60)],
            "",
        )
    ).encode()
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=60) as browser:
        browser.sendall(asked)
        if asked.startswith(b"GET /replies") and chance.random() < 0.7:
            browser.recv(chance.randint(1, 2000))
        if chance.random() < 0.5:
            reset(browser)


def settled(site: Embedded, before: dict[str, int]) -> dict[str, int]:
    """What the server holds when those who went are noticed; waits until it is no more than before."""
    held: dict[str, int] = {}

    def is_calm() -> bool:
        last = dict(held)
        held.update(_held(site))
        return held == last and all(held[what] <= before[what] + MORE[what] for what in before)

    with contextlib.suppress(TimeoutError):
        until(is_calm, "calm", 120)
    return held


def _held(site: Embedded) -> dict[str, int]:
    """The server itself counts; see `observed`."""
    answer = site.data / "held"
    answer.unlink(missing_ok=True)
    (site.data / "tell").touch()
    until(answer.exists, "the server's count")
    threading.Event().wait(0.3)  # between two counts
    counts: dict[str, int] = json.loads(answer.read_text())
    return counts
