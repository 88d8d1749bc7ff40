"""The proof of the kills: people chat, the server is killed, and after its restart nothing they saw is missing."""

import contextlib
import random
import threading
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import requests

from tests.faults import death, invariants
from tests.faults.site import MODEL, Site, in_another_thread
from tests.faults.stillness import Stopwatch
from tests.live.browserless import Person, Refused, Sent
from tests.live.eventstream import ServerEvent
from tests.live.forms import Upload
from tests.live.pages import Page, letters
from tests.live.transcript import Transcript
from tests.services.photographs import photograph
from tests.serving import until

SETTLED_WITHIN = 90.0  # seconds after the restart
STEPS = 4  # pieces in which half a second of text must come; of what is only stored, one a second is told
ROUND = 4.0  # seconds after which a server that did not reach its point is killed all the same
PATIENCE = 5.0  # seconds without a word after which people who stay try anew
DOWN = (requests.RequestException, Refused, LookupError, TimeoutError)
AGAIN = 0.2  # seconds until somebody whom a part of the site failed goes on


@dataclass(frozen=True, slots=True)
class Point:
    """When to kill: `kind` is one of death.KINDS, "event" received by a client, or "time".

    `number` counts from the beginning of a round, from 1; of "time" it is milliseconds.
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

    def add(self, other: "Figures") -> None:
        for mine, more in ((self.kills, other.kills), (self.ends, other.ends)):
            for name, count in more.items():
                mine[name] = mine.get(name, 0) + count
        for name in ("messages", "repeated", "characters", "continued"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.slowest = max(self.slowest, other.slowest)
        self.wrong += other.wrong

    def told(self) -> list[str]:
        killed = ", ".join(f"{count} {kind}" for kind, count in sorted(self.kills.items()))
        ends = ", ".join(f"{count} {status}" for status, count in sorted(self.ends.items()))
        return [
            f"{sum(self.kills.values())} kills: {killed}",
            f"{self.messages} messages, {self.repeated} sent again with their key; {ends}",
            f"{self.characters} characters seen, continued {self.continued}, settled within {self.slowest:.1f} s",
        ]


def words(count: int) -> str:
    return " ".join(f"w{number}" for number in range(1, count + 1))


def points(each: int, members: Sequence[str], kinds: Sequence[str] = ("before", "after")) -> list[Point]:
    """So many of each kind, of events and of times, shuffled, for each member in turn."""
    chance = random.Random(11)
    found = [Point(kind, 1 + number % 60) for kind in (*kinds, "event") for number in range(each)]
    found += [Point("time", chance.randint(1, 1500)) for _ in range(each)]
    chance.shuffle(found)
    return [Point(one.kind, one.number, members[at % len(members)]) for at, one in enumerate(found)]


class Crowd:
    """Some people who chat until the server is gone; `on_event` is called for each event that reaches one of them.

    `stays`: they go on when a part of the site has failed them, and come back to streams that broke.
    """

    def __init__(self, people: Sequence[Person], seed: int, on_event: Callable[[], None], *, stays: bool) -> None:
        self.spoken: list[Spoken] = []
        self.logged_out = 0
        self._on_event, self._stays = on_event, stays
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
        person.timeout = PATIENCE if self._stays else person.timeout
        while not self._over.is_set():
            try:
                conversation = self._say_and_listen(person, chance, conversation)
            except DOWN:
                if not self._stays:
                    return
                self._over.wait(AGAIN)
                with contextlib.suppress(*DOWN):
                    self.logged_out += "/accounts/login" in person.page().url

    def _say_and_listen(self, person: Person, chance: random.Random, conversation: str) -> str:
        """The conversation in which to go on, or none."""
        count = chance.choice((8, 60, 300))
        key = uuid.uuid4().hex
        text = f"{key} [[tokens:{count}]] [[delay:{chance.choice((0, 2, 5))}]]"
        spoken = Spoken(key, text, count, form=conversation)
        if chance.random() < 0.2:
            picture = photograph(64, 48, seed=chance.randrange(1 << 30))
            spoken.picture = ("photo.jpg", picture, "image/jpeg")
        self.spoken.append(spoken)
        say(person, spoken)
        if chance.random() < 0.15:
            person.stop(spoken.conversation)
        self._listen(person, spoken)
        return chance.choice((spoken.conversation, ""))

    def _listen(self, person: Person, spoken: Spoken) -> None:
        """Until the end of the reply; whoever stays comes back to it until everything is over."""
        shown = spoken.shown
        person.follow(spoken.reply, into=shown, leave=self._leaves)
        while self._stays and not shown.is_over and not self._over.wait(AGAIN):
            last = "" if shown.ending == "refused" else shown.last_event_id
            person.follow(spoken.reply, last or None, into=shown, leave=self._leaves)

    def _leaves(self, _event: ServerEvent, _shown: Transcript) -> bool:
        self._on_event()
        return self._over.is_set()


def say(person: Person, spoken: Spoken) -> Sent:
    """Send it, for the first time or again. Raises one of DOWN where the server does not take it."""
    images = [spoken.picture] if spoken.picture else []
    sent = person.send(spoken.text, spoken.form or None, images=images, model=MODEL, key=spoken.key)
    if sent.status_code not in (200, 303):
        raise Refused(f"{sent.status_code}: {sent.page.text[:300]}")
    spoken.is_taken = True
    spoken.conversation = sent.conversation_uuid
    spoken.reply = _answer(sent, spoken.key)
    return sent


def _answer(sent: Sent, key: str) -> str:
    """The reply to this message, which need not be the last: one that is sent again may have others behind it."""
    articles = sent.page.articles
    asked = next((at for at, article in enumerate(articles) if key in article.text), None)
    return sent.reply_uuid if asked is None else articles[asked + 1].uuid


def prove(site: Site, people: Sequence[Person], chosen: Sequence[Point], *, seed: int = 0) -> Figures:
    """Kill a running site at each of these points. `seed`: what people say."""
    figures = Figures()
    for number, point in enumerate(chosen, seed):
        spoken = _killed(site, people, point, number, figures)
        site.die_at(0, "", point.member)
        figures.kills[point.kind] = figures.kills.get(point.kind, 0) + 1
        site.start()
        watch = Stopwatch()
        if not watch.until(lambda: not site.rows(invariants.UNSETTLED), SETTLED_WITHIN):
            figures.wrong.append(f"{point}: not settled: {site.rows(invariants.UNSETTLED)}")
        figures.slowest = max(figures.slowest, watch.seconds)
        figures.wrong += [f"{point}: {line}" for line in invariants.broken(site)]
        look_back(people[0], spoken, point, figures)
        figures.wrong += [f"{point}: {line}" for line in _still_broken(people[0])]
    return figures


def _still_broken(person: Person) -> list[str]:
    """Whether a reply comes as ever, piece by piece, within half a minute."""
    pieces, deadline = 0, time.monotonic() + SETTLED_WITHIN
    while pieces < STEPS:
        if time.monotonic() > deadline:
            return [f"a reply came in {pieces} pieces"]
        sent = person.send("[[tokens:60]] [[delay:10]]", model=MODEL)
        shown = person.follow(sent.reply_uuid, reconnect=True)
        if shown.text != words(60):
            return [f"a reply afterwards: {shown.text[-60:]!r}"]
        pieces = sum(name in ("more", "tail") for name in shown.names)
    return []


def _killed(site: Site, people: Sequence[Person], point: Point, number: int, figures: Figures) -> list[Spoken]:
    """Let people chat until the server is gone; what they said and saw."""
    arrived, lock, is_due = [0], threading.Lock(), threading.Event()

    def on_event() -> None:
        with lock:
            arrived[0] += 1
            if point.kind == "event" and arrived[0] == point.number:
                site.kill(point.member)
                is_due.set()

    if point.kind in death.KINDS:
        site.die_at(point.number, point.kind, point.member)
    with Crowd(people, number, on_event, stays=site.aftermath > 0) as crowd:
        last_moment = time.monotonic() + (point.number / 1000 if point.kind == "time" else ROUND)
        while time.monotonic() < last_moment and not is_due.is_set() and site.is_alive(point.member):
            time.sleep(0.002)
        if not is_due.is_set():
            site.kill(point.member)
        time.sleep(site.aftermath)
    figures.wrong += [f"{point}: logged out"] * crowd.logged_out
    return crowd.spoken


def look_back(person: Person, spoken: Sequence[Spoken], point: Point, figures: Figures) -> None:
    """Compare what people said and saw with what is stored now."""
    for one in spoken:
        figures.messages += 1
        try:
            figures.wrong += [f"{point}: {line}" for line in _looked_back(person, one, figures)]
        except Exception as trouble:
            figures.wrong.append(f"{point}: {one.text} {type(trouble).__name__}: {trouble}"[:500])


def _looked_back(person: Person, one: Spoken, figures: Figures) -> list[str]:
    if one.is_taken and not _is_there(person, one):
        return [f"taken and lost: {one.text}"]
    if not one.reply:
        # Nobody knows whether it arrived, or who answers: it is sent again as it was.
        say(person, one)
        figures.repeated += 1
    return _lost(person, one, figures)


def _is_there(person: Person, one: Spoken) -> bool:
    return any(one.key in article.text for article in person.page(one.conversation).articles)


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
