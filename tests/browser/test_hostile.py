"""Thousands of hostile texts in every place where a text is shown, with a browser as the judge: nothing of them runs.

A dialog, a step to another page, an element outside of the list or a request that is not one of ours fails a test. So
does, as everywhere here, a complaint of the content security policy or a request to another host.
"""

from playwright.sync_api import expect

from conversations import markup
from tests.browser.conftest import Open, last_reply, log_in, send
from tests.browser.hostile import FOREIGN, TEXTS, Judge, pages_of
from tests.serving import Server
from tests.simulator import Simulator
from tests.unit.test_markup_hostile import ADDRESSES, RAW

MODEL = "aimlapi/google/gemini-2.5-flash"
SHOW = """htmls => { for (const html of htmls) {
    const body = document.createElement('div');
    body.dataset.body = '';
    document.body.append(body);
    body.append(document.createRange().createContextualFragment(html));
} }"""


def test_there_are_two_thousand() -> None:
    assert len(TEXTS) > 2_000


def test_nothing_runs_while_a_reply_arrives_nor_when_it_is_read_again(browse: Open, simulator: Simulator) -> None:
    """Each text sent by a person and said by a model."""
    page = browse()
    log_in(page)
    judge = Judge(page)
    for text in pages_of(TEXTS):
        simulator.script(say=text.replace("\\n", "\\ n"), delay=0)
        page.goto("/")
        send(page, text, model=MODEL)
        last_reply(page)
        assert page.evaluate(FOREIGN) == []
        page.reload()
        last_reply(page)
        page.mouse.move(400, 300)
        assert page.evaluate(FOREIGN) == []
        assert judge.wrong == []


def test_nothing_runs_at_any_point_at_which_a_stream_may_be_cut(browse: Open, server: Server) -> None:
    page = browse()
    page.goto("/accounts/login/")
    judge = Judge(page)
    moments = [
        moment for text in [*RAW, *(f"[a]({one})" for one in ADDRESSES if len(one) < 200)] for moment in cut(text)
    ]
    assert len(moments) > 3_000
    page.evaluate(SHOW, moments)
    expect(page.locator("[data-body]")).to_have_count(len(moments))
    judge.passes(0)


def cut(text: str) -> list[str]:
    """What a page holds after each character of this text."""
    renderer, done, shown = markup.BlockRenderer(), "", []
    for character in text:
        renderer.feed(character)
        done += renderer.take_blocks()
        shown.append(done + renderer.tail())
    return shown


def test_nothing_runs_with_a_hostile_name_on_the_page_of_a_conversation(browse: Open) -> None:
    """The first words of a conversation are its name."""
    page = browse()
    log_in(page)
    judge = Judge(page)
    for title in (
        "</title><script>alert(1)</script>",
        '" onmouseover=alert(1) x="',
        "{{7*7}}<img src=x onerror=alert(1)>",
    ):
        page.goto("/")
        send(page, title, model=MODEL)
        last_reply(page)
        page.reload()
        assert title in page.title()
        assert judge.wrong == []
    without = browse(javascript=False)
    without.context.add_cookies(page.context.cookies())  # type: ignore[arg-type]
    without.goto(page.url)
    assert title in without.title()
