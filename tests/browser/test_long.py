"""Long conversations and long lists: they open at once, and more comes while one scrolls."""

import re

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from tests.browser.assistive import complaints
from tests.browser.conftest import DESKTOP, PHONE, Open, log_in, send
from tests.serving import Server
from tests.simulator import Simulator

FLASH = "aimlapi/google/gemini-2.5-flash"
MAKE = "from conversations.models import User; from tests import lengthy; alice = User.objects.get(username='alice')\n"


def make(server: Server, expression: str) -> str:
    """Evaluate this in the server's database, with `lengthy` and `alice` at hand; the printed value."""
    return server.manage("shell", "-v0", "-c", f"{MAKE}print({expression})").stdout.strip()


def long_one(server: Server, length: int = 200) -> str:
    """The address of a conversation of that many messages."""
    return f"/c/{make(server, f'lengthy.conversation(alice, {length}).uuid')}/"


def address_in_the_middle(server: Server) -> str:
    """The address of message 100 of 200."""
    address = long_one(server)
    wanted = make(server, "alice.conversations.get().messages.get(depth=100).uuid")
    return f"{address}?message={wanted}#message-{wanted}"


def message(page: Page, number: int) -> Locator:
    return page.locator("article").filter(has_text=re.compile(rf"message {number}\b")).first


def wheel(page: Page, distance: int) -> None:
    page.locator("#scroller").hover()
    page.mouse.wheel(0, distance)


def place(one: Locator) -> float:
    box = one.bounding_box()
    assert box
    return box["y"]


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_scrolling_up_loads_older_messages_without_a_jump(browse: Open, server: Server, size: dict[str, int]) -> None:
    page = browse(size=size)
    log_in(page)
    page.goto(long_one(server, 120))
    expect(message(page, 119)).to_be_in_viewport()
    expect(page.locator("article")).to_have_count(12)
    expect(page.locator("#announcer")).to_be_empty()
    held: list[Route] = []
    page.route("**/?before=108", lambda route: held.append(route))
    while not held:
        wheel(page, -400)
        page.wait_for_timeout(50)
    seen = message(page, 111)
    before = place(seen)
    held.pop().continue_()
    expect(message(page, 78)).to_be_attached()
    assert abs(place(seen) - before) < 2
    expect(page.locator("#announcer")).to_be_empty()
    page.unroute_all()
    for count in (72, 102, 120):
        page.locator("#scroller").evaluate("(scroller) => { scroller.scrollTop = -scroller.scrollHeight }")
        expect(page.locator("article")).to_have_count(count)
    expect(page.get_by_role("link", name="Earlier messages")).to_have_count(0)
    assert complaints(page) == []


def test_an_address_of_an_old_message_shows_it_and_leads_on_down(browse: Open, server: Server) -> None:
    page = browse()
    log_in(page)
    page.goto(address_in_the_middle(server))
    expect(message(page, 100)).to_be_in_viewport()
    held: list[Route] = []
    page.route("**/?after=129", lambda route: held.append(route))
    while not held:
        wheel(page, 400)
        page.wait_for_timeout(50)
    page.locator("#scroller").evaluate("(scroller) => { scroller.scrollTop = 0 }")  # as far as one can get
    last = message(page, 129)
    before = place(last)
    held.pop().continue_()
    expect(page.locator("article")).to_have_count(45 + 30)
    assert abs(place(last) - before) < 2
    page.get_by_role("button", name="To the end").click()
    expect(message(page, 199)).to_be_in_viewport()


def test_a_message_sent_from_the_middle_is_shown_at_the_end(browse: Open, server: Server) -> None:
    page = browse()
    log_in(page)
    page.goto(address_in_the_middle(server))
    send(page, "One more question", model=FLASH)
    expect(page.locator("article[data-role=assistant]").last).to_have_attribute("data-status", "complete")
    expect(page.get_by_text("One more question", exact=True)).to_be_in_viewport()
    expect(message(page, 199)).to_be_attached()


def test_a_long_conversation_is_read_by_links_without_javascript(browse: Open, server: Server) -> None:
    page = browse(javascript=False, size=PHONE)
    log_in(page)
    page.goto(address_in_the_middle(server))
    expect(message(page, 100)).to_be_in_viewport()
    page.get_by_role("link", name="Later messages").press("Enter")  # a click may meet it while the page settles
    expect(message(page, 130)).to_be_in_viewport()
    page.get_by_role("link", name="Earlier messages").click()
    expect(message(page, 129)).to_be_in_viewport()
    expect(message(page, 100)).to_be_attached()


