"""`make screenshots`: real conversations, held in Chromium against the simulator, as pictures in docs/screenshots.

`python -m tests.browser.screenshots FOLDER` puts every scene into FOLDER instead: desktop and phone, light and dark.
"""

import io
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Literal, NamedTuple

from PIL import Image
from playwright.sync_api import Browser, FilePayload, Page, ViewportSize, expect, sync_playwright

from tests.browser.conftest import ARGUMENTS, last_reply, log_in, send
from tests.live.conftest import KEY, settings_for
from tests.services.photographs import photograph
from tests.serving import ROOT, Server
from tests.simulator import Simulator

FLASH = "aimlapi/google/gemini-2.5-flash"
PAINTER = "segmind/gemini-2-flash-image-generation"
PUBLISHED = ROOT / "docs" / "screenshots"

MOONS = """\
Counting the confirmed ones, **Saturn** leads by far:

| Planet | Moons | Rings |
|---|---:|:---:|
| Mars | 2 | no |
| Jupiter | 97 | yes |
| Saturn | 274 | yes |

And here is a greeting for each of them:

```python
def greet(planet: str, moons: int) -> str:
    \"\"\"One line of welcome.\"\"\"
    return f"Hello, {planet}! How are your {moons} moons?"


print(greet("Mars", 2))
```

Save it as `greet.py`, then run `python greet.py`.
"""
ARABIC = """\
البحر في الصباح هادئ، ولونه يتغيّر مع ارتفاع الشمس:

- عند الفجر رمادي
- في الضحى **أزرق فاتح**
- عند الغروب ذهبي

والكلمة الإنجليزية هي `sea`.
"""
LONG = """\
The address is https://example.org/an/address/without/any/place/where/a/line/could/end/0123456789abcdefghijklmnopqrstuvwxyz

```sh
rsync --archive --compress --human-readable --delete --exclude-from=./excluded.txt ./photographs/ backup:/srv/pictures/
```

> Simplicity is prerequisite for reliability.

| Option | What it does | When it is wanted | What to look out for |
|---|---|---|---|
| `--archive` | keeps permissions, times, links and owners | nearly always | needs rights on the other side |
| `--delete` | removes what is gone here | for mirrors | removes what is gone here |
"""
STORY = (
    "Once there was a lighthouse at the edge of a quiet bay. Its keeper wrote down every ship that passed, with the "
    "hour and the colour of its flag, although nobody had ever asked for the list. One winter the fog stayed for "
    "eleven days."
)

Device = Literal["desktop", "phone"]
Scheme = Literal["light", "dark"]
VIEWPORTS: dict[Device, ViewportSize] = {
    "desktop": {"width": 1280, "height": 800},
    "phone": {"width": 360, "height": 740},
}
VARIANTS: tuple[tuple[Device, Scheme], ...] = (
    ("desktop", "light"),
    ("desktop", "dark"),
    ("phone", "light"),
    ("phone", "dark"),
)


class Scene(NamedTuple):
    """A page worth showing: how to come to it, and in which variants it is published."""

    name: str
    reach: Callable[[Page], None]
    published: tuple[tuple[Device, Scheme], ...]


def main() -> int:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else PUBLISHED
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as data, Simulator(key=KEY, first_ms=0, delay_ms=0) as simulator:
        server = Server(Path(data), settings_for(simulator))
        server.add_people("ada")
        with server, sync_playwright() as playwright:
            path = shutil.which("chromium")
            browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
            take(browser, server, simulator, folder)
            simulator.release()
            browser.close()
    return 0


def take(browser: Browser, server: Server, simulator: Simulator, folder: Path) -> None:
    """Hold the conversations, then look at each of them in every variant."""
    page = browser.new_page(base_url=server.url, viewport=VIEWPORTS["desktop"])
    log_in(page, "ada")
    scenes = scenes_of(talks(page, simulator))
    state = page.context.storage_state()
    for device, scheme in VARIANTS:
        context = browser.new_context(
            base_url=server.url,
            viewport=VIEWPORTS[device],
            has_touch=device == "phone",
            is_mobile=device == "phone",
            color_scheme=scheme,
            locale="en-US",
        )
        for scene in scenes:
            if folder == PUBLISHED and (device, scheme) not in scene.published:
                continue
            context.clear_cookies()
            if scene.name != "login":
                context.add_cookies(state["cookies"])  # type: ignore[arg-type]
            shown = context.new_page()
            scene.reach(shown)
            save(shown.screenshot(animations="disabled"), folder / f"{scene.name}-{device}-{scheme}.png")
            shown.close()
        context.close()


