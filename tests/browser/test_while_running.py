"""While a reply runs, and when it ended too early: continue it, write the next message, take that back."""

import pytest
from playwright.sync_api import Error, Page, Route, ViewportSize, expect

from tests.browser.assistive import complaints
from tests.browser.conftest import DESKTOP, PHONE, Open, Watch, last_reply, log_in, send
from tests.serving import Server, until
from tests.simulator import Simulator

FLASH = "aimlapi/google/gemini-2.5-flash"
SIZES = pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
EITHER_WAY = pytest.mark.parametrize("javascript", [True, False], ids=["htmx", "plain"])


def words(count: int, first: int = 1) -> str:
    return " ".join(f"w{number}" for number in range(first, count + 1))


def send_meanwhile(page: Page, text: str, *, javascript: bool = True) -> None:
    """Send while a reply is written; without JavaScript on a page that does not load itself anew."""
    if not javascript:
        page.get_by_role("link", name="Write the next message").click()
        expect(page.get_by_role("link", name="Follow the reply")).to_be_visible()
    send(page, text)
    waiting(page)


def started(page: Page, text: str = "[[tokens:40]] [[hold:20]]") -> None:
    """A reply that stands still in the middle of its text."""
    log_in(page)
    send(page, text, model=FLASH)
    expect(page.locator("[data-body]").last).to_contain_text("w20")


def waiting(page: Page) -> None:
    expect(page.locator("article").last).to_have_attribute("data-status", "waiting")
    expect(page.get_by_text("Waiting to be sent")).to_be_visible()


@EITHER_WAY
@SIZES
def test_a_stopped_reply_goes_on_where_it_ended(browse: Open, javascript: bool, size: ViewportSize) -> None:
    page = browse(javascript=javascript, size=size)
    started(page)
    page.get_by_role("button", name="Stop").click()
    last_reply(page, "stopped")
    page.get_by_role("button", name="Continue").click()
    expect(last_reply(page)).to_have_text(words(40))
    expect(page.get_by_role("button", name="Continue")).to_have_count(0)


def test_the_text_stands_all_the_time_while_it_is_continued(browse: Open, simulator: Simulator) -> None:
    page = browse()
    started(page)
    page.get_by_role("button", name="Stop").click()
    last_reply(page, "stopped")
    simulator.hold()
    page.get_by_role("button", name="Continue").click()
    assert simulator.wait_held()
    expect(page.locator("article[data-role=assistant] [data-body]")).to_have_text(words(20))
    page.reload()
    expect(page.locator("article[data-role=assistant] [data-body]")).to_have_text(words(20))
    simulator.release()
    expect(last_reply(page)).to_have_text(words(40))


def test_only_the_last_reply_offers_to_go_on(browse: Open) -> None:
    page = browse()
    started(page)
    page.get_by_role("button", name="Stop").click()
    last_reply(page, "stopped")
    send(page, "Something else")
    last_reply(page, count=2)
    expect(page.get_by_role("button", name="Continue")).to_be_hidden()


@EITHER_WAY
@SIZES
def test_the_next_message_is_sent_when_the_reply_ends(
    browse: Open, simulator: Simulator, javascript: bool, size: ViewportSize
) -> None:
    page = browse(javascript=javascript, size=size)
    started(page)
    send_meanwhile(page, "[[tokens:7]]", javascript=javascript)
    expect(page.get_by_role("textbox", name="Message")).to_have_value("")
    expect(page.get_by_role("button", name="Send now")).to_be_hidden()
    assert simulator.wait_held()
    simulator.release()
    expect(last_reply(page, count=2)).to_have_text(words(7))
    expect(page.get_by_text("Waiting to be sent")).to_have_count(0)
    expect(page.locator("article")).to_have_count(4)


@EITHER_WAY
def test_a_withdrawn_message_is_in_the_composer_again(browse: Open, simulator: Simulator, javascript: bool) -> None:
    page = browse(javascript=javascript)
    started(page)
    send_meanwhile(page, "Not so <soon>\nafter all", javascript=javascript)
    if javascript:
        page.get_by_role("textbox", name="Message").fill("And more")
    page.get_by_role("button", name="Withdraw").click()
    expect(page.get_by_text("Waiting to be sent")).to_have_count(0)
    expect(page.get_by_role("textbox", name="Message")).to_have_value(
        "Not so <soon>\nafter all" + ("\n\nAnd more" if javascript else "")
    )
    assert simulator.wait_held()
    simulator.release()
    if javascript:
        expect(last_reply(page)).to_have_text(words(40))


def test_nothing_can_be_typed_that_a_withdrawn_message_would_replace(browse: Open) -> None:
    page = browse()
    started(page)
    send_meanwhile(page, "After all")
    under_way: list[Route] = []
    page.route("**/withdraw/", lambda route: under_way.append(route))
    box = page.get_by_role("textbox", name="Message")
    box.fill("And more")
    page.get_by_role("button", name="Withdraw").click()
    expect(box).to_be_disabled()
    until(lambda: bool(page.evaluate("true") and under_way), "the request")  # asking lets Playwright tell of it
    under_way[0].continue_()
    expect(box).to_be_enabled()
    expect(box).to_have_value("After all\n\nAnd more")


def test_a_second_waiting_message_is_refused_and_its_text_stays(browse: Open, watch: Watch) -> None:
    watch.allowed = ["status of 409", "Error Code 409"]
    page = browse()
    started(page)
    send(page, "One")
    waiting(page)
    send(page, "Two")
    expect(page.get_by_role("alert")).to_contain_text("waiting to be sent already")
    expect(page.get_by_role("textbox", name="Message")).to_have_value("Two")


