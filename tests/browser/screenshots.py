"""`make screenshots`: every page and state, in Chromium against the simulator, as pictures in docs/screenshots.

`python -m tests.browser.screenshots FOLDER [NAME …]` puts them (or only these scenes) into another folder.
"""

import io
import re
import sys
import tempfile
from pathlib import Path
from typing import Any, Literal

from PIL import Image
from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

from tests.browser import talks
from tests.browser.conftest import DESKTOP, PHONE, launched, log_in
from tests.browser.scenes import Scene, failed, scenes_of
from tests.live.conftest import KEY, settings_for
from tests.serving import ROOT, Server
from tests.simulator import Simulator

PUBLISHED = ROOT / "docs" / "screenshots"
AT_ONCE = "2"  # replies; a third one waits in line

Device = Literal["desktop", "phone"]
Scheme = Literal["light", "dark"]
VIEWPORTS: dict[Device, ViewportSize] = {"desktop": DESKTOP, "phone": PHONE}
SCHEMES: tuple[Scheme, ...] = ("light", "dark")


def main(folder: Path, names: list[str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as data,
        tempfile.TemporaryDirectory() as other,
        Simulator(key=KEY, first_ms=0, delay_ms=0) as simulator,
        sync_playwright() as playwright,
    ):
        server = Server(Path(data), settings_for(simulator) | {"CHATSITE_REPLIES": AT_ONCE})
        server.add_people("ada", "root")
        with server, Server(Path(other), settings_for(simulator)) as fresh:
            browser = launched(playwright)
            take(browser, server, fresh, simulator, folder, names)
            simulator.release()
            browser.close()


def take(browser: Browser, server: Server, fresh: Server, simulator: Simulator, folder: Path, names: list[str]) -> None:
    """Hold the conversations, then look at each scene in both themes, on a desktop and where it says so on a phone."""
    page = browser.new_page(base_url=server.url, viewport=DESKTOP)
    cookies = {"nobody": [], "root": logged_in(page, "root"), "ada": logged_in(page, "ada")}
    setup = re.search(r"http://\S+/setup/\S+", fresh.log)
    assert setup
    scenes = scenes_of(talks.hold(page, simulator, server), setup[0])
    page.close()
    # The last one: it breaks its server.
    for scene in (*scenes, Scene("failed", lambda page: failed(page, fresh), "nobody")):
        for device in VIEWPORTS:
            for scheme in SCHEMES:
                if (not names or scene.name in names) and (device == "desktop" or scene.phone):
                    picture = look(browser, server, scene, device, scheme, cookies[scene.who])
                    save(picture, folder / f"{scene.name}-{device}-{scheme}.webp")


def logged_in(page: Page, name: str) -> list[Any]:
    page.context.clear_cookies()
    log_in(page, name)
    return page.context.cookies()


def look(browser: Browser, server: Server, scene: Scene, device: Device, scheme: Scheme, cookies: list[Any]) -> bytes:
    """The scene as a PNG."""
    context = browser.new_context(
        base_url=server.url,
        viewport=VIEWPORTS[device],
        has_touch=device == "phone",
        is_mobile=device == "phone",
        color_scheme=scheme,
        locale=scene.locale,
    )
    context.add_cookies(cookies)
    page = context.new_page()
    try:
        scene.reach(page)
        return page.screenshot(animations="disabled")
    finally:
        context.close()


def save(png: bytes, path: Path) -> None:
    """At most 256 colours, without loss: a screen of text does not need more."""
    image = Image.open(io.BytesIO(png)).convert("RGB").quantize(256, dither=Image.Dither.NONE)
    image.convert("RGB").save(path, lossless=True, method=6)
    print(f"{path.name}: {path.stat().st_size / 1000:.0f} kB", flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else PUBLISHED, sys.argv[2:])
