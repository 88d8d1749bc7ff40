"""Single sign-on in a browser: there and back, past a content security policy that lets forms lead nowhere else."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import DESKTOP, PATIENCE, Watch
from tests.live.provider import Provider
from tests.serving import Server


@pytest.mark.parametrize("javascript", [True, False], ids=["with scripts", "without scripts"])
def test_somebody_invited_comes_in_by_the_organisation_s_login(
    browser: Browser, tmp_path: Path, template_data: Path, javascript: bool
) -> None:
    for name in ("chatsite.sqlite3", "secret-key"):
        (tmp_path / name).write_bytes((template_data / name).read_bytes())
    with Provider() as provider:
        server = Server(tmp_path, provider.settings).start()
        provider.knows("u-erin", preferred_username="erin", email="erin@example.com", email_verified=True)
        watch = Watch("http://127.0.0.1:")
        context = browser.new_context(java_script_enabled=javascript, viewport=DESKTOP, locale="en-US")
        context.set_default_timeout(PATIENCE)
        watch.attach(context)
        context.route("https://**", lambda route: route.abort())  # what the provider's own pages would like to have
        try:
            page = context.new_page()
            page.goto(server.manage("invite").stdout.strip())
            page.get_by_role("button", name="Go on with Example Login").click()
            page.locator("input[name=sub]").fill("u-erin")
            page.get_by_role("button", name="Authorize").click()
            expect(page).to_have_url(re.compile(re.escape(server.url)))
            expect(page.get_by_role("heading", name="What would you like to talk about?")).to_be_visible()
            page.goto(f"{server.url}/settings/")
            expect(page.get_by_role("main")).to_contain_text("erin")
        finally:
            context.close()
            server.kill()
    assert [text for text in watch.complaints if "Content Security Policy" in text] == []
