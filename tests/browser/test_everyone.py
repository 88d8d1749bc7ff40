"""For every hand and eye: all pages and states in both themes and sizes, zoomed, spaced, in few colours, mirrored."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser, FilePayload, Page, ViewportSize, expect

from tests.browser.assistive import complaints
from tests.browser.conftest import DESKTOP, PHONE, Watch, last_reply, log_in, send
from tests.live.conftest import KEY, settings_for
from tests.services.photographs import photograph
from tests.serving import Server, until
from tests.simulator import Simulator

FLASH = "aimlapi/google/gemini-2.5-flash"
ANSWER = """\
## A heading

A long word: Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft, and a link to
https://example.org/an/address/without/any/place/where/a/line/could/end/0123456789abcdefghijklmnopqrstuvwxyz

| Planet | Moons | What it is known for, in more words than a phone has room for | Rings |
|---|---:|---|:---:|
| Saturn | 274 | its rings, which can be seen with a small telescope in any clear night | yes |

```python
def greet(planet: str, moons: int) -> str:  # one line of welcome, longer than the phone on which it is read is wide
    return f"Hello, {planet}! How are your {moons} moons?"
```

$$\\int_0^1 x^2\\,dx = \\frac{1}{3}$$

- [x] done
- [ ] open[^1]

[^1]: A note.
"""
ADD_REASONING = """
from conversations.models import Message, Part
reply = Message.objects.filter(role="assistant").order_by("pk").first()
Part.objects.create(message=reply, position=9, kind="reasoning", text="First I count the moons.")
"""
OURS = {"include": [["#content"]], "exclude": [["#toolbar"]]}  # the rest of the administration is Django's
VARIANTS: list[tuple[ViewportSize, str]] = [
    (DESKTOP, "light"),
    (DESKTOP, "dark"),
    (PHONE, "light"),
    (PHONE, "dark"),
]
OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
# Names of what stands out of the page, or does not fit its button, tab or heading.
CUT_OFF = """() => {
    const unseen = ".visually-hidden, .skip, [popover]:not(:popover-open)";
    const seen = (one) => one.checkVisibility() && !one.closest(unseen);
    const isScrolled = (one) => {
        for (let up = one; up; up = up.parentElement) {
            if (up === document.documentElement) return false;
            if (/auto|scroll|hidden/.test(getComputedStyle(up).overflowX)) return true;
        }
    };
    const width = document.documentElement.clientWidth;
    const wrong = [];
    for (const one of document.querySelectorAll("body *")) {
        if (!seen(one)) continue;
        const { left, right, width: own } = one.getBoundingClientRect();
        const isOut = own && (left < -1 || right > width + 1);
        if (isOut && !isScrolled(one)) wrong.push(`out: ${one.outerHTML.slice(0, 90)}`);
        if (one.matches(".button, nav a, legend, label") && one.scrollWidth > one.clientWidth + 1
            && getComputedStyle(one).display !== "inline" && getComputedStyle(one).textOverflow !== "ellipsis"
            && !one.querySelector("input, select, .visually-hidden")) wrong.push(`cut: ${one.outerHTML.slice(0, 90)}`);
    }
    return wrong;
}"""
SPACING = """* { line-height: 1.5 !important; letter-spacing: 0.12em !important; word-spacing: 0.16em !important }
p { margin-block-end: 2em !important }"""


# Where the first piece of a running reply stands, and the second.
PLACES_OF_WORDS = """() => {
    const range = document.createRange();
    const walk = document.createTreeWalker(document.querySelector("[data-tail]"), NodeFilter.SHOW_TEXT);
    const places = [];
    while (places.length < 2 && walk.nextNode()) {
        range.selectNodeContents(walk.currentNode);
        if (walk.currentNode.data.trim()) places.push(range.getClientRects()[0].x);
    }
    return places;
}"""
WITHOUT_BORDER = """() => [...document.querySelectorAll(".button, input, select, .said, .box, dialog")]
    .filter((one) => one.checkVisibility() && !one.matches("footer *, [type=radio], [type=checkbox], [type=file]"))
    .filter((one) => parseFloat(getComputedStyle(one).borderTopWidth) === 0)
    .map((one) => one.outerHTML.slice(0, 90))"""


@dataclass
class Place:
    """A server with conversations in all states; `page` is alice's, `stranger` nobody's, `root` the administrator's."""

    page: Page
    stranger: Page
    root: Page
    addresses: dict[str, str]


