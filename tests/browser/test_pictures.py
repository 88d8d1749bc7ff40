"""Pictures: chosen, put in order, refused, sent again, looked at and described; with JavaScript and without."""

import re

import pytest
from playwright.sync_api import FilePayload, Page, Route, ViewportSize, expect

from tests.browser.assistive import complaints
from tests.browser.conftest import DESKTOP, PHONE, Open, Watch, last_reply, log_in, send
from tests.browser.test_journeys import FLASH, PAINTER, centre, picture_of
from tests.services.photographs import photograph
from tests.simulator import Simulator

SIZES = pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])


def photo(name: str, width: int = 300) -> FilePayload:
    return {"name": name, "mimeType": "image/jpeg", "buffer": photograph(width, 200)}


def letter(name: str) -> FilePayload:
    return {"name": name, "mimeType": "image/png", "buffer": b"this is no picture"}


def choose(page: Page, *files: FilePayload) -> None:
    page.get_by_label("Attach images").set_input_files(list(files))


def names(page: Page, within: str) -> list[str]:
    return [str(image.get_attribute("alt")) for image in page.locator(f"{within} img").all()]


@SIZES
def test_pictures_are_sent_in_the_order_they_were_put_in_by_keyboard(browse: Open, size: ViewportSize) -> None:
    page = browse(size=size)
    log_in(page)
    choose(page, photo("one.jpg"), photo("two.jpg"), photo("three.jpg"))
    page.get_by_role("button", name="Move earlier three.jpg").press("Enter")
    earlier = page.get_by_role("button", name="Move earlier three.jpg (2/3)")
    expect(earlier).to_be_focused()
    earlier.press("Enter")
    expect(page.get_by_role("button", name="Move earlier three.jpg (1/3)")).to_be_focused()
    assert complaints(page) == []
    page.get_by_role("button", name="Remove one.jpg").click()
    send(page, "Look", model=FLASH)
    last_reply(page)
    assert names(page, "article[data-role=user]") == ["three.jpg", "two.jpg"]
    expect(page.locator("#previews li")).to_have_count(0)


@pytest.mark.parametrize("javascript", [True, False], ids=["htmx", "plain"])
def test_refusing_one_of_three_keeps_two_and_sends_them_without_another_upload(
    browse: Open, watch: Watch, javascript: bool
) -> None:
    watch.allowed = ["status of 422", "Error Code 422"]
    page = browse(javascript=javascript)
    log_in(page)
    choose(page, photo("one.jpg"), letter("letter.png"), photo("two.jpg"))
    send(page, "Look at these", model=FLASH)
    expect(page.get_by_role("alert")).to_contain_text("“letter.png”: This is not a picture")
    expect(page.get_by_role("textbox", name="Message")).to_have_value("Look at these")
    assert names(page, "#previews") == ["one.jpg", "two.jpg"]
    assert page.get_by_label("Attach images").evaluate("(input) => input.files.length") == 0
    if javascript:
        page.get_by_role("button", name="Move earlier two.jpg").click()
    else:
        page.get_by_role("checkbox", name="Send this picture").first.uncheck()
    page.get_by_role("button", name="Send").click()
    last_reply(page)
    assert names(page, "article[data-role=user]") == (["two.jpg", "one.jpg"] if javascript else ["two.jpg"])


def test_pictures_kept_and_new_ones_go_out_in_the_order_of_the_cards(browse: Open, watch: Watch) -> None:
    watch.allowed = ["status of 422", "Error Code 422"]
    page = browse()
    log_in(page)
    choose(page, photo("kept.jpg"), letter("letter.png"))
    send(page, "Look", model=FLASH)
    expect(page.locator("#previews img").first).to_have_attribute("src", re.compile("thumbnail"))
    choose(page, photo("new.jpg"))
    page.get_by_role("button", name="Move earlier new.jpg").click()
    page.get_by_role("button", name="Send").click()
    last_reply(page)
    assert names(page, "article[data-role=user]") == ["new.jpg", "kept.jpg"]


def test_a_slow_upload_says_how_far_it_is(browse: Open) -> None:
    page = browse()
    log_in(page)
    network = page.context.new_cdp_session(page)
    choose(page, {"name": "noise.jpg", "mimeType": "image/jpeg", "buffer": photograph(300, 200) + b"\0" * 1_500_000})
    slow = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": 500_000}
    network.send("Network.emulateNetworkConditions", slow)
    send(page, "Look", model=FLASH)
    expect(page.get_by_role("progressbar", name="Uploading")).to_be_visible()
    expect(page.locator("#upload")).to_contain_text(re.compile(r"[1-9]\d* %"))
    last_reply(page)
    expect(page.get_by_role("progressbar", name="Uploading")).to_be_hidden()


