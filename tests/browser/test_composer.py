"""The composer: attached texts, drafts, keys, and what becomes of a text when the login or the network is gone."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, ViewportSize, expect

from tests.browser.assistive import complaints
from tests.browser.conftest import DESKTOP, PHONE, Open, Watch, last_reply, log_in, send
from tests.browser.test_journeys import FLASH
from tests.browser.test_page import message_box
from tests.serving import PASSWORD, Server
from tests.simulator import Simulator

SIZES = pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
LONG = "\n".join(f"line {number}" for number in range(60))
PASTE = """(words) => {
    const data = new DataTransfer();
    data.setData("text/plain", words);
    const box = document.getElementById("text");
    box.dispatchEvent(new ClipboardEvent("paste", {clipboardData: data, bubbles: true, cancelable: true}));
    box.setRangeText(words, box.selectionStart, box.selectionEnd, "end");
    box.dispatchEvent(new Event("input", {bubbles: true}));
}"""


def paste(page: Page, words: str) -> None:
    """As a browser does it: the event, then the text."""
    message_box(page).focus()
    page.evaluate(PASTE, words)


def kept(page: Page) -> list[str]:
    keys: list[str] = page.evaluate("Object.keys(localStorage).filter((key) => key.startsWith('draft:'))")
    return keys


def until_kept(page: Page, words: str) -> None:
    page.wait_for_function("(words) => Object.values(localStorage).includes(words)", arg=words)


@SIZES
def test_a_long_paste_becomes_an_attached_text_that_the_model_reads_by_its_name(
    browse: Open, simulator: Simulator, size: ViewportSize
) -> None:
    page = browse(size=size)
    log_in(page)
    message_box(page).fill("Sum this up: ")
    paste(page, LONG)
    page.get_by_role("button", name="Attach as text").click()
    expect(message_box(page)).to_have_value("Sum this up: ")
    expect(page.get_by_role("button", name="Attach as text")).to_be_hidden()
    page.locator(".text-card summary").click()
    expect(page.get_by_label("Attached text")).to_have_value(LONG)
    assert complaints(page) == []
    send(page, "Sum this up, please", model=FLASH)
    last_reply(page)
    expect(page.locator(".text-card")).to_have_count(0)
    card = page.locator("article[data-role=user] details")
    expect(card).to_contain_text("pasted-1.txt")
    expect(card.get_by_text("line 59")).to_be_hidden()
    card.locator("summary").click()
    expect(card.get_by_text("line 59")).to_be_visible()
    assert complaints(page) == []
    content = simulator.requests[-1].body["messages"][-1]["content"]
    assert content.startswith("--- pasted-1.txt ---\nline 0\n")
    assert content.endswith("line 59\n--- end of pasted-1.txt ---\n\nSum this up, please")


def test_a_long_paste_that_is_not_attached_stays_where_it_is(browse: Open) -> None:
    page = browse()
    log_in(page)
    paste(page, "short")
    expect(page.locator("#paste-offer")).to_be_hidden()
    paste(page, LONG)
    expect(page.get_by_role("button", name="Attach as text")).to_be_visible()
    expect(message_box(page)).to_have_value("short" + LONG)
    message_box(page).fill("something else")
    expect(page.get_by_role("button", name="Attach as text")).to_be_hidden()


@pytest.mark.parametrize("javascript", [True, False], ids=["htmx", "plain"])
def test_text_files_are_attached_and_others_named(
    browse: Open, simulator: Simulator, tmp_path: Path, javascript: bool
) -> None:
    notes, archive = tmp_path / "notes.md", tmp_path / "archive.zip"
    notes.write_text("# Grüße", encoding="utf-8")
    archive.write_bytes(b"PK\x03\x04\xff\xfe")
    page = browse(javascript=javascript)
    log_in(page)
    if javascript:
        page.get_by_label("Attach images").set_input_files([notes, archive])
        expect(page.get_by_role("alert")).to_contain_text("“archive.zip”: Only pictures, and texts in UTF-8")
        page.get_by_role("button", name="Remove notes.md").click()
        expect(page.locator(".text-card")).to_have_count(0)
    send(page, "Read", model=FLASH, images=[notes])
    last_reply(page)
    expect(page.locator("article[data-role=user] details")).to_contain_text("notes.md")
    assert "--- notes.md ---\n# Grüße\n" in simulator.requests[-1].body["messages"][-1]["content"]


def test_a_draft_waits_in_its_conversation_until_it_is_sent(browse: Open) -> None:
    page = browse()
    log_in(page)
    send(page, "Hello", model=FLASH)
    last_reply(page)
    assert kept(page) == []
    message_box(page).fill("half a thought")
    page.goto("/")
    expect(message_box(page)).to_have_value("")
    message_box(page).fill("another one")
    page.go_back()
    expect(message_box(page)).to_have_value("half a thought")
    message_box(page).press("Enter")
    last_reply(page, count=2)
    page.reload()
    expect(message_box(page)).to_have_value("")
    page.goto("/")
    expect(message_box(page)).to_have_value("another one")
    page.get_by_role("navigation").get_by_text("alice").click()
    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_role("heading", name="Log in")).to_be_visible()
    assert kept(page) == []


def test_a_draft_of_somebody_else_is_not_shown_and_forgotten(browse: Open) -> None:
    page = browse()
    log_in(page)
    message_box(page).fill("my secret")
    until_kept(page, "my secret")
    page.context.clear_cookies()
    log_in(page, "bob")
    expect(message_box(page)).to_have_value("")
    page.reload()  # what one page wrote last may reach the storage after the next has begun
    page.wait_for_function("!Object.values(localStorage).includes('my secret')")
    expect(message_box(page)).to_have_value("")


def log_in_again(page: Page) -> None:
    """In the tab that a link opened."""
    page.locator("input[name=login]").fill("alice")
    page.locator("input[name=password]").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    expect(message_box(page)).to_be_visible()


def test_a_login_that_ran_out_while_writing_loses_nothing(browse: Open, watch: Watch) -> None:
    watch.allowed = ["status of 401", "status of 403", "Error Code 401", "Error Code 403"]
    page = browse()
    log_in(page)
    send(page, "Hello", model=FLASH)
    last_reply(page)
    message_box(page).fill("A long thought")
    page.context.clear_cookies(name="session")
    message_box(page).press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("You are logged out")
    expect(message_box(page)).to_have_value("A long thought")
    assert complaints(page) == []
    with page.context.expect_page() as opened:
        page.get_by_role("link", name="Log in in a new tab").click()
    log_in_again(opened.value)
    message_box(page).press("Enter")
    last_reply(page, count=2)
    expect(page.locator("article[data-role=user]").last).to_contain_text("A long thought")
    expect(page.get_by_role("alert")).to_have_count(0)


def test_a_text_is_there_again_after_the_way_over_the_login_page(browse: Open) -> None:
    page = browse()
    log_in(page)
    send(page, "Hello", model=FLASH)
    last_reply(page)
    message_box(page).fill("A long thought")
    until_kept(page, "A long thought")
    page.context.clear_cookies()
    page.reload()
    log_in_again(page)
    expect(message_box(page)).to_have_value("A long thought")


def test_without_javascript_a_login_that_ran_out_gives_the_text_back(browse: Open, watch: Watch) -> None:
    watch.allowed = ["status of 401", "status of 403"]
    page = browse(javascript=False)
    log_in(page)
    send(page, "Hello", model=FLASH)
    last_reply(page)
    page.context.clear_cookies(name="session")
    send(page, "A long thought")
    expect(page.get_by_role("alert")).to_contain_text("You are logged out")
    with page.context.expect_page() as opened:
        page.get_by_role("link", name="log in in a new tab").click()
    log_in_again(opened.value)
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("alert")).to_contain_text("Your login was renewed")
    page.get_by_role("button", name="Send").click()
    last_reply(page, count=2)
    expect(page.locator("article[data-role=user]").last).to_contain_text("A long thought")


def test_enter_and_shift_enter_change_places_and_control_enter_always_sends(browse: Open, server: Server) -> None:
    page = browse()
    log_in(page)
    page.goto("/settings/")
    page.locator("input[name=enter_sends]").uncheck()
    page.locator("main form").filter(has=page.locator("input[name=enter_sends]")).locator("[type=submit]").click()
    page.goto("/")
    page.get_by_role("combobox", name="Model").select_option(FLASH)
    message_box(page).press_sequentially("one")
    message_box(page).press("Enter")
    message_box(page).press_sequentially("two")
    expect(message_box(page)).to_have_value("one\ntwo")
    message_box(page).press("Shift+Enter")
    last_reply(page)
    message_box(page).fill("three")
    message_box(page).press("Control+Enter")
    last_reply(page, count=2)
    expect(message_box(page)).to_have_value("")


def test_enter_that_ends_a_composition_does_not_send(browse: Open) -> None:
    page = browse()
    log_in(page)
    message_box(page).fill("にほん")
    message_box(page).dispatch_event("keydown", {"key": "Enter", "isComposing": True, "bubbles": True})
    message_box(page).dispatch_event("keydown", {"key": "Enter", "keyCode": 229, "bubbles": True})
    expect(message_box(page)).to_have_value("にほん")
    expect(page.locator("article")).to_have_count(0)


def test_up_in_an_empty_box_reaches_for_the_last_own_message(browse: Open) -> None:
    page = browse()
    log_in(page)
    send(page, "Hello", model=FLASH)
    last_reply(page)
    page.evaluate(
        """() => {
            const button = document.createElement("button");
            button.dataset.edit = "";
            button.addEventListener("click", () => { document.body.dataset.edited = "yes" });
            document.querySelector("[data-role=user]").append(button);
        }"""
    )
    message_box(page).fill("x")
    message_box(page).press("ArrowUp")
    expect(page.locator("body[data-edited]")).to_have_count(0)
    message_box(page).fill("")
    message_box(page).press("ArrowUp")
    expect(page.locator("body[data-edited]")).to_have_count(1)


def test_offline_the_text_and_its_draft_stay(browse: Open, watch: Watch) -> None:
    watch.allowed = ["ERR_INTERNET_DISCONNECTED", "[object"]
    page = browse()
    log_in(page)
    message_box(page).fill("Are you there?")
    until_kept(page, "Are you there?")
    page.context.set_offline(True)
    message_box(page).press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("cannot be reached")
    expect(message_box(page)).to_have_value("Are you there?")
    assert len(kept(page)) == 1
