"""Other versions of a message: answered anew, stepped through, forked; and conversations that leave nothing behind."""

import re

import pytest
from playwright.sync_api import FilePayload, Locator, Page, ViewportSize, expect

from tests.browser.assistive import complaints
from tests.browser.conftest import DESKTOP, PHONE, Open, Watch, last_reply, log_in, send
from tests.services.photographs import photograph
from tests.simulator import Simulator

FLASH = "aimlapi/google/gemini-2.5-flash"
PRO = "segmind/gemini-1.5-pro"
LONG = "\\n\\n".join(f"Paragraph {number} of a long answer." for number in range(40))
SIZES = pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
SCRIPTS = pytest.mark.parametrize("javascript", [True, False], ids=["htmx", "plain"])


def replies(page: Page) -> Locator:
    return page.locator("article[data-role=assistant]")


def press(within: Locator, name: str) -> None:
    """A button in the quiet row of a message, which shows while the pointer is on it."""
    within.hover()
    within.get_by_role("button", name=name, exact=True).click()


def talk(page: Page, simulator: Simulator, *answers: str) -> None:
    log_in(page)
    page.wait_for_load_state()
    for number, words in enumerate(answers, start=1):
        simulator.script(say=words)
        send(page, f"Question {number}", model=FLASH)
        last_reply(page, count=number)


@SCRIPTS
@SIZES
def test_a_reply_further_up_is_given_anew_and_both_versions_are_stepped_through(
    browse: Open, simulator: Simulator, javascript: bool, size: ViewportSize
) -> None:
    page = browse(javascript=javascript, size=size)
    talk(page, simulator, "First answer", "Second answer")
    simulator.script(say="Another answer")
    press(replies(page).first, "Answer again")
    expect(last_reply(page)).to_have_text("Another answer")
    expect(page.get_by_text("2 of 2")).to_be_visible()
    expect(page.get_by_role("button", name="Next version")).to_be_disabled()
    page.get_by_role("button", name="Previous version").click()
    expect(replies(page)).to_have_count(2)
    expect(replies(page).first).to_contain_text("First answer")
    expect(replies(page).last).to_contain_text("Second answer")
    expect(page.get_by_text("1 of 2")).to_be_visible()
    if javascript:
        expect(page.get_by_role("button", name="Next version")).to_be_focused()
        assert complaints(page) == []
    page.get_by_role("button", name="Next version").click()
    expect(last_reply(page)).to_have_text("Another answer")


@SCRIPTS
def test_another_model_answers_the_same_message(browse: Open, simulator: Simulator, javascript: bool) -> None:
    page = browse(javascript=javascript)
    talk(page, simulator, "First answer")
    replies(page).last.hover()
    page.get_by_role("link", name="Answer with another model").click()
    choice = page.get_by_role("group", name="Answer again with")
    expect(choice).to_be_visible()
    if javascript:
        assert complaints(page) == []
        page.keyboard.press("Escape")
        expect(choice).to_have_count(0)
        expect(page.get_by_role("link", name="Answer with another model")).to_be_focused()
        page.keyboard.press("Enter")
    choice.get_by_role("button", name=re.compile("1.5 Pro", re.IGNORECASE)).click()
    last_reply(page)
    expect(replies(page).last.locator("footer .model")).to_have_text(re.compile("1.5 Pro", re.IGNORECASE))
    expect(page.get_by_text("2 of 2")).to_be_visible()


def test_the_place_on_the_screen_is_kept_when_a_branch_is_switched(browse: Open, simulator: Simulator) -> None:
    page = browse()
    talk(page, simulator, LONG, LONG, "The end")
    simulator.script(say=LONG)
    press(replies(page).nth(1), "Answer again")
    last_reply(page, count=2)
    for name, others in (("Previous version", 3), ("Next version", 2)):
        button = page.get_by_role("button", name=name)
        button.scroll_into_view_if_needed()
        article = replies(page).nth(1)
        before = article.bounding_box()
        button.click()
        expect(replies(page)).to_have_count(others)
        after = article.bounding_box()
        assert before
        assert after
        assert abs(before["y"] - after["y"]) < 2


def test_a_reply_goes_on_while_another_branch_is_on_show(browse: Open, simulator: Simulator) -> None:
    page = browse()
    talk(page, simulator, "First answer")
    simulator.script(say=" ".join(f"w{number}" for number in range(1, 41)), hold=20)
    press(replies(page).last, "Answer again")
    expect(replies(page).last.locator("[data-body]")).to_contain_text("w10")
    page.get_by_role("button", name="Previous version").click()
    expect(last_reply(page)).to_have_text("First answer")
    expect(page.get_by_role("button", name="Stop")).to_be_hidden()
    simulator.script(say="Meanwhile")
    send(page, "And here?")
    expect(last_reply(page, count=2)).to_have_text("Meanwhile")
    page.get_by_role("button", name="Next version").click()
    expect(replies(page)).to_have_count(1)
    expect(replies(page).last).to_have_attribute("data-status", "streaming")
    expect(replies(page).last.locator("[data-body]")).to_contain_text("w10")
    assert simulator.wait_held()
    simulator.release()
    expect(last_reply(page)).to_contain_text("w40")
    expect(page.get_by_text("2 of 2")).to_be_visible()


