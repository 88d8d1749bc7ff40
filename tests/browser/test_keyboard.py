"""By keyboard: shortcuts, their list, and a focus that is never lost when a part of the page is replaced."""

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import PHONE, Open, last_reply, log_in, send
from tests.serving import until
from tests.simulator import Simulator

FLASH = "aimlapi/google/gemini-2.5-flash"
FOCUSED = """() => {
    const one = document.activeElement;
    return one === document.body ? "body" : `${one.localName} ${one.id} ${one.className}`;
}"""


def message_box(page: Page) -> Locator:
    return page.get_by_role("textbox", name="Message")


def push(control: Locator) -> None:
    """As by keyboard: focus, then Enter."""
    control.focus()
    control.press("Enter")


def begin(page: Page) -> None:
    log_in(page)
    page.wait_for_load_state()


def leave_the_box(page: Page) -> None:
    expect(message_box(page)).to_be_focused()
    page.keyboard.press("Shift+Escape")
    expect(page.locator("#scroller")).to_be_focused()


def test_the_focus_is_never_lost_when_a_part_of_a_conversation_is_replaced(browse: Open, simulator: Simulator) -> None:
    page = browse()
    begin(page)
    page.keyboard.press("Tab")
    send(page, "[[tokens:40]] [[hold:20]]", model=FLASH)
    expect(page.locator("[data-body]").last).to_contain_text("w20")
    send(page, "And then?")
    push(page.get_by_role("button", name="Withdraw"))
    expect(message_box(page)).to_be_focused()
    message_box(page).fill("")
    push(page.get_by_role("button", name="Stop"))
    expect(page.locator("article[data-status=stopped]:focus-within")).to_be_visible()
    push(page.get_by_role("button", name="Continue"))
    expect(page.get_by_role("button", name="Continue")).to_have_count(0)
    expect(page.locator("article:last-child:focus-within")).to_be_visible()
    simulator.release()
    page.locator(".new").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("New conversation")
    send(page, "Hello", model=FLASH)
    last_reply(page)
    push(page.get_by_role("button", name="Answer again"))
    expect(page.get_by_text("2 of 2")).to_be_visible()
    last_reply(page)
    expect(page.locator("article:last-child:focus-within")).to_be_visible()
    push(page.get_by_role("link", name="Edit"))
    expect(page.locator("article[data-role=user] textarea")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("link", name="Edit")).to_be_focused()
    push(page.get_by_role("button", name="Previous version"))
    expect(page.get_by_text("1 of 2")).to_be_visible()
    expect(page.get_by_role("button", name="Next version")).to_be_focused()
    push(page.get_by_role("link", name="Settings of this conversation"))
    expect(page.locator("#settings .close")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("link", name="Settings of this conversation")).to_be_focused()


def test_the_focus_is_kept_when_a_failed_reply_is_tried_again_and_a_column_is_picked(
    browse: Open, simulator: Simulator
) -> None:
    page = browse()
    begin(page)
    simulator.script(fault="401")
    send(page, "Hello", model=FLASH)
    last_reply(page, "failed")
    push(page.get_by_role("button", name="Retry"))
    last_reply(page)
    expect(page.locator("article:last-child:focus-within")).to_be_visible()
    push(page.get_by_role("button", name="Compare", exact=True))
    page.get_by_role("checkbox", name="Gemini 1.5 Pro (Segmind)").check()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Compare", exact=True)).to_be_focused()
    send(page, "Again")
    expect(page.get_by_role("button", name="Go on with this one")).to_have_count(2)
    push(page.get_by_role("button", name="Go on with this one").last)
    expect(page.locator("article:last-child:focus-within")).to_be_visible()


def test_the_focus_is_somewhere_after_a_deletion_and_its_undoing(browse: Open) -> None:
    page = browse()
    begin(page)
    send(page, "Hello", model=FLASH)
    last_reply(page)
    push(page.get_by_role("link", name="Settings of this conversation"))
    push(page.get_by_role("button", name="Delete conversation"))
    push(page.get_by_role("button", name="Undo"))
    expect(page.get_by_role("heading", name="Hello", exact=True)).to_be_visible()
    expect(message_box(page)).to_be_focused()


