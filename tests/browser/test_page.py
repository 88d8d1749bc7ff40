"""What the page itself does: keeps its place, says what went wrong, carries pictures, and can be used by everybody."""

import gzip

import pytest
from playwright.sync_api import FilePayload, Locator, Page, Route, expect

from tests.browser.assistive import complaints
from tests.browser.conftest import DESKTOP, PHONE, Open, Watch, last_reply, send
from tests.browser.conftest import log_in as logged_in
from tests.services.photographs import photograph
from tests.simulator import Simulator

FLASH = "aimlapi/google/gemini-2.5-flash"
ANSWER = (
    "First paragraph.\\n\\nSecond one with **bold** words.\\n\\n- a point\\n- another\\n\\n"
    "| head |\\n|---|\\n| cell |\\n\\nThe last one ends it here."
)
PARAGRAPHS = "\\n\\n".join(f"Paragraph {number} of a long answer." for number in range(40))
# Where each piece of text of the newest reply stands, relative to the reply.
TEXT_PLACES = """(article) => {
    const walk = document.createTreeWalker(article.querySelector("[data-body]"), NodeFilter.SHOW_TEXT);
    const places = {}, range = document.createRange(), top = article.getBoundingClientRect().top;
    while (walk.nextNode()) {
        const word = walk.currentNode.data.trim().split(" ")[0];
        range.selectNodeContents(walk.currentNode);
        if (word) places[word] ??= Math.round(range.getClientRects()[0].top - top);
    }
    return places;
}"""


def log_in(page: Page) -> None:
    """Come in and wait for the page's scripts, which a person is never quicker than."""
    logged_in(page)
    page.wait_for_load_state()


def newest(page: Page) -> Locator:
    return page.locator("article[data-role=assistant]").last


def message_box(page: Page) -> Locator:
    return page.get_by_role("textbox", name="Message")


def paragraph(page: Page, number: int) -> Locator:
    return newest(page).get_by_text(f"Paragraph {number} of")


def photo(name: str) -> FilePayload:
    return {"name": name, "mimeType": "image/jpeg", "buffer": photograph(300, 200)}


def test_no_word_moves_when_the_finished_reply_replaces_the_streamed_one(browse: Open, simulator: Simulator) -> None:
    page = browse()
    log_in(page)
    simulator.script(say=ANSWER, hold=25)
    send(page, "Hello", model=FLASH)
    expect(page.locator("[data-tail]")).to_contain_text("ends it")
    streamed = newest(page).evaluate(TEXT_PLACES)
    assert simulator.wait_held()
    simulator.release()
    last_reply(page)
    finished = newest(page).evaluate(TEXT_PLACES)
    assert {"First", "Second", "bold", "another", "The"} <= set(finished)
    assert {word: streamed.get(word) for word in finished} == finished


def test_the_page_follows_a_reply_only_while_its_reader_is_at_the_end(browse: Open, simulator: Simulator) -> None:
    page = browse()
    log_in(page)
    simulator.script(say=PARAGRAPHS, hold=120)
    send(page, "Hello", model=FLASH)
    expect(paragraph(page, 15)).to_be_in_viewport()
    page.locator("#scroller").hover()
    page.mouse.wheel(0, -200)
    expect(page.get_by_role("button", name="To the end")).to_be_visible()
    seen = paragraph(page, 9)
    before = seen.bounding_box()
    assert simulator.wait_held()
    simulator.release()
    last_reply(page)
    after = seen.bounding_box()
    assert before
    assert after
    assert abs(before["y"] - after["y"]) < 2
    page.get_by_role("button", name="To the end").click()
    expect(paragraph(page, 39)).to_be_in_viewport()
    expect(page.get_by_role("button", name="To the end")).to_be_hidden()


def test_a_finished_reply_is_announced_once_and_nothing_before(browse: Open, simulator: Simulator) -> None:
    page = browse()
    log_in(page)
    simulator.script(say=ANSWER, hold=5)
    send(page, "Hello", model=FLASH)
    expect(page.locator("[data-body]").last).to_contain_text("First paragraph")
    expect(page.locator("#announcer")).to_be_empty()
    page.evaluate(
        """() => { window.changes = 0; new MutationObserver((records) => { changes += records.length })
            .observe(announcer, {childList: true}) }"""
    )
    assert simulator.wait_held()
    simulator.release()
    last_reply(page)
    expect(page.locator("#announcer")).to_contain_text("The last one ends it here.")
    assert page.evaluate("changes") == 1


def test_a_lost_connection_keeps_the_text_and_the_pictures(browse: Open, watch: Watch) -> None:
    watch.allowed = ["ERR_INTERNET_DISCONNECTED", "[object"]
    page = browse()
    log_in(page)
    send(page, "Hello", model=FLASH)
    last_reply(page)
    page.get_by_label("Attach images").set_input_files([photo("one.jpg")])
    page.context.set_offline(True)
    message_box(page).fill("Are you there?")
    message_box(page).press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("cannot be reached")
    expect(message_box(page)).to_have_value("Are you there?")
    expect(page.get_by_alt_text("one.jpg")).to_be_visible()
    page.context.set_offline(False)
    message_box(page).press("Enter")
    last_reply(page, count=2)
    expect(page.get_by_role("alert")).to_have_count(0)
    expect(message_box(page)).to_have_value("")
    expect(page.locator("article[data-role=user]").last.locator("img")).to_have_count(1)


