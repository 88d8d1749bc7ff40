"""What can be read under an answer and done with it; and a page that stays calm while an answer comes."""

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.assistive import complaints
from tests.browser.conftest import DESKTOP, PHONE, Open, last_reply, log_in, send
from tests.serving import until
from tests.simulator import Simulator

FLASH = "aimlapi/google/gemini-2.5-flash"
PAINTER = "segmind/gemini-2-flash-image-generation"
SIZES = pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
CLIPBOARD = ["clipboard-read", "clipboard-write"]
TABLE = (
    "# Cities\\n\\n| city | change | note |\\n|---|---:|---|\\n"
    '| Köln | -3 % | says "hello", twice |\\n| =HYPERLINK(\\"x\\") | +1.5 | @home |\\n\\nThat is **all**.'
)
PARAGRAPHS = "\\n\\n".join(f"Paragraph {number} of a long answer." for number in range(40))
# Stands in for the voices of a machine that has none: says what is spoken and lets a test say when it ends.
VOICE = """
window.spoken = [];
Object.defineProperty(window, "speechSynthesis", { value: {
    speak: (utterance) => spoken.push(utterance), cancel: () => { spoken.length = 0; } } });
"""


def opened(browse: Open, **options: object) -> Page:
    page = browse(**options)
    log_in(page)
    page.wait_for_load_state()
    return page


def newest(page: Page) -> Locator:
    return page.locator("article[data-role=assistant]").last


def clipboard(page: Page) -> str:
    text: str = page.evaluate("navigator.clipboard.readText()")
    return text


@SIZES
def test_a_reply_says_what_it_took(browse: Open, size: dict[str, int]) -> None:
    page = opened(browse, size=size)
    send(page, "[[think:Let me see.]] Hello", model=FLASH)
    last_reply(page)
    if size is PHONE:
        expect(newest(page).get_by_text("tokens in")).to_be_hidden()
        newest(page).get_by_text("Details", exact=True).click()
    figures = newest(page).locator(".figures")
    for words in ("to the first word", " s in all", "tokens in", " out", "$"):
        expect(figures).to_contain_text(words)
    expect(newest(page).get_by_text("tokens in")).to_be_visible()
    expect(newest(page).get_by_text(re.compile(r"^Thought for (under )?[\d.]+ s$"))).to_be_visible()
    expect(page.locator("#meter")).to_contain_text("Context less than 1 % full")
    assert complaints(page) == []


def test_a_message_is_copied_as_text_and_as_markdown(browse: Open, simulator: Simulator) -> None:
    page = opened(browse, permissions=CLIPBOARD)
    simulator.script(say="Some **bold** words.")
    send(page, "My *own* words", model=FLASH)
    last_reply(page)
    newest(page).get_by_role("button", name="Copy this reply").click()
    expect(page.locator("#announcer")).to_have_text("Copied.")
    assert clipboard(page) == "Some bold words."
    newest(page).get_by_role("link", name="Copy as Markdown").click()
    until(lambda: clipboard(page) == "Some **bold** words.", "the Markdown on the clipboard")
    mine = page.locator("article[data-role=user]")
    mine.hover()
    mine.get_by_role("link", name="Copy as Markdown").click()
    until(lambda: clipboard(page) == "My *own* words", "the message on the clipboard")


def test_without_javascript_the_markdown_opens_and_nothing_else_is_offered(browse: Open) -> None:
    page = browse(javascript=False)
    log_in(page)
    send(page, "Say **this**", model=FLASH)
    last_reply(page)
    expect(newest(page).get_by_role("button", name="Read aloud")).to_be_hidden()
    expect(newest(page).get_by_role("button", name="Copy this reply")).to_be_hidden()
    page.locator("article[data-role=user]").get_by_role("link", name="Copy as Markdown").click()
    expect(page.locator("body")).to_have_text("Say **this**")


@pytest.mark.parametrize("options", [{}, {"size": PHONE}, {"javascript": False}], ids=["desktop", "phone", "plain"])
def test_a_table_is_saved_for_a_spreadsheet(browse: Open, simulator: Simulator, options: dict[str, Any]) -> None:
    page = opened(browse, **options)
    simulator.script(say=TABLE)
    send(page, "A table, please", model=FLASH)
    expect(last_reply(page).locator("td").first).to_be_visible()
    if options.get("javascript", True):
        assert complaints(page) == []
    with page.expect_download() as saved:
        newest(page).get_by_role("link", name="Download this table as CSV").click()
    assert saved.value.suggested_filename == "table.csv"
    assert '"Köln","-3 %"' in Path(saved.value.path()).read_text(encoding="utf-8-sig")