@SCRIPTS
def test_a_fork_begins_with_what_was_said_and_links_back(browse: Open, simulator: Simulator, javascript: bool) -> None:
    page = browse(javascript=javascript)
    talk(page, simulator, "First answer", "Second answer")
    address = page.url
    press(replies(page).first, "Fork from here")
    expect(page.get_by_role("heading", name="Question 1 (fork)")).to_be_visible()
    expect(page).not_to_have_url(address)
    expect(last_reply(page)).to_have_text("First answer")
    if javascript:
        assert complaints(page) == []
    page.get_by_role("banner").or_(page.locator("header")).get_by_role("link", name="Question 1", exact=True).click()
    expect(replies(page)).to_have_count(2)


@SCRIPTS
def test_a_temporary_conversation_says_what_it_is_and_is_not_listed(
    browse: Open, simulator: Simulator, javascript: bool
) -> None:
    page = browse(javascript=javascript)
    log_in(page)
    page.get_by_role("checkbox", name="Temporary").check()
    simulator.script(say="Quite so")
    send(page, "Between us", model=FLASH)
    last_reply(page)
    expect(page.get_by_text("Temporary: gone by")).to_be_visible()
    expect(page.get_by_role("link", name="Between us")).to_have_count(0)
    page.goto("/")
    expect(page.get_by_role("link", name="Between us")).to_have_count(0)


def test_the_quiet_row_is_reached_by_keyboard_and_seen_on_touch(browse: Open, simulator: Simulator) -> None:
    page = browse()
    talk(page, simulator, "First answer", "Second answer")
    page.mouse.move(0, 0)
    row = replies(page).first.locator(".actions")
    expect(row).to_have_css("opacity", "0")
    replies(page).first.get_by_role("button", name="Answer again").focus()
    expect(row).to_have_css("opacity", "1")
    touched = browse(size=PHONE, has_touch=True, is_mobile=True, storage_state=page.context.storage_state())
    touched.goto(page.url)
    expect(replies(touched).first.locator(".actions")).to_have_css("opacity", "1")
    boxes = [one.bounding_box() for one in touched.locator(".actions .button").all()]
    assert len(boxes) >= 8
    assert all(box and box["width"] >= 24 and box["height"] >= 24 for box in boxes)


@SCRIPTS
@SIZES
def test_a_message_is_edited_in_its_place_with_its_picture(
    browse: Open, simulator: Simulator, javascript: bool, size: ViewportSize, watch: Watch
) -> None:
    watch.allowed = ["status of 422", "Error Code 422"]
    page = browse(javascript=javascript, size=size)
    log_in(page)
    page.wait_for_load_state()
    photo: FilePayload = {"name": "lake.jpg", "mimeType": "image/jpeg", "buffer": photograph(300, 200)}
    page.get_by_label("Attach images").set_input_files([photo])
    simulator.script(say="A lake")
    send(page, "What is it?", model=FLASH)
    last_reply(page)
    mine = page.locator("article[data-role=user]")
    mine.hover()
    mine.get_by_role("link", name="Edit", exact=True).click()
    words = page.get_by_role("textbox", name="Your words")
    expect(words).to_have_value("What is it?")
    assert complaints(page) == [] if javascript else True
    expect(page.get_by_role("checkbox", name="lake.jpg")).to_be_checked()
    words.fill(" ")
    page.get_by_role("checkbox", name="lake.jpg").uncheck()
    page.get_by_role("button", name="Send as a new version").click()
    expect(page.get_by_role("alert")).to_contain_text("Write something")
    page.get_by_role("checkbox", name="lake.jpg").check()
    words.fill("What do you see?")
    simulator.script(say="Still a lake")
    page.get_by_role("button", name="Send as a new version").click()
    expect(last_reply(page)).to_have_text("Still a lake")
    expect(mine).to_have_count(1)
    expect(mine.locator("[data-body]")).to_contain_text("What do you see?")
    expect(mine.locator("[data-body] img")).to_have_count(1)
    page.get_by_role("button", name="Previous version").click()
    expect(mine.locator("[data-body]")).to_contain_text("What is it?")
    expect(last_reply(page)).to_have_text("A lake")


def test_an_edit_is_given_up_by_escape_unless_something_was_written(browse: Open, simulator: Simulator) -> None:
    page = browse()
    talk(page, simulator, "First answer")
    mine = page.locator("article[data-role=user]")
    edit = mine.get_by_role("link", name="Edit", exact=True)
    words = page.get_by_role("textbox", name="Your words")
    page.get_by_role("textbox", name="Message").press("ArrowUp")
    expect(words).to_be_focused()
    page.keyboard.press("Escape")
    expect(words).to_have_count(0)
    expect(edit).to_be_focused()
    page.keyboard.press("Enter")
    words.fill("Something else")
    page.keyboard.press("Escape")
    expect(words).to_have_value("Something else")
    mine.get_by_role("link", name="Cancel").click()
    expect(mine.locator("[data-body]")).to_have_text("Question 1")