def talk(page: Page, number: int) -> Locator:
    return page.get_by_role("navigation").get_by_role("link", name=f"talk {number}", exact=True)


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_the_list_of_conversations_goes_on_while_one_scrolls(
    browse: Open, server: Server, size: dict[str, int]
) -> None:
    make(server, "lengthy.conversations(alice, 120)")
    page = browse(size=size)
    log_in(page)
    if size == PHONE:
        page.get_by_role("button", name="Conversations").click()
    expect(talk(page, 0)).to_be_in_viewport()
    for number in (49, 99, 119):
        talk(page, number).scroll_into_view_if_needed()
    expect(page.get_by_role("link", name="Older conversations")).to_have_count(0)
    expect(page.get_by_role("navigation").locator("li")).to_have_count(120)
    assert complaints(page) == []
    page.goto("/c/")
    assert complaints(page) == []


def test_the_list_goes_on_by_links_without_javascript(browse: Open, server: Server) -> None:
    make(server, "lengthy.conversations(alice, 170)")
    page = browse(javascript=False)
    log_in(page)
    page.get_by_role("link", name="Older conversations").click()
    expect(page.get_by_role("link", name="talk 50", exact=True)).to_be_visible()
    page.get_by_role("link", name="Older conversations").click()
    expect(page.get_by_role("link", name="talk 169", exact=True)).to_be_visible()
    page.get_by_role("link", name="Newest").click()
    expect(page.get_by_role("link", name="talk 0", exact=True)).to_be_visible()


def test_the_list_shows_what_runs_elsewhere_and_what_has_ended(
    browse: Open, server: Server, simulator: Simulator
) -> None:
    make(server, "lengthy.conversations(alice, 60)")
    here = browse()
    log_in(here)
    talk(here, 49).scroll_into_view_if_needed()
    expect(talk(here, 59)).to_be_attached()
    there = here.context.new_page()
    for number in (30, 59):
        there.goto("/c/")
        there.get_by_role("link", name=f"talk {number}", exact=True).click()
        send(there, "[[tokens:40]] [[hold:20]]", model=FLASH)
        expect(there.locator("[data-body]").last).to_contain_text("w20")
    running = (
        here.get_by_role("navigation").get_by_role("link").filter(has=here.get_by_title("A reply is being written"))
    )
    see_again(here)
    expect(running).to_have_count(2)
    expect(here.get_by_role("navigation").locator("li")).to_have_count(60)
    expect(running.first).to_have_text("talk 59")
    assert simulator.wait_held(2)
    simulator.release()
    simulator.release()
    expect(running).to_have_count(0)


def see_again(page: Page) -> None:
    """What a browser tells a page whose tab is chosen again."""
    page.evaluate("document.dispatchEvent(new Event('visibilitychange', { bubbles: true }))")


HIDING = """
Object.defineProperty(document, "hidden", {get: () => window.isAway ?? false});
window.told = [];
window.Notification = class {
    static permission = "granted";
    static requestPermission() {}
    constructor(title, options) { told.push([title, options.body]); }
};
"""


def leave(page: Page, *, is_away: bool = True) -> None:
    page.evaluate(f"window.isAway = {str(is_away).lower()}")
    see_again(page)


@pytest.mark.parametrize(("seconds", "is_told"), [(20, True), (2, False)])
def test_a_hidden_page_says_how_its_reply_is_doing(
    browse: Open, server: Server, simulator: Simulator, seconds: int, is_told: bool
) -> None:
    make(server, "User.objects.filter(username='alice').update(notifies=True)")
    page = browse()
    page.add_init_script(HIDING)
    page.clock.install()
    log_in(page)
    send(page, "[[tokens:40]] [[hold:20]]", model=FLASH)
    expect(page.locator("[data-body]").last).to_contain_text("w20")
    title = page.title()
    leave(page)
    expect(page).to_have_title(f"… {title}")
    page.clock.fast_forward(seconds * 1000)
    assert simulator.wait_held()
    simulator.release()
    expect(page).to_have_title(f"● {title}")
    told = page.evaluate("told")
    assert len(told) == (1 if is_told else 0)
    if is_told:
        assert told[0][0] == title
        assert told[0][1].startswith("w1 w2")
    leave(page, is_away=False)
    expect(page).to_have_title(title)


def test_pinned_and_archived_from_the_settings(browse: Open, server: Server) -> None:
    make(server, "lengthy.conversations(alice, 3)")
    for javascript in (True, False):
        page = browse(javascript=javascript)
        log_in(page)
        talk(page, 2).click()
        arrange(page, "Pin to the top")
        expect(page.get_by_role("navigation").locator("li").first).to_have_text("talk 2")
        arrange(page, "Unpin")
        expect(page.get_by_role("navigation").locator("li").last).to_have_text("talk 2")
        arrange(page, "Archive")
        expect(talk(page, 2)).to_have_count(0)
        arrange(page, "Take out of the archive")
        expect(talk(page, 2)).to_be_visible()


def arrange(page: Page, action: str) -> None:
    settings = page.get_by_role("link", name="Settings of this conversation")
    settings.click()
    page.get_by_role("button", name=action, exact=True).click()
    page.wait_for_url("**/c/*/")
