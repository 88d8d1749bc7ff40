"""The same proof through the faults that the providers document or are known for, as the simulator plays them."""

import uuid
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor

from tests.faults.site import KEY, MODEL, Memory, Site, in_another_thread, logged_in
from tests.faults.troubles import ENDED, Figures, unexplained
from tests.live.browserless import Person
from tests.live.forms import Form
from tests.simulator.faults import FAULTS

MODELS = (MODEL, "segmind/gemini-1.5-pro", "segmind/gemini-2.5-flash")


def cases(every: int = 1) -> list[tuple[str, str]]:
    """Each fault with each model, or one in so many of those."""
    return [(fault, model) for fault in FAULTS for model in MODELS][::every]


def prove(site: Site, chosen: Sequence[tuple[str, str]], *, at_once: int, deadline: float) -> Figures:
    figures, alice = Figures(), logged_in(site.url, "alice", timeout=deadline)
    composer, memory = alice.page().form_with("text"), Memory(site)

    def ask(case: tuple[str, str]) -> None:
        try:
            found = _wrong(in_another_thread(alice), composer, case, deadline, figures)
            figures.wrong += [f"{case}: {line}" for line in found]
        except Exception as trouble:
            figures.wrong.append(f"{case}: {type(trouble).__name__}: {trouble}"[:500])

    with ThreadPoolExecutor(at_once) as threads:
        list(threads.map(ask, chosen))
    figures.memory, figures.kept = memory.grown, memory.kept
    return figures


def _wrong(person: Person, composer: Form, case: tuple[str, str], deadline: float, figures: Figures) -> Iterable[str]:
    """What is not as promised: the fault strikes at the first try, the next is answered well."""
    fault, model = case
    typed = {"text": f"[[once:{fault}]] [[tokens:9]] {uuid.uuid4().hex}", "model": model, "key": uuid.uuid4().hex}
    sent = person.submit(composer, typed, htmx=True)
    person.follow(sent.reply_uuid, reconnect=True, deadline=deadline)
    page = person.page(sent.conversation_uuid)
    article = page.replies[-1]
    figures.cases += 1
    figures.ends[article.status] = figures.ends.get(article.status, 0) + 1
    if article.status not in ENDED:
        yield f"still {article.status}"
    if KEY in page.html:
        yield "the key is on the page"
    if article.status != "complete":
        yield from unexplained(page, article)
        retried = person.press(page, "Retry", within=article.element, htmx=True)
        final = person.follow(retried.reply_uuid, reconnect=True, deadline=deadline).final
        figures.retries += 1
        if final is None or final.status != "complete":
            yield f"the next try is {final.status if final else 'nowhere'}"
