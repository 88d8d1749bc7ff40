"""Long conversations and long lists: they open at once, and more comes while one scrolls."""

import re

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from tests.browser.conftest import DESKTOP, PHONE, Open, log_in, send
from tests.browser.test_page import complaints
from tests.serving import Server

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
    expect(page.locator("article")).to_have_count(30)
    expect(page.locator("#announcer")).to_be_empty()
    held: list[Route] = []
    page.route("**/?before=90", lambda route: held.append(route))
    while not held:
        wheel(page, -400)
        page.wait_for_timeout(50)
    seen = message(page, 93)
    before = place(seen)
    held.pop().continue_()
    expect(message(page, 60)).to_be_attached()
    assert abs(place(seen) - before) < 2
    expect(page.locator("#announcer")).to_be_empty()
    page.unroute_all()
    for count in (90, 120):
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
    page.get_by_role("link", name="Later messages").click()
    expect(message(page, 130)).to_be_in_viewport()
    page.get_by_role("link", name="Earlier messages").click()
    expect(message(page, 129)).to_be_in_viewport()
    expect(message(page, 100)).to_be_attached()
