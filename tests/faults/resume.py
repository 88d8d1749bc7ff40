"""The proof of the cut connections: however often a stream breaks, what is shown in the end is what was said."""

import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from tests.faults.crash import words
from tests.faults.proxy import How, Plan, Proxy
from tests.faults.site import MODEL, Site, logged_in
from tests.live.browserless import Person
from tests.live.pages import letters
from tests.live.transcript import Transcript

SILENCE = 1.0  # seconds after which a browser that hears nothing comes back
BREAKS: tuple[How, ...] = ("close", "reset", "freeze", "orphan", "503")
LENGTH = 600  # words of a reply
BLOCKS = "\\n\\n".join(f"## Part {n}\\n\\n- one *{n}*\\n- two `{n}`\\n\\nSome words of part {n}." for n in range(40))


@dataclass
class Figures:
    """What came out. `wrong`: a line for each thing that is not as promised."""

    cuts: dict[str, int] = field(default_factory=dict)
    replies: int = 0
    watched: int = 0
    characters: int = 0
    wrong: list[str] = field(default_factory=list)

    def told(self) -> list[str]:
        kinds = ", ".join(f"{count} {how}" for how, count in sorted(self.cuts.items()))
        return [
            f"{sum(self.cuts.values())} cuts: {kinds}",
            f"{self.replies} replies in {self.watched} tabs, {self.characters} characters: none missing, none twice",
        ]


class Weather:
    """Decides what becomes of each connection to a stream, at random, until there were enough cuts."""

    def __init__(self, cuts: int, figures: Figures) -> None:
        self._chance, self._lock = random.Random(3), threading.Lock()
        self._left, self._figures = cuts, figures

    @property
    def is_over(self) -> bool:
        return self._left <= 0

    def __call__(self, first: bytes) -> Plan:
        if not first.startswith(b"GET /replies/"):
            return Plan()
        with self._lock:
            if self._left <= 0:
                return Plan()
            self._left -= 1
            # What leaves a browser waiting costs a second; there is less of it.
            how = self._chance.choices(BREAKS, weights=(4, 4, 1, 3, 3))[0]
            self._figures.cuts[how] = self._figures.cuts.get(how, 0) + 1
            return Plan(how, after=int(10 ** self._chance.uniform(2, 4.3)))  # bytes: small cuts, and large ones


def prove(site: Site, cuts: int, *, at_once: int) -> Figures:
    """Let people on two devices with two tabs each watch replies through such weather."""
    figures = Figures()
    weather = Weather(cuts, figures)
    with Proxy(site.url, weather) as proxy:
        devices = [logged_in(proxy.url, "alice") for _ in range(2)]
        for device in devices:
            device.timeout = SILENCE
        writer = logged_in(site.url, "alice")
        lock = threading.Lock()

        def watch(_number: int) -> None:
            while not weather.is_over:
                with lock:  # one page, one thread
                    figures.replies += 1
                    is_marked_up = figures.replies % 4 == 0
                    text = f"[[say:{BLOCKS}]] [[delay:6]]" if is_marked_up else f"[[tokens:{LENGTH}]] [[delay:6]]"
                    sent = writer.send(text, model=MODEL)
                _watched(devices, sent.reply_uuid, "" if is_marked_up else words(LENGTH), figures)

        with ThreadPoolExecutor(at_once) as threads:
            list(threads.map(watch, range(at_once)))
    return figures


def _watched(devices: list[Person], reply: str, text: str, figures: Figures) -> None:
    """Four tabs on two devices follow one reply; they must end with the same, and with `text` where it is known."""
    with ThreadPoolExecutor(4) as threads:
        shown = list(threads.map(lambda device: _through(device, reply, text, figures), devices * 2))
    figures.watched += len(shown)
    figures.characters += sum(len(one.letters) for one in shown)
    finals = {one.text for one in shown}
    if len(finals) != 1 or (text and finals != {text}):
        figures.wrong.append(f"reply {reply}: {[final[-60:] for final in finals]}")
    for one in shown:
        # Who was away at the end is given the whole at once; what was streamed by then is its beginning.
        if one.final is None or (text and not one.letters.startswith(letters(one.streamed_text))):
            figures.wrong.append(f"reply {reply}: streamed {one.streamed_text[-60:]!r}, final {one.text[-60:]!r}")


def _through(person: Person, reply: str, text: str, figures: Figures) -> Transcript:
    """Follow the reply as a browser does, whatever happens on the way."""
    shown, last, deadline = Transcript(), "", time.monotonic() + 120
    while not shown.is_over:
        if time.monotonic() > deadline:
            figures.wrong.append(f"reply {reply}: no end")
            break
        before = shown.letters
        try:
            person.follow(reply, last or None, into=shown, deadline=120)
        except TimeoutError:
            shown.ending = "cut"  # it heard nothing for too long
        # After a 503 a browser gives up on its stream; the page opens another one, which knows no last id.
        last = "" if shown.ending == "refused" else shown.last_event_id
        if not shown.is_over and not _goes_on(before, shown.letters, letters(text)):
            figures.wrong.append(f"reply {reply}: after {before[-40:]!r} came {shown.letters[-40:]!r}")
    return shown


def _goes_on(before: str, now: str, whole: str) -> bool:
    return now.startswith(before) and whole.startswith(now) if whole else True