@pytest.mark.parametrize(("status", "words"), [(413, "too large"), (403, "out of date"), (502, "could not do this")])
def test_an_answer_that_is_not_ours_becomes_a_sentence(browse: Open, watch: Watch, status: int, words: str) -> None:
    watch.allowed = [f"status of {status}", "Response Status Error"]
    page = browse()
    log_in(page)
    page.route("**/", lambda route: route.fulfill(status=status, body="<h1>Proxy</h1>", content_type="text/html"))
    send(page, "Hello", model=FLASH)
    expect(page.get_by_role("alert")).to_contain_text(words)
    expect(page.get_by_text("Proxy")).to_have_count(0)
    expect(message_box(page)).to_have_value("Hello")


def test_chosen_pictures_add_up_and_can_be_taken_out(browse: Open) -> None:
    page = browse()
    log_in(page)
    attach = page.get_by_label("Attach images")
    attach.set_input_files([photo("one.jpg"), photo("two.jpg")])
    attach.set_input_files([photo("three.jpg")])
    page.get_by_role("button", name="Remove two.jpg").click()
    expect(page.locator("#previews li")).to_have_count(2)
    send(page, "Look", model=FLASH)
    last_reply(page)
    expect(page.locator("article[data-role=user] img")).to_have_count(2)
    expect(page.locator("#previews li")).to_have_count(0)


def test_pictures_chosen_before_the_scripts_came_are_shown(browse: Open) -> None:
    page = browse()
    log_in(page)
    held: list[Route] = []
    page.route("**/composer*.js", lambda route: held.append(route))
    with page.expect_request("**/composer*.js"):
        page.goto("/", wait_until="commit")
    page.get_by_label("Attach images").set_input_files([photo("early.jpg")])
    held.pop().continue_()
    expect(page.get_by_alt_text("early.jpg")).to_be_visible()


def test_what_is_written_while_a_message_is_sent_stays(browse: Open) -> None:
    page = browse()
    log_in(page)
    send(page, "Hello", model=FLASH)
    last_reply(page)

    def typed_meanwhile(route: Route) -> None:
        message_box(page).press_sequentially(" and more")
        route.continue_()

    page.route("**/c/**", typed_meanwhile)
    message_box(page).fill("A question")
    page.get_by_role("button", name="Send").click()
    last_reply(page, count=2)
    expect(page.locator("article[data-role=user]").last).to_contain_text("A question")
    expect(message_box(page)).to_have_value(" and more")


def test_the_list_and_the_settings_open_without_javascript_on_a_phone(browse: Open) -> None:
    page = browse(javascript=False, size=PHONE)
    log_in(page)
    link = page.get_by_role("navigation").get_by_role("link", name="New conversation")
    expect(link).to_be_hidden()
    page.get_by_role("button", name="Conversations").click()
    expect(link).to_be_visible()
    page.keyboard.press("Escape")
    expect(link).to_be_hidden()
    page.get_by_role("button", name="Settings of this conversation").click()
    page.get_by_label("System prompt").fill("Answer in CAPITALS.")
    page.keyboard.press("Escape")
    send(page, "Hello", model=FLASH)
    expect(last_reply(page)).to_contain_text("HELLO")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_assistive_technology_finds_nothing_to_complain_about(
    browse: Open, simulator: Simulator, scheme: str, size: dict[str, int]
) -> None:
    page = browse(size=size, color_scheme=scheme)
    page.goto("/accounts/login/")
    assert complaints(page) == []
    log_in(page)
    assert complaints(page) == []
    simulator.script(
        say="# A\\n\\n| a | b |\\n|---|---|\\n| 1 | 2 |\\n\\n```python\\n@x\\ndef f(): return 1  # c\\n```"
    )
    send(page, "Hello", model=FLASH)
    last_reply(page)
    simulator.script(fault="401")
    send(page, "Hello again")
    last_reply(page, "failed", count=2)
    assert complaints(page) == []
    page.get_by_role("link", name="Settings of this conversation").click()
    expect(page.get_by_label("System prompt")).to_be_visible()
    assert complaints(page) == []


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_the_main_controls_are_large_enough_for_a_finger(browse: Open, size: dict[str, int]) -> None:
    page = browse(size=size, has_touch=True)
    log_in(page)
    controls = page.locator(".send, .attach, .composer select, .chat-header button, .suggestion")
    boxes = [box for control in controls.all() if (box := control.bounding_box())]
    assert len(boxes) >= 6
    assert all(box["width"] >= 44 and box["height"] >= 44 for box in boxes)


def test_the_message_box_stands_at_the_bottom_however_little_was_said(browse: Open) -> None:
    page = browse(size=PHONE)
    log_in(page)
    send(page, "Hello")
    last_reply(page)
    page.reload()
    box = page.locator("#composer").bounding_box()
    assert box
    assert PHONE["height"] - 24 <= box["y"] + box["height"] <= PHONE["height"]


def test_the_first_page_is_light(browse: Open) -> None:
    """At most 60 kB in ten requests, everything compressed as a browser asks for it."""
    page = browse()
    log_in(page)
    addresses: list[str] = []
    page.on("request", lambda request: addresses.append(request.url))
    page.goto("/", wait_until="networkidle")
    sizes = {address: len(gzip.compress(page.request.get(address).body())) for address in addresses}
    assert 6 <= len(sizes) <= 10
    assert sum(sizes.values()) <= 60_000
