"""The proof of the writers: many people write at once, another process too, and nobody meets a locked database."""

import random
import sqlite3
import threading
import time
import uuid
from contextlib import closing
from dataclasses import dataclass, field

import requests

from tests.faults import invariants
from tests.faults.site import MODEL, Embedded, in_another_thread, logged_in
from tests.live.browserless import Person
from tests.live.forms import Form
from tests.serving import until


@dataclass
class Figures:
    """What came out. `writes` by what was done; `slowest` and `median` of them in seconds; `beside`: by the other."""

    writes: dict[str, int] = field(default_factory=dict)
    seconds: list[float] = field(default_factory=list)
    beside: int = 0
    asked_again: int = 0
    wrong: list[str] = field(default_factory=list)

    @property
    def median(self) -> float:
        return sorted(self.seconds)[len(self.seconds) // 2] if self.seconds else 0.0


def prove(site: Embedded, *, writers: int, seconds: float) -> Figures:
    """Let so many people write for so long: messages into new and old conversations, stops, titles, settings."""
    figures, over, lock = Figures(), threading.Event(), threading.Lock()
    alice = logged_in(site.url, "alice", timeout=90)
    composer = alice.page().form_with("text")

    def write(number: int) -> None:
        person, chance = in_another_thread(alice), random.Random(number)
        while not over.is_set():
            begun = time.monotonic()
            try:
                what, status = _write(person, composer, chance)
            except requests.ConnectionError:
                # A kept connection was closed by the server in the moment of its next use; browsers ask again.
                figures.asked_again += 1
                continue
            except Exception as trouble:
                what, status = f"{type(trouble).__name__}: {trouble}"[:200], 0
            with lock:
                figures.seconds.append(time.monotonic() - begun)
                figures.writes[what] = figures.writes.get(what, 0) + 1
                if status not in (200, 204, 302, 303):
                    figures.wrong.append(f"{what}: {status}")

    threads = [threading.Thread(target=write, args=(number,)) for number in range(writers)]
    threads.append(threading.Thread(target=_write_beside, args=(site, over, figures)))
    for thread in threads:
        thread.start()
    over.wait(seconds)
    over.set()
    for thread in threads:
        thread.join(180)
    until(lambda: not site.rows(invariants.UNSETTLED), "the end of all replies", 120)
    if figures.asked_again > max(1, len(figures.seconds) / 1000):
        figures.wrong.append(f"{figures.asked_again} connections broke")
    figures.wrong += invariants.broken(site)
    figures.wrong += [line for line in site.log.splitlines() if "locked" in line][:5]
    return figures


def _write(person: Person, composer: Form, chance: random.Random) -> tuple[str, int]:
    """One write, and the status of its answer."""
    if chance.random() < 0.2:
        page = person.get("/settings/")
        return "settings", person.submit(
            page.form_with("theme"), {"theme": chance.choice(("light", "dark"))}
        ).status_code
    typed = {"text": f"[[tokens:{chance.choice((3, 30))}]]", "model": MODEL, "key": uuid.uuid4().hex}
    sent = person.submit(composer, typed, htmx=True)
    if sent.status_code == 200 and chance.random() < 0.3:
        person.follow(sent.reply_uuid, reconnect=True)
    return "message", sent.status_code


def _write_beside(site: Embedded, over: threading.Event, figures: Figures) -> None:
    """What a command of the administrator does while the server runs: transactions of another process."""
    with closing(sqlite3.connect(site.data / "chatsite.sqlite3", timeout=20, isolation_level=None)) as other:
        while not over.wait(0.05):
            try:
                other.execute("BEGIN IMMEDIATE")
                other.execute("DELETE FROM django_session WHERE expire_date < '2000-01-01'")
                other.execute("COMMIT")
                figures.beside += 1
            except sqlite3.OperationalError as error:
                figures.wrong.append(f"beside the server: {error}")
                return