def talks(page: Page, simulator: Simulator) -> dict[str, str]:
    """Hold the conversations of the scenes; gives the address of each."""
    addresses = {}

    def keep(name: str) -> None:
        page.wait_for_url("**/c/**")
        addresses[name] = page.url
        page.goto("/")

    simulator.script(say=LONG)
    send(page, "How do I mirror my photographs to another machine? " + "Please be thorough. " * 12, model=FLASH)
    last_reply(page)
    keep("long")
    simulator.script(say=ARABIC)
    send(page, "اكتب لي جملة عن البحر في الصباح")
    last_reply(page)
    keep("right-to-left")
    simulator.script(fault="429")
    simulator.script(fault="429")
    send(page, "Write a friendly note that moves our meeting to Thursday.")
    last_reply(page, "failed")
    keep("error")
    send(page, "Draw a landscape with a yellow sun", model=PAINTER)
    expect(last_reply(page).locator("img")).to_be_visible()
    send(page, "Make the sky darker")
    expect(last_reply(page, count=2).locator("img")).to_be_visible()
    keep("pictures")
    simulator.script(say=MOONS)
    send(page, "Which planet has the most moons? Show a table and a small Python greeting.", model=FLASH)
    last_reply(page)
    keep("conversation")
    simulator.script(say="A lake between hills, in the morning: the sun stands low on the left, and the water is calm.")
    photo: FilePayload = {"name": "holiday.jpg", "mimeType": "image/jpeg", "buffer": photograph(1200, 800)}
    page.get_by_label("Attach images").set_input_files([photo])
    send(page, "What is in this picture?")
    last_reply(page)
    simulator.script(say=STORY, hold=40)
    send(page, "Tell me a story about a lighthouse.")
    expect(page.locator("[data-tail]")).to_contain_text("the colour")
    keep("running")
    return addresses


def scenes_of(addresses: dict[str, str]) -> tuple[Scene, ...]:
    def at(name: str) -> Callable[[Page], None]:
        return lambda page: visit(page, addresses[name])

    def settings(page: Page) -> None:
        visit(page, addresses["conversation"])
        page.get_by_role("link", name="Settings of this conversation").click()
        expect(page.get_by_label("System prompt")).to_be_visible()

    def running(page: Page) -> None:
        page.goto(addresses["running"])
        expect(page.locator("[data-tail]")).to_contain_text("the colour")

    def list_of_conversations(page: Page) -> None:
        visit(page, addresses["conversation"])
        if page.get_by_role("button", name="Conversations").is_visible():
            page.get_by_role("button", name="Conversations").click()

    return (
        Scene("login", lambda page: visit(page, "/accounts/login/"), (("phone", "light"),)),
        Scene("empty", lambda page: visit(page, "/"), (("desktop", "light"), ("phone", "dark"))),
        Scene("conversation", at("conversation"), (("desktop", "light"), ("desktop", "dark"), ("phone", "light"))),
        Scene("pictures", at("pictures"), (("desktop", "light"), ("phone", "dark"))),
        Scene("running", running, (("desktop", "dark"),)),
        Scene("error", at("error"), (("phone", "light"),)),
        Scene("long", at("long"), (("phone", "light"),)),
        Scene("right-to-left", at("right-to-left"), (("phone", "dark"),)),
        Scene("settings", settings, (("desktop", "light"), ("phone", "dark"))),
        Scene("list", list_of_conversations, (("phone", "light"),)),
    )


def visit(page: Page, address: str) -> None:
    """The page with all of its pictures."""
    page.goto(address)
    page.wait_for_load_state("networkidle")


def save(png: bytes, path: Path) -> None:
    """At most 256 colours: a screen of text does not need more, and the file is a third."""
    image = Image.open(io.BytesIO(png)).convert("RGB").quantize(256, dither=Image.Dither.NONE)
    image.save(path, optimize=True)
    print(f"{path.name}: {path.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    sys.exit(main())
