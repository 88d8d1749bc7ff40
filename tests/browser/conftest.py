"""Chromium, with and without JavaScript; test_firefox.py takes Firefox. Every page of every test is watched.

An error in the console, a violation of the content security policy or a request to another host fails the test.
"""

import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    Locator,
    Page,
    Playwright,
    ViewportSize,
    expect,
    sync_playwright,
)

from tests.live.conftest import server, settings_for, simulator, standing, template_data
from tests.live.standing import Standing
from tests.serving import PASSWORD, Server

__all__ = ["server", "settings_for", "simulator", "standing", "template_data"]

ARGUMENTS = ["--no-sandbox", "--disable-background-networking", "--disable-dev-shm-usage"]
DESKTOP: ViewportSize = {"width": 1280, "height": 800}
PHONE: ViewportSize = {"width": 360, "height": 740}

PATIENCE = 90_000  # milliseconds that a click may wait for its page, on a machine with more to do

expect.set_options(timeout=60_000)


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as running:
        yield running


def launched(playwright: Playwright) -> Browser:
    """Chromium without all that belongs to windows where that is installed: it takes less than half the time."""
    path = shutil.which("chromium-headless-shell") or shutil.which("chromium")
    assert path, "the browser tests need chromium; see tests/system-packages.sh"
    return playwright.chromium.launch(executable_path=path, args=ARGUMENTS)


@pytest.fixture(scope="session")
def browser(playwright: Playwright) -> Iterator[Browser]:
    chromium = launched(playwright)
    yield chromium
    chromium.close()


class Watch:
    """What a browser complained about. `allowed`: parts of complaints that a test provokes."""

    def __init__(self, host: str) -> None:
        self.host = host
        self.allowed: list[str] = []
        self._complaints: list[str] = []

    def attach(self, context: BrowserContext) -> None:
        context.on("console", lambda message: self._note(message.text) if message.type == "error" else None)
        context.on("weberror", lambda error: self._note(str(error.error)))
        context.on("request", lambda request: self._check(request.url))

    def _check(self, url: str) -> None:
        if not url.startswith((self.host, "blob:", "data:")):
            self._note(f"request to another host: {url}")

    def _note(self, text: str) -> None:
        self._complaints.append(text)

    @property
    def complaints(self) -> list[str]:
        return [text for text in self._complaints if not any(part in text for part in self.allowed)]


Open = Callable[..., Page]
_doors: dict[BrowserContext, tuple[Standing, str]] = {}


@pytest.fixture
def watch(server: Server) -> Watch:
    return Watch(server.url)


@pytest.fixture
def browse(browser: Browser, server: Server, standing: Standing, watch: Watch) -> Iterator[Open]:
    """Opens a page of a new browser profile: `javascript`, `size`, further options of Playwright's context."""
    contexts: list[BrowserContext] = []

    def open_page(*, javascript: bool = True, size: ViewportSize = DESKTOP, **options: Any) -> Page:
        context = browser.new_context(
            base_url=server.url, java_script_enabled=javascript, viewport=size, locale="en-US", **options
        )
        context.set_default_timeout(PATIENCE)
        contexts.append(context)
        _doors[context] = (standing, server.url)
        watch.attach(context)
        return context.new_page()

    yield open_page
    for context in contexts:
        context.close()
        del _doors[context]
    assert watch.complaints == []


def log_in(page: Page, name: str = "alice") -> None:
    """By the form where nobody has logged in before; with the cookies of that log-in otherwise."""
    standing, url = _doors.get(page.context, (None, ""))
    cookies = standing.login(url, name) if standing else None
    if cookies:
        page.context.add_cookies([{"name": one.name, "value": str(one.value), "url": url} for one in cookies])
        page.goto("/")
    else:
        page.goto("/accounts/login/")
        page.locator("input[name=login]").fill(name)
        page.locator("input[name=password]").fill(PASSWORD)
        page.locator("button[type=submit], form button").first.click()
    expect(page.get_by_role("textbox", name="Message")).to_be_visible()


def send(page: Page, text: str, *, model: str = "", images: list[Path] | None = None) -> None:
    """Fill in the composer and press Send."""
    if model:
        page.get_by_role("combobox", name="Model").select_option(model)
    if images:
        page.get_by_label("Attach images").set_input_files(images)
    page.get_by_role("textbox", name="Message").fill(text)
    page.get_by_role("button", name="Send").click()


def last_reply(page: Page, status: str | re.Pattern[str] = "complete", count: int = 1) -> Locator:
    """The body of the newest reply, once it and `count` replies in all have this status."""
    replies = page.locator("article[data-role=assistant]")
    expect(replies).to_have_count(count)
    expect(replies.last).to_have_attribute("data-status", status)
    return replies.last.locator("[data-body]")
