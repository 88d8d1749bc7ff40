"""Prompts by a slash and presets by a click: with the keyboard, on a phone, and with JavaScript off."""

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.assistive import complaints
from tests.browser.conftest import DESKTOP, PHONE, Open, last_reply, log_in, send
from tests.simulator import Simulator

FLASH = "aimlapi/google/gemini-2.5-flash"
PRO = "segmind/gemini-1.5-pro"
LETTER = "Write to {{reader}} about {{topic}}.\nGreet {{reader}} twice."


def keep(page: Page, name: str, text: str, *, is_shared: bool = False) -> None:
    """Make a prompt as people do."""
    page.goto("/prompts/")
    page.get_by_role("link", name="New prompt").click()
    page.get_by_label("Name").fill(name)
    page.get_by_label("Text").fill(text)
    page.get_by_label("Share with everybody").set_checked(is_shared)
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("is saved")).to_be_visible()


def begin(page: Page) -> None:
    page.goto("/")
    page.wait_for_load_state()


def type_in(page: Page, text: str) -> None:
    page.get_by_role("textbox", name="Message").press_sequentially(text)


def options(page: Page) -> list[str]:
    expect(page.get_by_role("listbox", name="Prompts")).to_be_visible()
    return page.locator("[role=option]:visible .name").all_inner_texts()


def active(page: Page) -> str:
    box = page.get_by_role("textbox", name="Message")
    expect(box).to_have_attribute("aria-activedescendant", re.compile("^prompt-"))
    identifier = box.get_attribute("aria-activedescendant")
    return page.locator(f"[id='{identifier}'] .name").inner_text()


@pytest.fixture
def page(browse: Open) -> Page:
    """Alice with three prompts, at an empty message box."""
    page = browse()
    log_in(page)
    keep(page, "letter", LETTER)
    keep(page, "brief", "Be brief.\n  Two lines.")
    keep(page, "a-letter", "Answer this letter: ")
    begin(page)
    return page


def test_a_slash_opens_the_list_and_the_keyboard_chooses(page: Page) -> None:
    box = page.get_by_role("textbox", name="Message")
    type_in(page, "/")
    assert options(page) == ["/a-letter", "/brief", "/letter"]
    assert active(page) == "/a-letter"
    box.press("ArrowUp")
    assert active(page) == "/letter"
    box.press("ArrowDown")
    assert active(page) == "/a-letter"
    box.press("ArrowDown")
    assert active(page) == "/brief"
    box.press("Enter")
    expect(box).to_have_value("Be brief.\n  Two lines.")
    expect(box).to_be_focused()
    expect(page.get_by_role("listbox")).to_be_hidden()
    expect(page.locator("article")).to_have_count(0)
    box.press("Enter")
    last_reply(page)
    expect(page.locator("article[data-role=user] [data-body]")).to_contain_text("Be brief.")


def test_typing_filters_and_prefers_what_begins_so(page: Page) -> None:
    type_in(page, "/LET")
    assert options(page) == ["/a-letter", "/letter"]
    assert active(page) == "/letter"
    type_in(page, "x")
    expect(page.get_by_role("listbox")).to_be_hidden()
    page.keyboard.press("Backspace")
    assert active(page) == "/letter"


def test_escape_leaves_the_slash_to_be_written(page: Page) -> None:
    box = page.get_by_role("textbox", name="Message")
    type_in(page, "/")
    options(page)
    box.press("Escape")
    expect(page.get_by_role("listbox")).to_be_hidden()
    type_in(page, "b")
    expect(page.get_by_role("listbox")).to_be_hidden()
    box.fill("")
    type_in(page, "/br")
    assert options(page) == ["/brief"]
    box.fill("either/or")
    expect(page.get_by_role("listbox")).to_be_hidden()


def test_a_draft_that_comes_back_opens_nothing(page: Page) -> None:
    type_in(page, "/b")
    options(page)
    begin(page)
    expect(page.get_by_role("textbox", name="Message")).to_have_value("/b")
    type_in(page, "r")
    assert options(page) == ["/brief"]
    page.get_by_role("textbox", name="Message").press("Escape")
    begin(page)
    expect(page.get_by_role("textbox", name="Message")).to_have_value("/br")
    page.wait_for_load_state("networkidle")
    expect(page.locator("#prompts:not([hidden])")).to_have_count(0)


def test_variables_are_asked_for_in_a_dialog(page: Page) -> None:
    box = page.get_by_role("textbox", name="Message")
    box.fill(" and more")
    box.press("Home")
    type_in(page, "/letter")
    assert active(page) == "/letter"
    box.press("Enter")
    expect(page.get_by_role("dialog", name="/letter")).to_be_visible()
    expect(page.get_by_label("reader")).to_be_focused()
    assert complaints(page) == []
    page.keyboard.type("Ada")
    page.keyboard.press("Tab")
    page.keyboard.type("the sea")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(box).to_have_value("Write to Ada about the sea.\nGreet Ada twice. and more")
    expect(box).to_be_focused()
    expect(page.get_by_role("dialog")).to_have_count(0)


