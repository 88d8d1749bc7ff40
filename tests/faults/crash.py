"""The proof of the kills: people chat, the server is killed, and after its restart nothing they saw is missing."""

import contextlib
import random
import threading
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import requests

from tests.faults import invariants
from tests.faults.site import MODEL, Site, in_another_thread
from tests.live.browserless import Person, Refused, Sent
from tests.live.forms import Upload
from tests.live.pages import Page, letters
from tests.live.transcript import Transcript
from tests.services.photographs import photograph
from tests.serving import until

SETTLED_WITHIN = 30.0  # seconds after the restart
ROUND = 4.0  # seconds after which a server that did not reach its point is killed all the same
DOWN = (requests.RequestException, Refused, LookupError, TimeoutError)


@dataclass(frozen=True, slots=True)
class Point:
    """When to kill: `kind` is "before" or "after" a commit, "event" received by a client, or "time".

    `number` counts commits and events of a round from 1; of "time" it is milliseconds.
    """

    kind: str
    number: int
    member: str = ""


@dataclass
class Spoken:
    """One message as its sender knows it: `is_taken` when the server has said so."""

    key: str
    text: str
    count: int
    form: str = ""
    is_taken: bool = False
    conversation: str = ""
    reply: str = ""
    shown: Transcript = field(default_factory=Transcript)
    picture: Upload | None = None


@dataclass
class Figures:
    """What came out. `wrong`: a line for each thing that is not as promised; `slowest`: seconds to settle."""

    kills: dict[str, int] = field(default_factory=dict)
    messages: int = 0
    repeated: int = 0
    characters: int = 0
    continued: int = 0
    slowest: float = 0.0
    ends: dict[str, int] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)


def words(count: int) -> str:
    return " ".join(f"w{number}" for number in range(1, count + 1))


def points(each: int, members: Sequence[str]) -> list[Point]:
    """So many of each kind, shuffled, for each member in turn."""
    chance = random.Random(11)
    found = [Point(kind, 1 + number % 60) for kind in ("before", "after", "event") for number in range(each)]
    found += [Point("time", chance.randint(1, 1500)) for _ in range(each)]
    chance.shuffle(found)
    return [Point(one.kind, one.number, members[at % len(members)]) for at, one in enumerate(found)]


class Crowd:
    """Some people who chat until the server is gone; `on_event` is called for each event that reaches one of them."""

    def __init__(self, people: Sequence[Person], seed: int, on_event: Callable[[], None]) -> None:
        self.spoken: list[Spoken] = []
        self._on_event = on_event
        self._over = threading.Event()
        self._threads = [
            threading.Thread(target=self._chat, args=(in_another_thread(person), random.Random(seed * 31 + number)))
            for number, person in enumerate(people)
        ]

    def __enter__(self) -> "Crowd":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_exc: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join(60)

    def _chat(self, person: Person, chance: random.Random) -> None:
        conversation = ""
        with contextlib.suppress(*DOWN):
            while not self._over.is_set():
                count = chance.choice((8, 60, 300))
                text = f"[[tokens:{count}]] [[delay:{chance.choice((0, 2, 5))}]]"
                spoken = Spoken(uuid.uuid4().hex, text, count, form=conversation)
                if chance.random() < 0.2:
                    picture = photograph(64, 48, seed=chance.randrange(1 << 30))
                    spoken.picture = ("photo.jpg", picture, "image/jpeg")
                self.spoken.append(spoken)
                say(person, spoken)
                if chance.random() < 0.15:
                    person.stop(spoken.conversation)
                person.follow(spoken.reply, into=spoken.shown, leave=lambda _event, _shown: bool(self._on_event()))
                conversation = chance.choice((spoken.conversation, ""))


def say(person: Person, spoken: Spoken) -> Sent:
    """Send it, for the first time or again. Raises one of DOWN where the server does not take it."""
    images = [spoken.picture] if spoken.picture else []
    sent = person.send(spoken.text, spoken.form or None, images=images, model=MODEL, key=spoken.key)
    if sent.status_code not in (200, 303):
        raise Refused(f"{sent.status_code}: {sent.page.text[:300]}")
    spoken.is_taken = True
    spoken.conversation = sent.conversation_uuid
    spoken.reply = sent.reply_uuid
    return sent


