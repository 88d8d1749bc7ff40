"""Whoever comes to a browser after somebody has left it finds nothing of theirs."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Open, Watch, last_reply, log_in, send
from tests.services.photographs import photograph

FLASH = "aimlapi/google/gemini-2.5-flash"
WORDS = "words for nobody else"


def is_at_the_gate(page: Page) -> None:
    expect(page.locator("input[name=password]")).to_be_visible()
    assert WORDS not in page.content()


@pytest.mark.parametrize("javascript", [True, False], ids=["script", "plain"])
def test_going_back_after_logging_out_shows_nothing(
    browse: Open, watch: Watch, tmp_path: Path, javascript: bool
) -> None:
    watch.allowed = ["Applying inline style"]  # by which the browser itself would lay out a page of one picture
    picture = tmp_path / "a.jpg"
    picture.write_bytes(photograph(300, 200))
    page = browse(javascript=javascript)
    log_in(page)
    send(page, f"{WORDS} [[say:{WORDS}]]", model=FLASH, images=[picture])
    if javascript:
        last_reply(page)
    talk = page.url
    page.goto("/settings/")
    page.goto(talk)
    shown = page.locator("article img").first
    expect(shown).to_be_visible()
    thumbnail, original = (
        shown.get_attribute("src"), shown.locator("xpath=ancestor::a").first.get_attribute("href")
    )  # fmt: skip
    assert thumbnail
    assert original
    page.goto(original)
    page.goto(talk)
    page.goto("/accounts/logout/")
    page.locator("form[action='/accounts/logout/'] button").last.click()
    is_at_the_gate(page)
    for _ in range(3):
        page.go_back()
        is_at_the_gate(page)
    page.goto(talk)
    is_at_the_gate(page)
    for address in (thumbnail, original):
        page.goto(address)
        is_at_the_gate(page)
