"""Opening a long conversation: the server's time for its page, and when Chromium shows it with nothing in its cache."""

import shutil
import statistics
import time
from collections.abc import Mapping

import requests
from playwright.sync_api import Browser, sync_playwright

from tests.bench.firstpage import BROWSER
from tests.bench.site import Site

LENGTHS = (10, 1_000, 10_000)  # messages
VIEWS = 5  # in the browser, each with a profile of its own
ANSWERS = 15  # of the server
MAKE = """
from conversations.models import User
from tests import lengthy
person = User.objects.get(username="person0")
print(*(lengthy.conversation(person, length).uuid for length in LENGTHS))
"""
# When the largest piece of the page was painted, in milliseconds since the address was opened.
PAINTED = """() => new Promise((resolve) => {
    new PerformanceObserver((list) => resolve(list.getEntries().at(-1).startTime))
        .observe({type: "largest-contentful-paint", buffered: true})
})"""


def conversations(site: Site) -> dict[int, str]:
    """The address of a conversation of each length, all of the first person."""
    made = site.manage("shell", "-v0", "-c", MAKE.replace("LENGTHS", repr(LENGTHS))).split()
    return {length: f"{site.url}/c/{uuid}/" for length, uuid in zip(LENGTHS, made, strict=True)}


def server_ms(url: str, cookies: Mapping[str, str]) -> float:
    """The median time of an answer over a connection that is open."""
    with requests.Session() as session:
        session.headers.update(BROWSER | dict(cookies))
        return statistics.median([_answer_ms(session, url) for _ in range(ANSWERS)][3:])


def visible_ms(url: str, cookies: Mapping[str, str]) -> float | None:
    """The median time until a new browser profile shows the page; None without Chromium."""
    path = shutil.which("chromium")
    if path is None:
        return None
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-dev-shm-usage"])
        return statistics.median([_painted_ms(browser, url, cookies) for _ in range(VIEWS + 1)][1:])


def _answer_ms(session: requests.Session, url: str) -> float:
    begun = time.perf_counter()
    session.get(url).raise_for_status()
    return (time.perf_counter() - begun) * 1000


def _painted_ms(browser: Browser, url: str, cookies: Mapping[str, str]) -> float:
    name, _, value = cookies["Cookie"].partition("=")
    context = browser.new_context()
    context.add_cookies([{"name": name, "value": value, "url": url}])
    page = context.new_page()
    page.goto(url)
    page.locator("article").last.wait_for()
    painted: float = page.evaluate(PAINTED)
    context.close()
    return painted