def prove(site: Site, people: Sequence[Person], chosen: Sequence[Point]) -> Figures:
    """Kill a running site at each of these points."""
    figures = Figures()
    for number, point in enumerate(chosen):
        spoken = _killed(site, people, point, number)
        site.die_at(0, "", point.member)
        figures.kills[point.kind] = figures.kills.get(point.kind, 0) + 1
        site.start()
        begun = time.monotonic()
        try:
            until(lambda: not site.rows(invariants.UNSETTLED), "the end of all replies", SETTLED_WITHIN)
        except TimeoutError as late:
            figures.wrong.append(f"{point}: {late}")
        figures.slowest = max(figures.slowest, time.monotonic() - begun)
        figures.wrong += [f"{point}: {line}" for line in invariants.broken(site)]
        look_back(people[0], spoken, point, figures)
    return figures


def _killed(site: Site, people: Sequence[Person], point: Point, number: int) -> list[Spoken]:
    """Let people chat until the server is gone; what they said and saw."""
    arrived, lock, is_due = [0], threading.Lock(), threading.Event()

    def on_event() -> None:
        with lock:
            arrived[0] += 1
            if point.kind == "event" and arrived[0] == point.number:
                site.kill(point.member)
                is_due.set()

    if point.kind in ("before", "after"):
        site.die_at(point.number, point.kind, point.member)
    with Crowd(people, number, on_event) as crowd:
        last_moment = time.monotonic() + (point.number / 1000 if point.kind == "time" else ROUND)
        while time.monotonic() < last_moment and not is_due.is_set() and site.is_alive(point.member):
            time.sleep(0.002)
        if not is_due.is_set():
            site.kill(point.member)
    return crowd.spoken


def look_back(person: Person, spoken: Sequence[Spoken], point: Point, figures: Figures) -> None:
    """Compare what people said and saw with what is stored now."""
    for one in spoken:
        figures.messages += 1
        try:
            if not one.is_taken:
                # Nobody knows whether it arrived: it is sent again as it was.
                say(person, one)
                figures.repeated += 1
            figures.wrong += [f"{point}: {line}" for line in _lost(person, one, figures)]
        except Exception as trouble:
            figures.wrong.append(f"{point}: {one.text} {type(trouble).__name__}: {trouble}"[:500])


def _lost(person: Person, one: Spoken, figures: Figures) -> list[str]:
    """What is not as promised about one message and its reply. Its reply is continued where it was cut."""
    until(lambda: not person.page(one.conversation).article(one.reply).is_running, "the end of a reply")
    page = person.page(one.conversation)
    article, shown = page.article(one.reply), letters(one.shown.text)
    figures.characters += len(shown)
    figures.ends[article.status] = figures.ends.get(article.status, 0) + 1
    if not letters(article.text).startswith(shown):
        return [f"shown and lost: {one.shown.text[-60:]!r}, kept {article.text[-60:]!r}"]
    if not words(one.count).startswith(article.text):
        return [f"doubled or missing: {article.text[-80:]!r}"]
    if article.status == "complete" and article.text != words(one.count):
        return [f"complete, but not whole: {article.text[-80:]!r}"]
    if article.status == "interrupted" and article.text and page.replies[-1].uuid == one.reply:
        figures.continued += 1
        return _continued(person, one, page)
    return []


def _continued(person: Person, one: Spoken, page: Page) -> list[str]:
    person.press(page, "Continue", within=page.article(one.reply).element)
    until(lambda: not person.page(one.conversation).article(one.reply).is_running, "the end of a continued reply")
    article = person.page(one.conversation).article(one.reply)
    if article.status != "complete" or not article.text.startswith(words(one.count)):
        return [f"continued, but {article.status}: {article.text[-80:]!r}"]
    return []