def test_a_photo_can_be_taken_where_there_is_a_touch_screen(browse: Open) -> None:
    page = browse()
    log_in(page)
    expect(page.get_by_title("Take a photo")).to_be_hidden()
    phone = browse(size=PHONE, has_touch=True, is_mobile=True)
    log_in(phone)
    expect(phone.get_by_title("Take a photo")).to_be_visible()
    phone.get_by_label("Take a photo").set_input_files([photo("camera.jpg")])
    send(phone, "Look", model=FLASH)
    last_reply(phone)
    assert names(phone, "article[data-role=user]") == ["camera.jpg"]


@SIZES
def test_the_viewer_by_keyboard(browse: Open, size: ViewportSize) -> None:
    page = browse(size=size)
    log_in(page)
    choose(page, photo("one.jpg"), photo("two.jpg"))
    send(page, "Look", model=FLASH)
    last_reply(page)
    link = page.locator("article [data-view]").first
    link.press("Enter")
    viewer = page.get_by_role("dialog", name="Picture")
    expect(viewer).to_contain_text("1 / 2 · one.jpg")
    shown = viewer.get_by_role("img", name="one.jpg")
    before = shown.bounding_box()
    page.keyboard.press("+")
    larger = shown.bounding_box()
    assert before
    assert larger
    assert larger["width"] > before["width"] * 1.2
    page.keyboard.press("0")
    assert shown.bounding_box() == before
    assert complaints(page) == []
    page.keyboard.press("ArrowRight")
    expect(viewer).to_contain_text("2 / 2 · two.jpg")
    page.keyboard.press("ArrowRight")
    expect(viewer).to_contain_text("1 / 2 · one.jpg")
    with page.expect_download() as download:
        viewer.get_by_role("link", name="Download").click()
    assert download.value.suggested_filename.startswith("picture-")
    page.keyboard.press("Escape")
    expect(viewer).to_be_hidden()
    expect(link).to_be_focused()


@pytest.mark.parametrize("javascript", [True, False], ids=["htmx", "plain"])
def test_words_for_a_picture_replace_the_name_of_its_file(browse: Open, javascript: bool) -> None:
    page = browse(javascript=javascript)
    log_in(page)
    choose(page, photo("one.jpg"))
    send(page, "Look", model=FLASH)
    last_reply(page)
    page.locator("article figure").hover()
    page.get_by_role("link", name="Describe this picture").click()
    page.get_by_label("Description").fill("A lake in the morning")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("article[data-role=user] img")).to_have_attribute("alt", "A lake in the morning")
    if javascript:
        expect(page.get_by_role("dialog")).to_contain_text("A lake in the morning")
        expect(page.get_by_role("dialog").get_by_role("status").last).to_have_text("Saved.")


@pytest.mark.parametrize("javascript", [True, False], ids=["htmx", "plain"])
def test_a_picture_further_up_is_edited_without_another_upload(
    browse: Open, simulator: Simulator, javascript: bool
) -> None:
    page = browse(javascript=javascript)
    log_in(page)
    send(page, "Draw a red circle on a blue background", model=PAINTER)
    expect(last_reply(page).locator("img")).to_be_visible()
    send(page, "Hello", model=FLASH)
    last_reply(page, count=2)
    page.locator("article[data-role=assistant] figure").first.hover()
    page.get_by_role("link", name="Edit this picture").first.click()
    expect(page.locator("#previews li")).to_have_count(1)
    expect(page.get_by_role("combobox", name="Model")).to_have_value(PAINTER)
    expect(page.locator("#composer-notice")).to_contain_text("A model that can draw was chosen")
    send(page, "Make it green")
    expect(last_reply(page, count=3).locator("img")).to_be_visible()
    colour = centre(picture_of(page, 1))
    assert colour[1] > colour[0]
    last = simulator.requests[-1].body["messages"]["contents"][-1]
    assert [part for part in last["parts"] if "inlineData" in part]


def test_a_picture_in_the_viewer_can_be_taken_for_editing(browse: Open) -> None:
    page = browse()
    log_in(page)
    choose(page, photo("one.jpg"))
    send(page, "Look", model=FLASH)
    last_reply(page)
    page.locator("article [data-view]").click()
    page.get_by_role("dialog").get_by_role("button", name="Edit this picture").click()
    expect(page.get_by_role("dialog")).to_be_hidden()
    expect(page.locator("#previews li")).to_have_count(1)
    assert names(page, "#previews") == ["one.jpg"]
    expect(page.get_by_role("textbox", name="Message")).to_be_focused()


def test_what_is_sent_at_once_takes_its_pictures_along(browse: Open) -> None:
    """The part of the script that shows pictures is still on its way."""
    page = browse()
    log_in(page)
    held: list[Route] = []
    page.route("**/pictures*.js", lambda route: held.append(route))
    with page.expect_request("**/pictures*.js"):
        choose(page, photo("early.jpg"))
    send(page, "Look", model=FLASH)
    expect(page.locator("article")).to_have_count(0)
    held.pop().continue_()
    last_reply(page)
    assert names(page, "article[data-role=user]") == ["early.jpg"]