def test_keys_do_what_their_list_says(browse: Open, simulator: Simulator) -> None:
    page = browse()
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    begin(page)
    for text in ("The first one", "The second one"):
        page.goto("/")
        send(page, text, model=FLASH)
        last_reply(page)
    leave_the_box(page)
    page.keyboard.press("c")
    expect(page.locator("#announcer")).to_have_text("Copied.")
    assert page.evaluate("navigator.clipboard.readText()") == last_reply(page).inner_text().rstrip()
    page.keyboard.press("m")
    expect(page.get_by_role("combobox", name="Model")).to_be_focused()
    page.keyboard.press("Shift+Escape")
    expect(message_box(page)).to_be_focused()
    page.keyboard.type("just ?")
    expect(message_box(page)).to_have_value("just ?")
    message_box(page).fill("[[tokens:40]] [[hold:20]]")
    page.keyboard.press("Enter")
    expect(page.locator("[data-body]").last).to_contain_text("w20")
    leave_the_box(page)
    page.keyboard.press("s")
    last_reply(page, "stopped", count=2)
    page.keyboard.press("j")
    expect(page.get_by_role("heading", level=1)).to_have_text("The first one")
    leave_the_box(page)
    page.keyboard.press("k")
    expect(page.get_by_role("heading", level=1)).to_have_text("The second one")
    leave_the_box(page)
    newest = page.get_by_role("navigation").get_by_role("link", name="The second one")

    def is_focused() -> bool:
        page.keyboard.press("l")  # again where the list was just renewed
        return bool(newest.evaluate("(one) => one === document.activeElement"))

    until(is_focused, "the focus on the newest conversation")
    page.keyboard.press("/")
    expect(message_box(page)).to_be_focused()
    expect(message_box(page)).to_have_value("")
    leave_the_box(page)
    page.keyboard.press("n")
    expect(page.get_by_role("heading", level=1)).to_have_text("New conversation")


def test_the_list_of_keys_opens_closes_and_switches_single_keys_off(browse: Open) -> None:
    page = browse()
    begin(page)
    leave_the_box(page)
    page.keyboard.press("?")
    dialog = page.get_by_role("dialog", name="Keyboard shortcuts")
    expect(dialog.get_by_role("button", name="Close")).to_be_focused()
    dialog.get_by_role("checkbox").uncheck()
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(page.locator("#scroller")).to_be_focused()
    page.keyboard.press("?")
    page.keyboard.press("n")
    push(page.locator(".person > summary"))
    push(page.get_by_role("link", name="Keyboard shortcuts"))
    expect(dialog.get_by_role("checkbox")).not_to_be_checked()
    dialog.get_by_role("checkbox").check()
    page.keyboard.press("Escape")
    expect(page.get_by_role("link", name="Keyboard shortcuts")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator(".person > summary")).to_be_focused()
    expect(page.get_by_role("link", name="Keyboard shortcuts")).to_be_hidden()


def test_the_list_of_conversations_is_a_key_away_on_a_small_page(browse: Open) -> None:
    page = browse(size=PHONE)
    begin(page)
    leave_the_box(page)
    page.keyboard.press("l")
    expect(page.get_by_role("navigation", name="Conversations")).to_be_visible()
    page.keyboard.press("l")
    expect(page.get_by_role("navigation", name="Conversations")).to_be_hidden()


def test_the_list_of_keys_is_a_page_without_javascript(browse: Open) -> None:
    page = browse(javascript=False)
    log_in(page)
    page.locator(".person > summary").click()
    page.get_by_role("link", name="Keyboard shortcuts").click()
    expect(page.get_by_role("heading", name="Keyboard shortcuts")).to_be_visible()
    expect(page.get_by_text("Copy the last reply")).to_be_visible()


@pytest.mark.parametrize("address", ["/", "/settings/", "/prompts/", "/c/", "/accounts/password/change/"])
def test_every_stop_of_the_tab_key_can_be_seen(browse: Open, address: str) -> None:
    page = browse()
    begin(page)
    page.goto(address)
    page.evaluate("document.activeElement.blur()")
    unseen = []
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate(FOCUSED) == "body":
            break
        style = page.evaluate("""() => {
            const one = document.activeElement, lit = one.closest(".attach, .box") ?? one;
            const { outlineStyle, outlineWidth } = getComputedStyle(lit);
            const box = lit.getBoundingClientRect();
            const isSeen = box.width > 4 && box.height > 4 && (outlineStyle !== "none" || lit.matches(".box"));
            return [isSeen, `${one.outerHTML.slice(0, 80)} ${outlineStyle} ${outlineWidth}`];
        }""")
        if not style[0]:
            unseen.append(style[1])
    assert unseen == []