@pytest.mark.parametrize("way", ["key", "button"])
def test_a_dialog_can_be_left_and_what_was_typed_stays(page: Page, way: str) -> None:
    box = page.get_by_role("textbox", name="Message")
    type_in(page, "/let")
    options(page)
    box.press("Enter")
    expect(page.get_by_role("dialog")).to_be_visible()
    if way == "key":
        page.keyboard.press("Escape")
    else:
        page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(box).to_have_value("/let")
    expect(box).to_be_focused()


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_a_click_chooses_in_a_conversation_too(browse: Open, size: Any) -> None:
    page = browse(size=size)
    log_in(page, "bob")
    keep(page, "shared-one", "Shared text.", is_shared=True)
    page.goto("/")
    page.context.clear_cookies()
    log_in(page)
    page.wait_for_load_state()
    send(page, "Hello", model=FLASH)
    last_reply(page)
    type_in(page, "/sh")
    option = page.get_by_role("option", name="/shared-one")
    expect(option).to_contain_text("by bob")
    box = option.bounding_box()
    assert box
    assert box["height"] >= 44
    assert complaints(page) == []
    option.click()
    expect(page.get_by_role("textbox", name="Message")).to_have_value("Shared text.")


def test_a_page_without_a_slash_loads_nothing_of_it(browse: Open) -> None:
    page = browse()
    log_in(page)
    addresses: list[str] = []
    page.on("request", lambda request: addresses.append(request.url))
    begin(page)
    type_in(page, "Hello")
    assert not [address for address in addresses if "prompts" in address]
    page.get_by_role("textbox", name="Message").fill("")
    type_in(page, "/")
    expect(page.locator("#prompts")).to_be_attached()
    assert [address for address in addresses if re.search(r"/js/prompts\.\w+\.js", address)]


@pytest.mark.parametrize("javascript", [True, False], ids=["script", "plain"])
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_the_prompts_page_is_enough(browse: Open, size: Any, javascript: bool) -> None:
    page = browse(javascript=javascript, size=size)
    log_in(page)
    keep(page, "A letter!", LETTER)
    page.get_by_role("link", name="Use a-letter").click()
    page.get_by_label("reader").fill("Ada")
    page.get_by_role("button", name="Insert").click()
    expect(page.get_by_role("textbox", name="Message")).to_have_value("Write to Ada about {{topic}}.\nGreet Ada twice.")
    page.get_by_role("button", name="Send").click()
    expect(page).to_have_url(re.compile("/c/"))
    page.goto("/prompts/")
    page.get_by_role("link", name="/a-letter").click()
    page.get_by_label("Text").fill("Changed.")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Changed.")).to_be_visible()
    page.get_by_role("button", name="Copy a-letter").click()
    expect(page.get_by_label("Name")).to_have_value("a-letter-2")
    page.get_by_role("link", name="Delete").click()
    page.get_by_role("button", name="Delete").click()
    expect(page.get_by_text("“a-letter-2” was deleted.")).to_be_visible()
    expect(page.get_by_role("listitem")).to_have_count(1)


@pytest.mark.parametrize("javascript", [True, False], ids=["script", "plain"])
def test_a_preset_goes_from_one_conversation_into_the_next(
    browse: Open, simulator: Simulator, javascript: bool
) -> None:
    page = browse(javascript=javascript)
    log_in(page)
    page.get_by_role("button", name="Settings of this conversation").click()
    page.get_by_label("System prompt").fill("Answer in CAPITALS.")
    page.keyboard.press("Escape")
    send(page, "Hello", model=PRO)
    last_reply(page)
    page.get_by_role("link", name="Settings of this conversation").click()
    page.get_by_role("link", name="Save as preset").click()
    page.get_by_label("Name").fill("Loud")
    page.get_by_label("Temperature").fill("0.5")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("“Loud” is saved.")).to_be_visible()
    page.goto("/")
    page.get_by_role("navigation", name="Presets").get_by_role("link", name="Loud").click()
    expect(page.get_by_role("combobox", name="Model")).to_have_value(PRO)
    send(page, "Hello")
    expect(last_reply(page)).to_contain_text("HELLO!")
    assert "0.5" in str(simulator.requests[-1].body)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_assistive_technology_finds_nothing_to_complain_about(browse: Open, scheme: str, size: Any) -> None:
    page = browse(size=size, color_scheme=scheme)
    log_in(page)
    page.goto("/presets/")
    assert complaints(page) == []
    page.goto("/presets/new/")
    page.get_by_label("Name").fill("A preset with quite a long name that has to fit")
    page.get_by_role("button", name="Save").click()
    keep(page, "letter", LETTER, is_shared=True)
    for address in ("/prompts/", "/presets/", "/presets/new/", "/prompts/new/", "/"):
        page.goto(address)
        assert complaints(page) == []
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0
    page.goto("/prompts/")
    page.get_by_role("link", name="Delete letter").click()
    assert complaints(page) == []
    begin(page)
    type_in(page, "/")
    options(page)
    assert complaints(page) == []
