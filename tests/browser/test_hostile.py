"""Thousands of hostile texts in every place where a text is shown, with a browser as the judge: nothing of them runs.

A dialog, a step to another page, an element outside of the list or a request that is not one of ours fails a test. So
does, as everywhere here, a complaint of the content security policy or a request to another host.
"""

import json
import re
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Open, last_reply, log_in, send
from tests.live.browserless import Person
from tests.serving import PASSWORD, Server
from tests.simulator import Simulator
from tests.unit.test_markup_hostile import CORPUS

MODEL = "aimlapi/google/gemini-2.5-flash"
UNSENDABLE = re.compile("[\x00\ud800-\udfff]")  # no form takes them
TEXTS = list(dict.fromkeys(UNSENDABLE.sub("?", one) for one in CORPUS if len(one) < 5_000 and "[[" not in one))
ON_ONE_PAGE = 450
OURS = re.compile(
    r"/(static/.*|c/recent/.*|c/[0-9a-f-]{36}/|c/|replies/[0-9a-f-]{36}/events/|manifest.webmanifest|favicon.ico)?"
)
FOREIGN = """[...document.querySelectorAll('[data-body] *')].filter(one =>
    !one.matches('button.copy[data-module=actions], button.copy *, a.csv[href^="/messages/"], .csv *')).filter(one =>
    one.matches('script,iframe,img,svg,form,input,object,embed,style,link,meta,base,video,audio,template,button')
    || [...one.attributes].some(({name}) => /^(on|hx-|data-hx|sse-|style$|id$|name$|src)/.test(name))
    || (one.matches('a') && !/^(https?|mailto):/.test(one.getAttribute('href')))).map(one => one.outerHTML)"""
OLDER = re.compile(r'href="\?before=([^"]+)"')
STORE = """
from conversations.models import Conversation, User
from django.utils import timezone
import json, pathlib
alice = User.objects.get(username="alice")
titles = json.loads(pathlib.Path({path!r}).read_text())
made = [Conversation(owner=alice, model={model!r}, title=one[:100], active_at=timezone.now()) for one in titles]
Conversation.objects.bulk_create(made)
"""


class Judge:
    """What happened in a page that should not have."""

    def __init__(self, page: Page) -> None:
        self.page, self.wrong, self.steps = page, list[str](), 0
        page.on("dialog", self._dismiss)
        page.on("request", lambda request: self._look(request.url))
        page.on("framenavigated", lambda _frame: self._step())
        page.on("popup", lambda popup: self.wrong.append(f"a window: {popup.url}"))

    def _dismiss(self, dialog: object) -> None:
        self.wrong.append("a dialog")
        dialog.dismiss()  # type: ignore[attr-defined]

    def _look(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme in ("http", "https") and not OURS.fullmatch(parts.path):
            self.wrong.append(url)

    def _step(self) -> None:
        self.steps += 1

    def passes(self, steps: int) -> None:
        """`steps`: how often we went somewhere ourselves."""
        assert self.wrong == []
        assert self.steps == steps
        assert self.page.evaluate(FOREIGN) == []
        assert self.page.evaluate("Object.keys(window).filter(name => /^(hit|pwned|xss)/i.test(name))") == []


def pages_of(texts: list[str]) -> list[str]:
    return ["\n\n".join(texts[start : start + ON_ONE_PAGE]) for start in range(0, len(texts), ON_ONE_PAGE)]


def told(simulator: Simulator, text: str) -> None:
    simulator.script(say=text.replace("\\n", "\\ n"), delay=0)


def test_there_are_two_thousand() -> None:
    assert len(TEXTS) > 2_000


def test_nothing_runs_in_messages_of_people_and_of_models(browse: Open, server: Server, simulator: Simulator) -> None:
    alice, page = Person(server.url), browse()
    alice.log_in("alice", PASSWORD)
    log_in(page)
    judge = Judge(page)
    for number, text in enumerate(pages_of(TEXTS), start=1):
        told(simulator, text)
        sent = alice.send(text, model=MODEL)
        assert alice.follow(sent.reply_uuid, reconnect=True).ending == "final"
        page.goto(f"/c/{sent.conversation_uuid}/")
        expect(page.locator("article[data-role=assistant][data-status=complete]")).to_have_count(1)
        page.mouse.move(400, 300)
        judge.passes(number)


def test_nothing_runs_while_a_reply_arrives(browse: Open, simulator: Simulator) -> None:
    page = browse()
    log_in(page)
    judge = Judge(page)
    for number, text in enumerate(pages_of(TEXTS[::8]), start=1):
        told(simulator, text)
        send(page, f"number {number}", model=MODEL)
        last_reply(page, count=number)
        assert page.evaluate(FOREIGN) == []
    assert judge.wrong == []


def test_nothing_runs_in_titles(browse: Open, server: Server) -> None:
    titles = server.data / "titles.json"
    titles.write_text(json.dumps([" ".join(text.split()) for text in TEXTS[::10]]))
    server.manage("shell", "-v0", "-c", STORE.format(path=str(titles), model=MODEL))
    alice, page = Person(server.url), browse()
    alice.log_in("alice", PASSWORD)
    log_in(page)
    judge, steps, shown, address = Judge(page), 0, 0, "/c/"
    while address:
        page.goto(address)
        listed = alice.session.get(server.url + address, timeout=60).text
        steps, shown = steps + 1, shown + listed.count('href="/c/')
        judge.passes(steps)
        older = OLDER.search(listed)
        address = f"/c/?before={older[1]}" if older else ""
    assert shown >= len(TEXTS[::10])


@pytest.mark.parametrize("javascript", [True, False])
def test_a_hostile_name_of_a_conversation_is_the_title_of_its_page(
    browse: Open, server: Server, javascript: bool
) -> None:
    alice, page = Person(server.url), browse(javascript=javascript)
    alice.log_in("alice", PASSWORD)
    for title in (
        "</title><script>alert(1)</script>",
        '" onmouseover=alert(1) x="',
        "{{7*7}}<img src=x onerror=alert(1)>",
    ):
        sent = alice.send(title, model=MODEL)
        alice.follow(sent.reply_uuid, reconnect=True)
        if title == "</title><script>alert(1)</script>":
            log_in(page)
            judge = Judge(page)
        page.goto(f"/c/{sent.conversation_uuid}/")
        assert title in page.title()
        assert judge.wrong == []
