"""Everything that people and administrators can write, hostile, on every page, part of a page and file that shows it.

See planting.py for what is stored and asked for. The judge is that of test_hostile.py; here it also compares what is
shown with what was stored.
"""

import csv
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Error, Page, Route

from tests.browser.conftest import Open, Watch
from tests.browser.hostile import TEXTS, Judge
from tests.live.standing import KEY
from tests.once import once
from tests.serving import ROOT, Server

SETTINGS = {
    "SEGMIND_API_KEY": KEY,
    "AIMLAPI_API_KEY": KEY,
    "CHATSITE_SELF_SERVICE": "delete",
    "CHATSITE_SHOW_LOOKS": "1",
}
if os.environ.get("CHATSITE_FUZZ") == "1":
    SETTINGS["CHATSITE_FUZZ"] = "1"  # planting.py sends every form
FORMULA = ("=", "+", "-", "@", "\t", "\r")
IN_AN_ADDRESS = 20_000  # characters: a head may not be much longer
HEADERS = {"Content-Type", "Content-Security-Policy", "X-Content-Type-Options"}


@dataclass
class Place:
    """A server on what was planted, and the answers that were kept of it."""

    folder: Path
    server: Server
    planted: dict[str, Any]

    def let_in(self, context: BrowserContext, name: str) -> None:
        cookies = self.planted["cookies"][name]
        context.add_cookies([{"name": key, "value": cookies[key], "url": self.server.url} for key in cookies])

    def data(self, answer: dict[str, Any]) -> bytes:
        file = self.folder / str(answer["file"])
        return file.read_bytes()


@pytest.fixture(scope="module")
def place(template_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    def plant(folder: Path) -> None:
        shutil.copytree(template_data, folder / "data")
        server = Server(folder / "data", SETTINGS)
        command = [sys.executable, "-m", "tests.browser.planting", str(folder)]
        subprocess.run(command, cwd=ROOT, env=server.environment, check=True, capture_output=True)

    folder = once(tmp_path_factory, "planted", plant)
    data = tmp_path_factory.mktemp("planted-server") / "data"
    shutil.copytree(folder / "data", data)
    with Server(data, SETTINGS) as server:
        yield Place(folder, server, json.loads((folder / "planted.json").read_text()))


@pytest.fixture
def server(place: Place) -> Server:
    return place.server


@pytest.mark.parametrize("name", ["owner", "administrator"])
def test_nothing_runs_on_any_page_that_shows_texts(browse: Open, place: Place, name: str) -> None:
    page = browse()
    place.let_in(page.context, name)
    addresses = place.planted["pages"][name]
    assert len(addresses) > 15
    assert looked_through(page, place.server.url, addresses) > 3 * len(addresses)


def looked_through(page: Page, url: str, addresses: list[str]) -> int:
    """How often the texts were seen."""
    judge, seen = Judge(page), 0
    for number, address in enumerate(addresses, start=1):
        judge.here = url + address
        page.goto(judge.here)
        seen += judge.sees(address)
        judge.passes(number)
    return seen


def test_nothing_runs_in_answers_to_forms_and_in_parts_of_pages(browse: Open, place: Place, watch: Watch) -> None:
    """Refused forms hold what was typed; parts of pages are opened as if they were whole ones."""
    watch.allowed.append("404 (Not Found)")  # pictures on pages of somebody else
    page = browse()
    place.let_in(page.context, "administrator")  # whose pages ask for a script that is not for everybody
    answers = place.planted["answers"]
    assert len(answers) > (40 if SETTINGS.get("CHATSITE_FUZZ") else 2)
    kept = {f"{place.server.url}/answers/{number}": answer for number, answer in enumerate(answers)}

    def answered(route: Route) -> None:
        answer = kept[route.request.url]
        headers = {name: value for name, value in answer["headers"].items() if name in HEADERS}
        route.fulfill(status=200, headers=headers, body=place.data(answer))

    page.route("**/answers/*", answered)
    assert looked_through(page, place.server.url, [urlsplit(url).path for url in kept]) > len(kept)


def test_nothing_runs_in_files_that_are_taken_out(browser: Browser, place: Place, tmp_path: Path) -> None:
    """Each opened from a disk, under the ending of its kind. Spreadsheets are given no formula."""
    context = browser.new_context()
    page, asked = context.new_page(), list[str]()
    page.on("request", lambda request: asked.append(request.url))
    judge, suffixes = Judge(page), set()
    for number, answer in enumerate(place.planted["files"]):
        file = tmp_path / f"{number}{suffix(answer)}"
        file.write_bytes(place.data(answer))
        suffixes.add(file.suffix)
        try:
            page.goto(file.as_uri())
        except Error as error:  # it is kept, not shown
            if "Download is starting" not in str(error):
                raise
        assert page.evaluate("document.querySelectorAll('script, iframe, form, [onerror], [onload]').length") == 0
        assert judge.wrong == []
        assert asked[number:] == [file.as_uri()]
        if file.suffix == ".csv":
            assert formulas(file) == []
    assert suffixes >= {".csv", ".json", ".jsonl", ".txt"}
    context.close()


def suffix(answer: dict[str, Any]) -> str:
    """What a browser would keep it as."""
    kept = re.search(r'filename="?([^";]+)', answer["headers"].get("Content-Disposition", ""))
    return Path(kept[1] if kept else answer["name"]).suffix if kept or not answer["headers"] else ".txt"


def formulas(file: Path) -> list[str]:
    csv.field_size_limit(10**7)
    with file.open(newline="", encoding="utf-8-sig") as lines:
        cells = [cell for row in csv.reader(lines) for cell in row]
    assert len(cells) > 10
    return [cell for cell in cells if cell.startswith(FORMULA)]


def test_nothing_runs_for_a_hostile_address(browse: Open, place: Place, watch: Watch) -> None:
    watch.allowed.append("404 (Not Found)")
    looked_through(browse(), place.server.url, [f"/{text}" for text in in_addresses()])
    looked_through(browse(), place.server.url, [f"/accounts/login/?next={text}" for text in in_addresses()])


def in_addresses() -> list[str]:
    """All of them, as much in one as an address may hold."""
    found = [""]
    for text in (quote(f" {one}", safe="") for one in TEXTS):
        if len(found[-1]) + len(text) > IN_AN_ADDRESS:
            found.append("")
        found[-1] += text
    return found
