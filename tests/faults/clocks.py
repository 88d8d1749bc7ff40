"""The proof of the clock: it jumps an hour on or back while people chat, and nobody notices."""

import glob
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.faults import invariants
from tests.faults.crash import words
from tests.faults.fullness import followed
from tests.faults.site import MODEL, Embedded, embedded, in_another_thread, logged_in
from tests.live.browserless import Person
from tests.serving import until
from tests.simulator import Simulator

HOUR = 3600
JUMPS = (HOUR, -HOUR, 24 * HOUR, 0, 60, -60, 7 * 24 * HOUR, -HOUR)
"""Seconds from the true time, one after the other."""
NEGATIVE = re.compile(r"[-−]\s?[0-9]")
SWEPT = 6  # seconds in which the housekeeping looks at everything once
LIBRARY = "/usr/lib/*/faketime/libfaketimeMT.so.1"


@dataclass
class Figures:
    """What came out. `wrong`: a line for each thing that is not as promised."""

    jumps: int = 0
    replies: int = 0
    wrong: list[str] = field(default_factory=list)


def with_a_clock(data: Path, upstream: str) -> Embedded:
    """A set-up whose wall clock is wrong by what stands in the file `clock`, its other clocks right."""
    site = embedded(data, upstream, "alice")
    set_clock(site, 0)
    site.settings = {
        **site.settings,
        "LD_PRELOAD": glob.glob(LIBRARY)[0],
        "FAKETIME_TIMESTAMP_FILE": str(data / "clock"),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "NO_FAKE_STAT": "1",
    }
    return site


def set_clock(site: Embedded, seconds: int) -> None:
    part = site.data / "clock.part"
    part.write_text(f"{seconds:+d}\n")
    part.rename(site.data / "clock")


def prove(site: Embedded, simulator: Simulator, jumps: Sequence[int] = JUMPS) -> Figures:
    """Let the clock jump in the middle of each reply of a conversation."""
    figures = Figures()
    alice = logged_in(site.url, "alice")
    talk = alice.send("[[say:First.]]", model=MODEL).conversation_uuid
    texts = ["First."]
    for jump in jumps:
        until(lambda: not site.rows(invariants.UNSETTLED), "calm")
        sent = alice.send("[[tokens:60]] [[hold:20]]", talk, model=MODEL)
        shown, follower = followed(in_another_thread(alice), sent.reply_uuid)
        until(lambda shown=shown: shown.text.split() == words(20).split(), "the text so far", 60)  # type: ignore[misc]
        set_clock(site, jump)
        follower.join(SWEPT)
        if not follower.is_alive():
            figures.wrong.append(f"{jump:+d} s: the reply was ended: {shown.text[-40:]!r}")
        simulator.release()
        follower.join(60)
        texts.append(words(60))
        figures.jumps, figures.replies = figures.jumps + 1, figures.replies + 1
        figures.wrong += [f"{jump:+d} s: {line}" for line in _wrong(alice, talk, texts)]
    figures.wrong += invariants.broken(site)
    return figures


def _wrong(alice: Person, talk: str, texts: list[str]) -> list[str]:
    page = alice.page(talk)
    if page.status_code != 200 or not page.replies:
        return [f"logged out, or gone: {page.status_code} {page.title}"]
    found = []
    if [article.text for article in page.replies] != texts:
        found.append(f"the order or the text is wrong: {[article.text[-20:] for article in page.replies]}")
    if [article.status for article in page.replies] != ["complete"] * len(texts):
        found.append(f"the states are {[article.status for article in page.replies]}")
    negative = [article.footer for article in page.replies if NEGATIVE.search(article.footer)]
    return found + [f"a negative duration: {footer!r}" for footer in negative[:1]]