def test_an_answer_is_read_aloud_until_its_end_or_a_second_press(browse: Open, simulator: Simulator) -> None:
    page = browse()
    page.add_init_script(VOICE)
    log_in(page)
    page.wait_for_load_state()
    simulator.script(say="Hello there.\\n\\n```python\\nprint(1)\\n```\\n\\nمرحبا بك")
    send(page, "Hello", model=FLASH)
    last_reply(page)
    button = newest(page).get_by_role("button", name="Read aloud")
    button.click()
    expect(button).to_have_attribute("aria-pressed", "true")
    assert page.evaluate("spoken.map(({ text }) => text)") == ["Hello there.", "مرحبا بك", ""]
    page.evaluate("spoken.at(-1).onend()")
    expect(button).to_have_attribute("aria-pressed", "false")
    button.click()
    button.click()
    expect(button).to_have_attribute("aria-pressed", "false")
    assert page.evaluate("spoken.length") == 0


def test_reading_aloud_is_not_offered_where_there_is_no_voice(browse: Open) -> None:
    page = browse()
    page.add_init_script("delete window.speechSynthesis; delete Window.prototype.speechSynthesis")
    log_in(page)
    send(page, "Hello", model=FLASH)
    last_reply(page)
    expect(newest(page).get_by_role("button", name="Copy this reply")).to_be_visible()
    expect(newest(page).get_by_role("button", name="Read aloud")).to_be_hidden()


@SIZES
def test_a_line_shows_where_the_memory_begins_as_soon_as_something_is_left_out(
    browse: Open, size: dict[str, int]
) -> None:
    page = opened(browse, size=size)
    line = page.get_by_text("The model's memory begins here")
    send(page, "7" * 29_000, model=PAINTER)
    last_reply(page)
    expect(line).to_be_hidden()
    send(page, "8" * 29_000)
    last_reply(page, count=2)
    expect(line).to_be_visible()
    assert line.evaluate("(line) => line.nextElementSibling.textContent.includes('888')")
    expect(page.locator("#meter")).to_contain_text("Context full: the oldest messages are left out")
    assert complaints(page) == []
    page.reload()
    expect(line).to_be_visible()
    assert line.evaluate("(line) => line.nextElementSibling.textContent.includes('888')")


@SIZES
def test_what_is_read_stays_in_place_while_the_answer_and_what_is_above_grow(
    browse: Open, simulator: Simulator, size: dict[str, int]
) -> None:
    page = opened(browse, size=size)
    simulator.script(say=PARAGRAPHS, hold=120)
    send(page, "Hello", model=FLASH)
    expect(newest(page).get_by_text("Paragraph 15 of")).to_be_in_viewport()
    page.locator("#scroller").hover()
    page.mouse.wheel(0, -200)
    expect(page.get_by_role("button", name="To the end")).to_be_visible()
    seen = newest(page).get_by_text("Paragraph 9 of")
    before = seen.bounding_box()
    page.evaluate("document.querySelector('article[data-role=user]').style.paddingBlockEnd = '300px'")  # a picture came
    assert simulator.wait_held()
    simulator.release()
    last_reply(page)
    after = seen.bounding_box()
    assert before
    assert after
    assert abs(before["y"] - after["y"]) < 2


@SIZES
def test_who_comes_back_to_the_tab_finds_the_end_of_the_answer(
    browse: Open, simulator: Simulator, size: dict[str, int]
) -> None:
    page = opened(browse, size=size)
    simulator.script(say=PARAGRAPHS, hold=60)
    send(page, "Hello", model=FLASH)
    expect(newest(page).get_by_text("Paragraph 5 of")).to_be_in_viewport()
    other = page.context.new_page()
    other.bring_to_front()
    assert simulator.wait_held()
    simulator.release()
    last_reply(page)
    page.bring_to_front()
    expect(newest(page).get_by_text("Paragraph 39 of")).to_be_in_viewport()
    expect(page.get_by_role("button", name="To the end")).to_be_hidden()


def test_a_thinking_model_is_said_to_think_and_for_how_long(browse: Open, simulator: Simulator) -> None:
    page = opened(browse)
    simulator.script(think="one two three four five six", say="Done.", hold=4)
    send(page, "Hello", model=FLASH)
    expect(newest(page).locator("[data-state]")).to_have_text("Thinking…")
    expect(newest(page).locator(".seconds")).to_have_text(re.compile(r"^\d+ s$"))
    assert simulator.wait_held()
    simulator.release()
    last_reply(page)
    summary = newest(page).get_by_text(re.compile("^Thought for"))
    summary.click()
    expect(newest(page).get_by_text("one two three four five six")).to_be_visible()
