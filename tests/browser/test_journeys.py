"""What people do, from the first start to an edited picture; the same with JavaScript off."""

import base64
import io
import re
import signal
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tests.browser.conftest import PHONE, Open, Watch, last_reply, log_in, send
from tests.services.photographs import TELLTALES, photograph
from tests.serving import Server
from tests.simulator import Simulator

FLASH = "aimlapi/google/gemini-2.5-flash"
PAINTER = "segmind/gemini-2-flash-image-generation"
SEEING = [FLASH, PAINTER, "segmind/gemini-1.5-pro", "segmind/gemini-2.5-flash"]


@pytest.fixture
def holiday(tmp_path: Path) -> Path:
    path = tmp_path / "holiday.jpg"
    path.write_bytes(photograph(1200, 800, orientation=6))
    return path


def picture_of(page: Page, number: int) -> Image.Image:
    """The stored original of the newest reply's picture, as the browser gets it."""
    link = page.locator("article[data-role=assistant] [data-body] a:has(img)").nth(number)
    response = page.request.get(str(link.get_attribute("href")))
    assert response.ok
    return Image.open(io.BytesIO(response.body())).convert("RGB")


def centre(image: Image.Image) -> tuple[int, ...]:
    colour = image.getpixel((image.width // 2, image.height // 2))
    assert isinstance(colour, tuple)
    return colour


@pytest.mark.parametrize("javascript", [True, False], ids=["htmx", "plain"])
def test_first_start_to_first_answer_of_the_local_model(
    browse: Open, tmp_path: Path, server: Server, javascript: bool
) -> None:
    """A machine without any key: one link, one name, one password, one real answer."""
    server.kill()
    server.data = tmp_path / "fresh"
    server.data.mkdir()
    server.settings = {"CHATSITE_LOCAL_MODEL": "true"}
    server.start()
    link = re.search(r"http://\S+/setup/\S+", server.log)
    assert link
    page = browse(javascript=javascript)
    page.goto(link[0])
    page.get_by_label("Username").fill("root")
    page.locator("input[name=password1]").fill("correct horse battery staple")
    page.locator("input[name=password2]").fill("correct horse battery staple")
    page.get_by_role("button", name="Create administrator").click()
    send(page, "Say hello in one short sentence.")
    assert len(last_reply(page).inner_text()) > 3
    send(page, "Now say goodbye.")
    assert len(last_reply(page, count=2).inner_text()) > 3
    page.close()  # it asks for news every few seconds, and would complain that nobody answers any more
    assert server.terminate(signal.SIGINT) in (0, 130, -2)


@pytest.mark.parametrize("javascript", [True, False], ids=["htmx", "plain"])
def test_several_turns_stream_and_are_remembered(browse: Open, server: Server, javascript: bool) -> None:
    page = browse(javascript=javascript)
    log_in(page)
    send(page, "My name is Ada. [[delay:30]]", model=FLASH)
    last_reply(page)
    send(page, "What is my name?")
    expect(last_reply(page, count=2)).to_contain_text("Ada")
    expect(page).to_have_url(re.compile("/c/"))
    expect(page.get_by_role("link", name=re.compile("My name is Ada"))).to_be_visible()


@pytest.mark.parametrize("javascript", [True, False], ids=["htmx", "plain"])
@pytest.mark.parametrize("model", SEEING)
def test_a_photograph_for_each_model_that_sees(
    browse: Open, simulator: Simulator, holiday: Path, model: str, javascript: bool
) -> None:
    """It arrives upright, smaller, without its hidden data; the simulator describes what it really got."""
    page = browse(javascript=javascript)
    log_in(page)
    send(page, "What is in this picture?", model=model, images=[holiday])
    expect(last_reply(page)).to_contain_text("1200 × 800")
    expect(page.locator("article[data-role=user] [data-body] img")).to_be_visible()
    sent = b"".join(
        base64.b64decode(found) for found in re.findall(rb"[A-Za-z0-9+/=]{1000,}", simulator.requests[-1].raw)
    )
    assert len(sent) > 1000
    assert not [word for word in (b"Exif", *TELLTALES) if word in sent]


@pytest.mark.parametrize("javascript", [True, False], ids=["htmx", "plain"])
def test_a_picture_is_drawn_and_edited_twice(browse: Open, javascript: bool) -> None:
    page = browse(javascript=javascript)
    log_in(page)
    send(page, "Draw a red circle on a blue background", model=PAINTER)
    expect(last_reply(page).locator("img")).to_be_visible()
    red, _, blue = centre(picture_of(page, 0))
    assert red > 150 > blue
    send(page, "Make it green")
    expect(last_reply(page, count=2).locator("img")).to_be_visible()
    first = centre(picture_of(page, 1))
    assert first[1] > first[0]
    send(page, "Rotate it")
    expect(last_reply(page, count=3).locator("img")).to_be_visible()
    assert centre(picture_of(page, 2))[1] > 80


def test_a_drawn_picture_goes_to_a_chat_completions_model_in_the_next_turn(browse: Open, simulator: Simulator) -> None:
    page = browse()
    log_in(page)
    send(page, "Draw a red circle", model=PAINTER)
    expect(last_reply(page).locator("img")).to_be_visible()
    send(page, "What do you see?", model=FLASH)
    last_reply(page, count=2)
    messages = simulator.requests[-1].body["messages"]
    assert [type(message["content"]) for message in messages[:2]] == [str, str]
    assert any(part["type"] == "image_url" for part in messages[2]["content"])


def test_stop_and_retry(browse: Open, simulator: Simulator) -> None:
    page = browse()
    log_in(page)
    expect(page.get_by_role("button", name="Stop")).to_be_hidden()
    send(page, "[[tokens:40]] [[hold:20]]", model=FLASH)
    expect(page.locator("[data-body]").last).to_contain_text("w20")
    page.get_by_role("button", name="Stop").click()
    expect(last_reply(page, "stopped")).to_contain_text("w20")
    expect(page.get_by_role("button", name="Stop")).to_be_hidden()
    page.get_by_role("button", name="Retry").click()
    expect(last_reply(page, re.compile("pending|streaming"))).to_contain_text("w20")
    assert simulator.wait_held()
    simulator.release()
    expect(last_reply(page)).to_contain_text("w40")


def test_stop_and_retry_without_javascript(browse: Open, simulator: Simulator) -> None:
    page = browse(javascript=False)
    log_in(page)
    send(page, "[[tokens:40]] [[hold:20]]", model=FLASH)
    expect(page.locator("[data-body]").last).to_contain_text("w20")
    page.get_by_role("button", name="Stop").click()
    expect(last_reply(page, "stopped")).to_contain_text("w20")
    page.get_by_role("button", name="Retry").click()
    assert simulator.wait_held()
    simulator.release()
    expect(last_reply(page)).to_contain_text("w40")


def test_a_reload_in_the_middle_shows_the_same_text(browse: Open, simulator: Simulator) -> None:
    page = browse()
    log_in(page)
    send(page, "[[tokens:40]] [[hold:20]]", model=FLASH)
    expect(page.locator("[data-body]").last).to_contain_text("w20")
    page.reload()
    expect(page.locator("[data-body]").last).to_have_text(" ".join(f"w{n}" for n in range(1, 21)))
    assert simulator.wait_held()
    simulator.release()
    expect(last_reply(page)).to_have_text(" ".join(f"w{n}" for n in range(1, 41)))


def test_a_restarted_server_is_found_again_without_doubled_text(
    browse: Open, simulator: Simulator, server: Server, watch: Watch
) -> None:
    watch.allowed = ["net::ERR", "Failed to load resource", "[object Event]"]
    page = browse()
    log_in(page)
    send(page, "[[tokens:40]] [[hold:20]]", model=FLASH)
    expect(page.locator("[data-body]").last).to_contain_text("w20")
    server.kill()
    server.start()
    body = last_reply(page, "interrupted")
    expect(body).to_have_text(" ".join(f"w{n}" for n in range(1, 21)))
    expect(page.get_by_role("alert")).to_contain_text("restarted")


def test_refused_input_keeps_the_text_where_it_was(browse: Open, tmp_path: Path, watch: Watch) -> None:
    watch.allowed = ["status of 422", "Error Code 422"]
    page = browse()
    log_in(page)
    letter = tmp_path / "letter.png"
    letter.write_bytes(b"this is no picture")
    send(page, "Look at this", model=FLASH, images=[letter])
    expect(page.get_by_role("alert")).to_contain_text("letter.png")
    expect(page.get_by_role("textbox", name="Message")).to_have_value("Look at this")


def test_settings_rename_delete_and_undo(browse: Open) -> None:
    for javascript in (True, False):
        page = browse(javascript=javascript)
        log_in(page)
        send(page, "Recipe for soup", model=FLASH)
        last_reply(page)
        page.get_by_role("link", name="Settings of this conversation").click()
        page.get_by_label("Title").fill("Soup of the day")
        page.get_by_label("System prompt").fill("Answer like a cook.")
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_role("heading", name="Soup of the day")).to_be_visible()
        page.get_by_role("link", name="Settings of this conversation").click()
        page.get_by_role("button", name="Delete conversation").click()
        expect(page.get_by_text("was deleted")).to_be_visible()
        page.get_by_role("button", name="Undo").click()
        expect(page.get_by_role("heading", name="Soup of the day")).to_be_visible()


def test_hostile_markup_of_a_model_does_nothing(browse: Open) -> None:
    page = browse()
    log_in(page)
    page.on("dialog", lambda dialog: pytest.fail(f"a dialog: {dialog.message}"))
    send(page, "[[fault:markup]]", model=FLASH)
    body = last_reply(page)
    expect(body.locator("script, iframe, img, svg, form, input")).to_have_count(0)
    page.reload()
    expect(last_reply(page).locator("script, iframe, img, svg, form, input")).to_have_count(0)


def test_keyboard_alone_is_enough_on_a_phone_sized_page(browse: Open) -> None:
    page = browse(size=PHONE)
    log_in(page)
    page.get_by_role("textbox", name="Message").focus()
    page.keyboard.type("first line")
    page.keyboard.press("Shift+Enter")
    page.keyboard.type("second line")
    page.keyboard.press("Enter")
    last_reply(page)
    expect(page.locator("article[data-role=user] [data-body]")).to_have_text("first line\nsecond line")
    expect(page.get_by_role("textbox", name="Message")).to_be_focused()
    expect(page.get_by_role("textbox", name="Message")).to_have_value("")
    width = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert width <= 0


def test_pasted_and_dropped_pictures_are_sent(browse: Open, holiday: Path) -> None:
    page = browse()
    log_in(page)
    page.wait_for_load_state()
    page.get_by_role("combobox", name="Model").select_option(FLASH)
    give = """async ([kind, name, base64]) => {
        const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
        const data = new DataTransfer();
        data.items.add(new File([bytes], name, {type: "image/jpeg"}));
        const target = document.getElementById("text");
        const event = kind === "paste"
            ? new ClipboardEvent("paste", {clipboardData: data, bubbles: true, cancelable: true})
            : new DragEvent("drop", {dataTransfer: data, bubbles: true, cancelable: true});
        target.dispatchEvent(event);
    }"""
    content = base64.b64encode(holiday.read_bytes()).decode()
    page.evaluate(give, ["paste", "pasted.jpg", content])
    page.evaluate(give, ["drop", "dropped.jpg", content])
    send(page, "Two pictures")
    last_reply(page)
    expect(page.locator("article[data-role=user] [data-body] img")).to_have_count(2)
