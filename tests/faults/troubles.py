"""The proof of the faults upstream: whatever a provider does, the reply ends, keeps its text and can be had anew."""

import time
import uuid
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from tests.faults.bodies import WRONG
from tests.faults.place import ALL, TEXT
from tests.faults.site import KEY, MODEL, Memory, Site, in_another_thread, logged_in
from tests.faults.upstream import FAULTS, Case, Upstream
from tests.live.browserless import Person
from tests.live.forms import Form
from tests.live.pages import Article, Page, letters

ENDED = ("complete", "failed", "interrupted")


@dataclass
class Figures:
    """What came out. `wrong`: a line for each thing that is not as promised; times in seconds, memory in bytes.

    `memory`: the most that was used beyond what was used before; `kept`: what of all that was not given back.
    """

    cases: int = 0
    retries: int = 0
    longest: float = 0.0
    memory: int = 0
    kept: int = 0
    wrong: list[str] = field(default_factory=list)
    ends: dict[str, int] = field(default_factory=dict)


def cases(places: Iterable[int] = range(len(ALL))) -> list[Case]:
    return [Case(number, place) for number in range(len(FAULTS)) for place in places]


def a_quarter() -> list[Case]:
    """Every fault at one of the places in turn; of the heavy ones every third."""
    heavy = [number for number, fault in enumerate(FAULTS) if fault.is_heavy]
    left_out = set(heavy) - set(heavy[::3])
    return [Case(number, number % len(ALL)) for number in range(len(FAULTS)) if number not in left_out]


def prove(site: Site, upstream: Upstream, chosen: Sequence[Case], *, at_once: int, deadline: float) -> Figures:
    """Ask for each case. `deadline`: seconds in which each reply must have ended."""
    figures, alice = Figures(), logged_in(site.url, "alice", timeout=deadline)

    composer = alice.page().form_with("text")

    def ask(case: Case) -> None:
        _ask(in_another_thread(alice), composer, upstream, case, deadline, figures)

    # What is heavy comes alone, so that its memory can be told.
    light = [case for case in chosen if not case.fault.is_heavy]
    start = before = Memory(site)
    with ThreadPoolExecutor(at_once) as threads:
        list(threads.map(ask, light))
    figures.memory = before.grown
    for case in chosen:
        if case.fault.is_heavy:
            before = Memory(site)
            ask(case)
            if before.grown > figures.memory:
                figures.memory = before.grown
            if before.grown > 64 << 20:
                figures.wrong.append(f"{case}: {before.grown >> 20} MiB more")
    figures.kept = start.kept
    if upstream.was_led_astray:
        figures.wrong.append("a redirect was followed")
    return figures


def _ask(person: Person, composer: Form, upstream: Upstream, case: Case, deadline: float, figures: Figures) -> None:
    begun = time.monotonic()
    try:
        typed = {"text": case.question, "model": MODEL, "key": uuid.uuid4().hex}
        sent = person.submit(composer, typed, htmx=True)
        person.follow(sent.reply_uuid, reconnect=True, deadline=deadline)
        page = person.page(sent.conversation_uuid)
        figures.longest = max(figures.longest, time.monotonic() - begun)
        upstream.mend(case)
        figures.wrong += [f"{case}: {line}" for line in _wrong(page, case)]
        figures.cases += 1
        status = page.replies[-1].status
        figures.ends[status] = figures.ends.get(status, 0) + 1
        if status != "complete":
            figures.wrong += [f"{case}: {line}" for line in _wrong_again(person, page, deadline)]
            figures.retries += 1
    except Exception as trouble:
        figures.wrong.append(f"{case}: {type(trouble).__name__}: {trouble}"[:500])


def _wrong(page: Page, case: Case) -> Iterable[str]:
    """What is not as promised about a reply that met its fault."""
    article = page.replies[-1]
    if article.status not in ENDED:
        yield f"still {article.status}"
    if case.fault.keeps and not letters(article.text).startswith(letters(case.place.text)):
        yield f"the text so far is lost: {article.text[:80]!r}"
    if WRONG in article.text and case.place.is_in_body:  # in front of the reply it is the reply
        yield "the text of another reply"
    if KEY in page.html:
        yield "the key is on the page"
    if article.status != "complete":
        yield from unexplained(page, article)


def unexplained(page: Page, article: Article) -> Iterable[str]:
    """What is missing from an article that did not end well."""
    if not article.error or len(article.error.text) < 20 or not article.error.code:
        yield f"no plain sentence: {article.error}"
    elif article.error.text not in page.alerts:
        yield "a sentence that is not announced"
    try:
        page.button("Retry", article.element)
    except LookupError:
        yield "no way to try again"


def _wrong_again(person: Person, page: Page, deadline: float) -> Iterable[str]:
    """What is not as promised about the next try, which meets no fault."""
    retried = person.press(page, "Retry", within=page.replies[-1].element, htmx=True)
    article = person.follow(retried.reply_uuid, reconnect=True, deadline=deadline).final
    if article is None or (article.status, letters(article.text)) != ("complete", letters(TEXT)):
        yield f"the next try is {article.status if article else 'nowhere'}"
