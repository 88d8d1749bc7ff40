"""The proof of the restarts: while people send, the server is asked to end and begun anew, and no send is lost."""

import random
import threading
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field

from tests.faults import crash, invariants
from tests.faults.crash import DOWN, Point, Spoken
from tests.faults.site import Site, in_another_thread, logged_in
from tests.live.browserless import Person
from tests.serving import until

PATIENCE = 0.2  # seconds until a send that failed is sent again
RUN = 1.0  # seconds of load before each restart
ENDS_WITHIN = 30.0  # seconds


@dataclass
class Figures:
    """What came out. `failures`: sends without an answer of 2xx or 3xx; `longest`: seconds one send had to wait."""

    sends: int = 0
    failures: list[str] = field(default_factory=list)
    longest: float = 0.0
    slowest_end: float = 0.0
    wrong: list[str] = field(default_factory=list)

    def told(self) -> str:
        return (
            f"{self.sends} sends, {len(self.failures)} failed and were repeated, none lost; "
            f"the longest took {self.longest:.1f} s, an end {self.slowest_end:.1f} s at most"
        )


def prove(site: Site, members: Sequence[str], *, people: int) -> Figures:
    """Restart these, one after the other, while so many people send without a pause."""
    figures, over = Figures(), threading.Event()
    alice = logged_in(site.url, "alice")
    spoken: list[Spoken] = []
    threads = [
        threading.Thread(target=_keep_sending, args=(in_another_thread(alice), number, over, spoken, figures))
        for number in range(people)
    ]
    for thread in threads:
        thread.start()
    for member in members:
        over.wait(RUN)
        figures.slowest_end = max(figures.slowest_end, site.restart(member))
    over.wait(RUN)
    over.set()
    for thread in threads:
        thread.join(120)
    until(lambda: not site.rows(invariants.UNSETTLED), "the end of all replies", 60)
    figures.wrong += invariants.broken(site) + _lost(alice, spoken)
    if figures.slowest_end > ENDS_WITHIN:
        figures.wrong.append(f"an end took {figures.slowest_end:.0f} s")
    return figures


def _keep_sending(person: Person, number: int, over: threading.Event, spoken: list[Spoken], figures: Figures) -> None:
    chance = random.Random(number)
    person.session.headers["Connection"] = "close"  # as behind a proxy that keeps none open
    while not over.is_set():
        count = chance.choice((8, 200))
        key = uuid.uuid4().hex
        one = Spoken(key, f"{key} [[tokens:{count}]] [[delay:3]]", count)
        spoken.append(one)
        begun = time.monotonic()
        while not one.is_taken:
            figures.sends += 1
            try:
                crash.say(person, one)
            except DOWN as failure:
                figures.failures.append(f"{type(failure).__name__}: {failure}"[:200])
                time.sleep(PATIENCE)
        figures.longest = max(figures.longest, time.monotonic() - begun)


def _lost(person: Person, spoken: Sequence[Spoken]) -> list[str]:
    found = crash.Figures()
    crash.look_back(person, spoken, Point("restart", 0), found)
    return found.wrong