def come_back(page: Page, address: str) -> None:
    """A page without scripts loads itself anew while a reply runs, which breaks off what else is being loaded."""
    for attempt in range(5):
        try:
            page.goto(address)
            return
        except Error as error:
            if attempt == 4 or "ERR_ABORTED" not in str(error):
                raise


@EITHER_WAY
def test_behind_a_failed_reply_the_message_waits_for_a_hand(
    browse: Open, simulator: Simulator, server: Server, watch: Watch, javascript: bool
) -> None:
    watch.allowed = ["net::ERR", "Failed to load resource", "[object Event]"]
    page = browse(javascript=javascript)
    started(page)
    send_meanwhile(page, "[[tokens:7]]", javascript=javascript)
    address = page.url
    server.kill()
    server.start()
    if not javascript:
        come_back(page, address)
    last_reply(page, "interrupted")
    waiting(page)
    page.get_by_role("button", name="Send now").click()
    expect(last_reply(page, count=2)).to_have_text(words(7))


def test_a_retry_takes_the_waiting_message_along(
    browse: Open, simulator: Simulator, server: Server, watch: Watch
) -> None:
    watch.allowed = ["net::ERR", "Failed to load resource", "[object Event]"]
    page = browse()
    started(page)
    send(page, "[[tokens:7]]")
    waiting(page)
    server.kill()
    server.start()
    last_reply(page, "interrupted")
    page.get_by_role("button", name="Retry").click()
    assert simulator.wait_held()
    expect(page.get_by_role("button", name="Send now")).to_be_hidden()
    simulator.release()
    expect(last_reply(page, count=2)).to_have_text(words(7))


@SIZES
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_assistive_technology_finds_nothing_to_complain_about(
    browse: Open, simulator: Simulator, size: ViewportSize, scheme: str
) -> None:
    page = browse(size=size, color_scheme=scheme)
    started(page)
    send(page, "And then?")
    waiting(page)
    assert complaints(page) == []
    page.get_by_role("button", name="Withdraw").click()
    expect(page.get_by_text("Waiting to be sent")).to_have_count(0)
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_role("button", name="Continue")).to_be_visible()
    assert complaints(page) == []
    assert not page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")


def compare(page: Page, text: str, *labels: str) -> None:
    """Send a text to the chosen model and to these."""
    page.get_by_role("combobox", name="Model").select_option(FLASH)
    page.get_by_role("button", name="Compare", exact=True).click()
    for label in labels:
        page.get_by_role("checkbox", name=label, exact=True).check()
    page.keyboard.press("Escape")
    page.get_by_role("textbox", name="Message").fill(text)
    page.get_by_role("button", name="Send").click()


@EITHER_WAY
@SIZES
def test_two_models_are_compared_and_one_is_picked(
    browse: Open, simulator: Simulator, javascript: bool, size: ViewportSize
) -> None:
    page = browse(javascript=javascript, size=size)
    log_in(page)
    compare(page, "[[tokens:30]] [[hold:10]]", "Gemini 1.5 Pro (Segmind)")
    replies = page.locator(".columns article")
    expect(replies).to_have_count(2)
    expect(replies.first.locator("[data-body]")).to_contain_text("w10")
    assert simulator.wait_held(2)
    simulator.release()
    for number in (0, 1):
        expect(replies.nth(number)).to_have_attribute("data-status", "complete")
        expect(replies.nth(number).locator("[data-body]")).to_have_text(words(30))
    left, right = (replies.nth(number).bounding_box() for number in (0, 1))
    assert left
    assert right
    assert (right["x"] > left["x"]) is (size == DESKTOP)
    assert (right["y"] > left["y"]) is (size == PHONE)
    chosen = replies.nth(1).get_attribute("data-message")
    replies.nth(1).get_by_role("button", name="Go on with this one").click()
    expect(page.locator("article[data-role=assistant]")).to_have_count(1)
    expect(page.locator("article[data-role=assistant]")).to_have_attribute("data-message", str(chosen))
    send(page, "And then?")
    last_reply(page, count=2)


def test_sending_on_without_a_pick_leaves_the_first_reply(browse: Open) -> None:
    page = browse()
    log_in(page)
    compare(page, "Hello", "Gemini 1.5 Pro (Segmind)")
    expect(page.get_by_role("button", name="Go on with this one")).to_have_count(2)
    send(page, "And then?")
    last_reply(page, count=2)
    expect(page.locator(".columns")).to_have_count(0)
    page.get_by_role("button", name="Compare", exact=True).click()
    expect(page.locator("input[name=compare]:checked")).to_have_count(0)


@SIZES
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_assistive_technology_finds_nothing_to_complain_about_in_columns(
    browse: Open, simulator: Simulator, size: ViewportSize, scheme: str
) -> None:
    page = browse(size=size, color_scheme=scheme)
    log_in(page)
    page.get_by_role("button", name="Compare", exact=True).click()
    assert complaints(page) == []
    page.keyboard.press("Escape")
    compare(page, "[[tokens:300]] [[hold:10]]", "Gemini 1.5 Pro (Segmind)", "Gemini 2.5 Flash (Segmind)")
    assert simulator.wait_held(2)
    assert complaints(page) == []
    simulator.release()
    expect(page.get_by_role("button", name="Go on with this one")).to_have_count(3)
    assert complaints(page) == []
    assert not page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
