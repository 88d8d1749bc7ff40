"""What Chromium fetches for a page, with nothing in its cache: bytes on the wire, headers included, and requests."""

import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import sync_playwright

from tests.bench.peers.installed import Unavailable

QUIET, DEADLINE = 5.0, 60.0  # seconds without anything new after which a page is there; and at the latest


@dataclass
class Weight:
    """`strange` are requests to other servers; they count, but nothing comes of them here."""

    host: str
    requests: int = 0
    wire_bytes: float = 0.0
    strange: set[str] = field(default_factory=set)
    changed: float = field(default_factory=time.monotonic)

    def asked(self, event: dict[str, Any]) -> None:
        address = urlsplit(event["request"]["url"])
        if address.scheme in ("http", "https"):
            self.requests += 1
            self.strange |= {address.netloc} - {self.host}
        self.changed = time.monotonic()

    def came(self, event: dict[str, Any]) -> None:
        self.wire_bytes += event["encodedDataLength"]
        self.changed = time.monotonic()


def first_page(url: str, cookies: Mapping[str, str]) -> Weight:
    """Raises Unavailable without Chromium. Streams that the page keeps open are requests without bytes."""
    path = shutil.which("chromium")
    if path is None:
        raise Unavailable("without chromium nobody knows what a first page weighs")
    weight = Weight(urlsplit(url).netloc)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-dev-shm-usage"])
        context = browser.new_context()
        for name, _, value in (pair.partition("=") for pair in cookies.values()):
            context.add_cookies([{"name": name, "value": value, "url": url}])
        page = context.new_page()
        network = context.new_cdp_session(page)
        network.on("Network.requestWillBeSent", weight.asked)
        network.on("Network.loadingFinished", weight.came)
        network.send("Network.enable")
        page.goto(url)
        end = time.monotonic() + DEADLINE
        while time.monotonic() < min(end, weight.changed + QUIET):
            page.wait_for_timeout(100)
        browser.close()
    return weight
