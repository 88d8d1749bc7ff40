"""Settings: language, theme and density change every page, with and without JavaScript, on any screen."""

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.assistive import complaints
from tests.browser.conftest import DESKTOP, PHONE, Open, log_in
from tests.serving import PASSWORD

PAINTER = "segmind/gemini-2-flash-image-generation"
DARK, LIGHT = "rgb(23, 24, 26)", "rgb(255, 255, 255)"


def settings_of(page: Page) -> None:
    """The way there that people take: the menu under their name."""
    page.goto("/")
    if page.get_by_role("button", name="Conversations").is_visible():
        page.get_by_role("button", name="Conversations").click()
    page.locator(".person > summary").click()
    page.get_by_role("navigation").get_by_role("link", name="Settings").click()
    expect(page.get_by_role("heading", name="Settings", exact=True)).to_be_visible()


def save(page: Page) -> None:
    page.locator("main form button[type=submit]").first.click()
    expect(page.locator(".flash")).to_be_visible()


def ground(page: Page) -> str:
    colour: str = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    return colour


def overflow(page: Page) -> int:
    wide: int = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    return wide


@pytest.mark.parametrize("javascript", [True, False], ids=["script", "plain"])
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_arabic_turns_every_page_and_the_way_back_is_found(browse: Open, size: Any, javascript: bool) -> None:
    page = browse(javascript=javascript, size=size)
    log_in(page)
    settings_of(page)
    page.get_by_label("Language").select_option(label="العربية")
    save(page)
    for address in ("/settings/", "/", "/c/", "/accounts/password/change/"):
        page.goto(address)
        expect(page.locator("html")).to_have_attribute("lang", "ar")
        expect(page.locator("html")).to_have_attribute("dir", "rtl")
        assert overflow(page) <= 0
    page.goto("/settings/")
    page.locator("#id_language").select_option(label="English")
    save(page)
    expect(page.locator("html")).to_have_attribute("dir", "ltr")
    expect(page.get_by_text("Your settings are saved.")).to_be_visible()


def test_dark_stays_dark_on_a_light_system_and_the_reverse(browse: Open) -> None:
    page = browse(color_scheme="light")
    log_in(page)
    assert ground(page) == LIGHT
    settings_of(page)
    page.get_by_label("Dark").check()
    save(page)
    for address in ("/settings/", "/", "/accounts/password/change/"):
        page.goto(address)
        assert ground(page) == DARK
    page.goto("/settings/")
    page.get_by_label("Light").check()
    save(page)
    page.emulate_media(color_scheme="dark")
    assert ground(page) == LIGHT
    page.get_by_label("As the system").check()
    save(page)
    assert ground(page) == DARK


def test_the_administration_is_dark_for_whom_chose_so(browse: Open) -> None:
    page = browse(color_scheme="light")
    log_in(page, "root")
    page.goto("/settings/")
    page.get_by_label("Dark").check()
    save(page)
    page.goto("/admin/")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == DARK


def test_compact_brings_more_onto_the_screen_and_a_finger_still_meets_it(browse: Open) -> None:
    page = browse()
    log_in(page)
    page.goto("/settings/")
    comfortable = page.locator("main > form").evaluate("(form) => form.offsetHeight")
    page.get_by_label("Compact").check()
    save(page)
    assert page.locator("main > form").evaluate("(form) => form.offsetHeight") < comfortable * 0.9
    touched = browse(size=PHONE, has_touch=True)
    log_in(touched)
    for control in touched.locator(".send, .attach").all():
        box = control.bounding_box()
        assert box
        assert min(box["width"], box["height"]) >= 44


def test_the_default_model_is_chosen_on_a_new_page(browse: Open) -> None:
    page = browse(javascript=False)
    log_in(page)
    page.goto("/settings/")
    page.get_by_label("Default model").select_option(PAINTER)
    save(page)
    page.get_by_role("link", name="Back to your conversations").click()
    expect(page.get_by_role("combobox", name="Model")).to_have_value(PAINTER)


@pytest.mark.parametrize("javascript", [True, False], ids=["script", "plain"])
def test_a_language_can_be_chosen_before_logging_in(browse: Open, javascript: bool) -> None:
    page = browse(javascript=javascript, size=PHONE)
    page.goto("/accounts/login/?next=/settings/")
    page.get_by_role("button", name="العربية").click()
    expect(page.locator("html")).to_have_attribute("dir", "rtl")
    assert overflow(page) <= 0
    page.locator("input[name=login]").fill("alice")
    page.locator("input[name=password]").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/settings/$"))
    expect(page.locator("html")).to_have_attribute("lang", "ar")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_assistive_technology_finds_nothing_to_complain_about(browse: Open, scheme: str, size: Any) -> None:
    page = browse(size=size, color_scheme=scheme)
    log_in(page)
    page.goto("/settings/")
    save(page)
    for language in ("en", "ar"):
        page.locator("#id_language").select_option(language)
        save(page)
        assert complaints(page) == []