@pytest.fixture(scope="module")
def place(browser: Browser, template_data: object, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    data = tmp_path_factory.mktemp("everyone")
    with Simulator(key=KEY, delay_ms=0, first_ms=0) as simulator:
        server = Server(data, settings_for(simulator) | {"CHATSITE_SIGNUP": "open"})
        for name in ("chatsite.sqlite3", "secret-key"):
            (data / name).write_bytes((template_data / name).read_bytes())  # type: ignore[operator]
        with server:
            contexts = [browser.new_context(base_url=server.url, viewport=DESKTOP, locale="en-US") for _ in range(3)]
            watch = Watch(server.url)
            watch.allowed = ["status of 404"]
            page, stranger, root = (context.new_page() for context in contexts)
            for context in contexts:
                watch.attach(context)
            log_in(page)
            log_in(root, "root")
            yield Place(page, stranger, root, talks(page, simulator, server))
            simulator.release()
            for context in contexts:
                context.close()
            assert watch.complaints == []


def talks(page: Page, simulator: Simulator, server: Server) -> dict[str, str]:
    """Everything a conversation can show, in three of them."""
    addresses = {"picture": ""}
    photo: FilePayload = {"name": "holiday.jpg", "mimeType": "image/jpeg", "buffer": photograph(300, 200)}
    page.wait_for_load_state()
    page.get_by_label("Attach images").set_input_files([photo])
    simulator.script(say=ANSWER.replace("\n", "\\n"))
    send(page, "Which planet has the most moons?", model=FLASH)
    last_reply(page)
    simulator.script(fault="401")
    send(page, "And the fewest?")
    last_reply(page, "failed", count=2)
    send(page, "[[tokens:40]] [[hold:20]]")
    expect(page.locator("[data-body]").last).to_contain_text("w20")
    page.get_by_role("button", name="Stop").click()
    last_reply(page, "stopped", count=3)
    page.locator("article[data-role=assistant]").last.hover()
    simulator.release()
    page.get_by_role("button", name="Retry").last.click()
    expect(page.get_by_text("2 of 2")).to_be_visible()
    server.manage("shell", "-v0", "-c", ADD_REASONING)
    addresses["conversation"] = page.url
    page.goto("/")
    page.get_by_role("button", name="Compare", exact=True).click()
    page.get_by_role("checkbox", name="Gemini 1.5 Pro (Segmind)").check()
    page.keyboard.press("Escape")
    send(page, "Hello", model=FLASH)
    expect(page.get_by_role("button", name="Go on with this one")).to_have_count(2)
    addresses["columns"] = page.url
    page.goto("/")
    send(page, "[[tokens:40]] [[hold:20]]", model=FLASH)
    expect(page.locator("[data-body]").last).to_contain_text("w20")
    send(page, "And then?")
    expect(page.get_by_text("Waiting to be sent")).to_be_visible()
    addresses["running"] = page.url
    page.goto("/prompts/new/")
    page.get_by_label("Name").fill("explain")
    page.get_by_label("Text").fill("Explain {{topic}}.")
    page.get_by_role("button", name="Save").click()
    return addresses


# --- How to come to each state ----------------------------------------------------------------------------------------
Reach = Callable[[Place], Page]


def at(address: str) -> Reach:
    def reach(place: Place) -> Page:
        place.page.goto(place.addresses.get(address, address))
        return place.page

    return reach


def outside(address: str) -> Reach:
    def reach(place: Place) -> Page:
        place.stranger.goto(address)
        return place.stranger

    return reach


def opened(address: str, role: str, name: str, shown: str) -> Reach:
    """With what the last button or link of this name opens."""

    def reach(place: Place) -> Page:
        page = at(address)(place)
        page.wait_for_load_state()
        page.get_by_role(role, name=name, exact=True).last.click()  # type: ignore[arg-type]
        expect(page.locator(shown)).to_be_visible()
        return page

    return reach


def shortcuts(place: Place) -> Page:
    page = at("/")(place)
    page.locator("#scroller").focus()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
    return page


def slash(place: Place) -> Page:
    page = at("/")(place)
    page.wait_for_load_state()
    box = page.get_by_role("textbox", name="Message")
    box.fill("")  # the draft of an earlier visit
    box.press_sequentially("/")
    expect(page.locator("#prompts li")).to_have_count(1)
    return page


def described(place: Place) -> Page:
    page = at("conversation")(place)
    page.goto(str(page.locator("[data-describe]").first.get_attribute("href")))
    return page


def administration(address: str) -> Reach:
    def reach(place: Place) -> Page:
        place.root.goto("/admin/conversations/conversation/")
        if address:
            place.root.locator("#result_list th a").last.click()
            if place.root.get_by_label("Reason").is_visible():
                place.root.get_by_label("Reason").fill("quality of answers")
                place.root.get_by_role("button", name="Open the conversation").click()
        return place.root

    return reach


STATES: dict[str, Reach] = {
    "login": outside("/accounts/login/"),
    "sign-up": outside("/accounts/signup/"),
    "reset": outside("/accounts/password/reset/"),
    "empty": at("/"),
    "empty-settings": opened("/", "button", "Settings of this conversation", "#settings"),
    "compare": opened("/", "button", "Compare", "#compare"),
    "slash": slash,
    "shortcuts": shortcuts,
    "conversation": at("conversation"),
    "edit": opened("conversation", "link", "Edit", "article textarea"),
    "settings-panel": opened("conversation", "link", "Settings of this conversation", "#settings .close"),
    "other-model": opened("conversation", "link", "Answer with another model", ".other-model"),
    "viewer": opened("conversation", "link", "Describe this picture", "#viewer"),
    "columns": at("columns"),
    "running": at("running"),
    "describe": described,
    "prompts": at("/prompts/"),
    "prompt": at("/prompts/new/"),
    "presets": at("/presets/"),
    "preset": at("/presets/new/"),
    "settings": at("/settings/"),
    "keys": at("/shortcuts/"),
    "index": at("/c/"),
    "archive": at("/c/?archived"),
    "password": at("/accounts/password/change/"),
    "not-found": at("/nothing/here/"),
    "admin-list": administration(""),
    "admin-thread": administration("thread"),
}


@pytest.mark.parametrize("state", STATES)
def test_assistive_technology_finds_nothing_to_complain_about(place: Place, state: str) -> None:
    page = STATES[state](place)
    wrong = {}
    for size, scheme in VARIANTS:
        page.set_viewport_size(size)
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
        page.evaluate("document.getAnimations().forEach((one) => one.finish())")  # colours that change slowly
        found = complaints(page, OURS if state.startswith("admin") else None)
        if size == PHONE and page.evaluate(OVERFLOW) > 0 and not state.startswith("admin"):
            found.append("scrolls sideways")
        if found:
            wrong[size["width"], scheme] = found
    page.set_viewport_size(DESKTOP)
    assert wrong == {}
    assert page.locator("h1").count() == 1 or state.startswith("admin")
    assert page.locator("main, [role=main]").count() == 1


@pytest.mark.parametrize("state", [name for name in STATES if not name.startswith("admin")])
def test_nothing_is_cut_off_zoomed_or_spaced_or_on_a_small_phone(place: Place, state: str) -> None:
    """640 × 400 is a window of 1280 × 800 at 200 %; the distances are those of WCAG 1.4.12."""
    page = STATES[state](place)
    wrong = {}
    for name, width, height, style in (
        ("zoomed", 640, 400, ""),
        ("narrow", 320, 640, ""),
        ("spaced", 360, 740, SPACING),
        ("spaced wide", 1280, 800, SPACING),
    ):
        page.set_viewport_size({"width": width, "height": height})
        if style:
            page.evaluate(
                "(css) => { const s = new CSSStyleSheet(); s.replaceSync(css); document.adoptedStyleSheets = [s] }",
                style,
            )
        found = page.evaluate(CUT_OFF) + (["scrolls sideways"] if page.evaluate(OVERFLOW) > 0 else [])
        if found:
            wrong[name] = found
    page.evaluate("document.adoptedStyleSheets = []")
    page.set_viewport_size(DESKTOP)
    assert wrong == {}


def test_pages_are_mirrored_for_who_reads_from_right_to_left(place: Place) -> None:
    """Only what points and what stands at a side; text, code and formulas keep their own direction."""
    assert place.page.context.browser
    context = place.page.context.browser.new_context(
        storage_state=place.page.context.storage_state(), locale="ar", viewport=DESKTOP
    )
    place.page.goto("/")
    send(place.page, "[[tokens:600]] [[delay:100]]", model=FLASH)
    expect(place.page.locator("[data-body]").last).to_contain_text("w3")
    send(place.page, "And then?")
    expect(place.page.get_by_text("Waiting to be sent")).to_be_visible()
    page = context.new_page()
    page.goto(place.page.url)
    middle = DESKTOP["width"] / 2
    sides = {
        ".sidebar": 1,
        ".send": -1,
        "article[data-status=waiting] .said": -1,
        ".chat-header a.button.icon": -1,
    }
    for selector, side in sides.items():
        box = page.locator(selector).first.bounding_box()
        assert box, selector
        assert (box["x"] + box["width"] / 2 - middle) * side > 0, selector
    assert page.locator("article .waiting .mirrored").evaluate("(one) => getComputedStyle(one).scale") == "-1 1"
    found: list[float] = []

    def are_two_pieces() -> bool:
        found[:] = page.evaluate(PLACES_OF_WORDS)
        return len(found) == 2

    until(are_two_pieces, "two pieces of the running reply")
    assert found[0] < found[1]
    page.goto(place.addresses["conversation"])
    expect(page.locator("pre").first).to_have_css("direction", "ltr")
    expect(page.locator("math").first).to_have_css("direction", "ltr")
    page.set_viewport_size(PHONE)
    assert page.evaluate(OVERFLOW) <= 0
    assert page.evaluate(CUT_OFF) == []
    context.close()


@pytest.mark.parametrize("state", ["empty", "conversation", "settings", "shortcuts"])
def test_borders_and_focus_are_seen_in_forced_colours(place: Place, state: str) -> None:
    page = STATES[state](place)
    page.emulate_media(forced_colors="active")
    bare = page.evaluate(WITHOUT_BORDER)
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    page.emulate_media(forced_colors="none")
    assert bare == []
    assert outline == "solid"
