"""The proof of the repeated sends: whatever became of the answer, the same key makes one message and one bill."""

import contextlib
import random
import uuid
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from urllib.parse import urlsplit, urlunsplit

from tests.faults.crash import DOWN
from tests.faults.proxy import How, Plan, Proxy
from tests.faults.site import MODEL, Site, in_another_thread, logged_in
from tests.live.browserless import Person
from tests.live.forms import Upload
from tests.live.pages import Page
from tests.services.photographs import photograph
from tests.serving import until
from tests.simulator import Simulator

LOSSES: tuple[How, ...] = ("close", "reset", "freeze", "orphan", "deaf")
TIMES = 3  # sends of one message through a connection that breaks, before the one that is answered
SIMULTANEOUS = 6
SILENCE = 1.0  # seconds
RUNNING = "SELECT id FROM conversations_message WHERE status IN ('pending', 'streaming', 'waiting')"


@dataclass
class Figures:
    """What came out. `sends`: requests for `messages` messages; `answers_lost`: those that got no answer."""

    messages: int = 0
    sends: int = 0
    answers_lost: int = 0
    wrong: list[str] = field(default_factory=list)

    def told(self) -> list[str]:
        return [f"{self.sends} sends, {self.answers_lost} without an answer: {self.messages} messages, as many bills"]


@dataclass(frozen=True, slots=True)
class Case:
    """A way to send: what breaks, and whether into a conversation, with a picture, with a script."""

    how: How
    continues: bool
    has_picture: bool
    htmx: bool


def cases(count: int) -> list[Case]:
    chance = random.Random(5)
    return [
        Case(LOSSES[at % len(LOSSES)], chance.random() < 0.5, chance.random() < 0.3, chance.random() < 0.5)
        for at in range(count)
    ]


@dataclass(frozen=True, slots=True)
class Message:
    """What is sent again and again, and the page it is sent from."""

    number: int
    page: Page
    key: str
    images: list[Upload]
    htmx: bool

    def send(self, person: Person, url: str) -> int:
        """The status of the answer, 0 where there is none. `url`: where the site is reached."""
        scheme, host = urlsplit(url)[:2]
        here = Page(urlunsplit((scheme, host, *urlsplit(self.page.url)[2:])), self.page.status_code, self.page.html)
        text = f"message-{self.number}. [[say:Answer {self.number}.]]"
        typed = {"text": text, "model": MODEL, "key": self.key}
        with contextlib.suppress(*DOWN):
            return person.submit(here.form_with("text"), typed, {"images": self.images}, htmx=self.htmx).status_code
        return 0


def prove(site: Site, simulator: Simulator, chosen: Sequence[Case]) -> Figures:
    """Send each message several times through broken connections, then several times at once."""
    figures, chance = Figures(), random.Random(9)
    alice = logged_in(site.url, "alice")
    talk = alice.send("[[say:Hello.]]", model=MODEL).conversation_uuid
    for number, case in enumerate(chosen):
        page = alice.page(talk if case.continues else None)
        images: list[Upload] = [("p.jpg", photograph(48, 32, seed=number), "image/jpeg")] if case.has_picture else []
        message = Message(number, page, uuid.uuid4().hex, images, case.htmx)
        answers = _through_breaks(site, alice, message, case.how, chance)
        figures.answers_lost += answers.count(0)
        at_once = _at_once(site, alice, message)
        if set(at_once) - {200, 302, 303}:
            figures.wrong.append(f"{case}: answered by {at_once}")
        figures.messages, figures.sends = figures.messages + 1, figures.sends + len(answers) + len(at_once)
        until(lambda: not site.rows(RUNNING), "the end of the replies")
        figures.wrong += [f"{case}: {line}" for line in _wrong(site, simulator, message)]
    return figures


def _through_breaks(site: Site, alice: Person, message: Message, how: How, chance: random.Random) -> list[int]:
    """Breaks in the request somewhere, or anywhere from the first byte of its answer on."""
    most = 4000 if how == "deaf" else 40
    with Proxy(site.url, lambda _first: Plan(how, after=chance.randint(1, most))) as proxy:
        return [message.send(_by_way_of(proxy, alice), proxy.url) for _ in range(TIMES)]


def _at_once(site: Site, alice: Person, message: Message) -> list[int]:
    twins = [in_another_thread(alice) for _ in range(SIMULTANEOUS)]
    with ThreadPoolExecutor(SIMULTANEOUS) as threads:
        return list(threads.map(lambda twin: message.send(twin, site.url), twins))


def _by_way_of(proxy: Proxy, person: Person) -> Person:
    twin = Person(proxy.url, timeout=SILENCE)
    twin.session.cookies.update(person.session.cookies)
    return twin


def _wrong(site: Site, simulator: Simulator, message: Message) -> list[str]:
    """What is not once about this message."""
    mine = f"(SELECT id FROM conversations_message WHERE key = '{message.key}')"
    counts = {
        "messages": len(site.rows(mine[1:-1])),
        "replies": len(site.rows(f"SELECT id FROM conversations_message WHERE parent_id IN {mine}")),
        "bills": len(
            site.rows(
                "SELECT c.id FROM conversations_providercall c JOIN conversations_message r ON r.id = c.message_id"
                f" WHERE r.parent_id IN {mine}"
            )
        ),
    }
    found = [f"{count} {what}" for what, count in counts.items() if count != 1]
    asked = [one for one in simulator.requests if _last_words(one.body).startswith(f"message-{message.number}.")]
    return found + ([f"the provider was asked {len(asked)} times"] if len(asked) != 1 else [])


def _last_words(body: object) -> str:
    """What the person said last, in a request to the provider."""
    assert isinstance(body, dict)
    content = body["messages"][-1]["content"]
    return str(content if isinstance(content, str) else content[0]["text"])
