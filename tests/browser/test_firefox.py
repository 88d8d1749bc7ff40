"""The main journeys once more, in Firefox, and what only a real paste can show."""

import shutil
import sys
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, FilePayload, Playwright, expect

from tests.browser.conftest import PATIENCE, Open, Watch, last_reply, log_in, send
from tests.browser.test_composer import test_a_draft_waits_in_its_conversation_until_it_is_sent
from tests.browser.test_hostile_pages import Place, looked_through, place
from tests.browser.test_journeys import (
    test_a_reload_in_the_middle_shows_the_same_text,
    test_keyboard_alone_is_enough_on_a_phone_sized_page,
    test_refused_input_keeps_the_text_where_it_was,
    test_stop_and_retry,
)
from tests.services.photographs import photograph
from tests.serving import ROOT

__all__ = [
    "place",
    "test_a_draft_waits_in_its_conversation_until_it_is_sent",
    "test_a_reload_in_the_middle_shows_the_same_text",
    "test_keyboard_alone_is_enough_on_a_phone_sized_page",
    "test_refused_input_keeps_the_text_where_it_was",
    "test_stop_and_retry",
]


@pytest.fixture(scope="module")
def browser(playwright: Playwright, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    path = shutil.which("firefox-esr") or shutil.which("firefox")
    assert path, "these tests need Firefox; see tests/system-packages.sh"
    start = tmp_path_factory.mktemp("firefox") / "start"
    start.write_text(f'#!/bin/sh\ncd "{ROOT}" && exec "{sys.executable}" -m tests.browser.firefox "{path}" "$@"\n')
    start.chmod(0o700)
    firefox = playwright.firefox.launch(channel="moz-firefox", executable_path=start)
    yield firefox
    firefox.close()


def test_a_picture_is_sent_and_a_long_paste_attached(browse: Open) -> None:
    page = browse()
    log_in(page)
    page.wait_for_load_state()
    photo: FilePayload = {"name": "holiday.jpg", "mimeType": "image/jpeg", "buffer": photograph(300, 200)}
    page.get_by_label("Attach images").set_input_files([photo])
    send(page, "What is in this picture?")
    last_reply(page)
    expect(page.locator("article[data-role=user] img")).to_have_count(1)
    box = page.get_by_role("textbox", name="Message")
    box.fill("\n".join(f"line {number}" for number in range(60)))
    tall = box.bounding_box()
    box.press("Control+a")
    box.press("Control+x")
    short = box.bounding_box()
    assert tall
    assert short
    assert tall["height"] > 2 * short["height"]
    box.press("Control+v")
    page.get_by_role("button", name="Attach as text").click()
    expect(page.locator("#texts li")).to_have_count(1)
    expect(box).to_have_value("")


def test_nothing_runs_in_titles_and_messages(browser: Browser, place: Place) -> None:
    context, watch = browser.new_context(), Watch(place.server.url)
    watch.attach(context)
    context.set_default_timeout(PATIENCE)
    place.let_in(context, "owner")
    conversation = next(one for one in place.planted["pages"]["owner"] if one.startswith("/c/"))
    page = context.new_page()
    assert looked_through(page, place.server.url, [conversation, "/c/"]) > 10
    context.close()
    assert watch.complaints == []
