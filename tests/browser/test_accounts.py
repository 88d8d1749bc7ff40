"""From an invitation over a second factor to the chat; passkeys with the browser's own virtual authenticator."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests import totp
from tests.browser.assistive import complaints
from tests.browser.conftest import DESKTOP, PATIENCE, PHONE, Open, Watch, last_reply, log_in, send
from tests.live.conftest import settings_for
from tests.serving import PASSWORD, Server
from tests.simulator import Simulator

CHOSEN = "a password nobody guesses"


@pytest.fixture
def server(tmp_path: Path, template_data: Path, simulator: Simulator) -> Iterator[Server]:
    """Staff need a second factor here."""
    for name in ("chatsite.sqlite3", "secret-key"):
        (tmp_path / name).write_bytes((template_data / name).read_bytes())
    with Server(tmp_path, settings_for(simulator) | {"CHATSITE_SECOND_FACTOR": "staff"}) as running:
        yield running


def sign_up(page: Page, invitation: str, name: str) -> None:
    page.goto(invitation)
    expect(page.get_by_role("heading", name="Your invitation")).to_be_visible()
    page.get_by_label("Username").fill(name)
    page.get_by_label("Password", exact=True).fill(CHOSEN)
    page.get_by_label("Password (again)").fill(CHOSEN)
    page.get_by_role("button", name="Create account").click()


def confirm(page: Page, password: str = CHOSEN) -> None:
    expect(page.get_by_role("heading", name="Confirm")).to_be_visible()
    page.locator("input[type=password]").fill(password)
    page.locator("main form button").first.click()


def give_name(page: Page, name: str, password: str) -> None:
    page.goto("/accounts/login/")
    page.locator("input[name=login]").fill(name)
    page.locator("input[name=password]").fill(password)
    page.get_by_role("button", name="Log in", exact=True).click()


def at_home(page: Page) -> None:
    """In the chat, with all its scripts."""
    expect(page.get_by_role("textbox", name="Message")).to_be_visible()
    page.wait_for_load_state()


@pytest.mark.parametrize("javascript", [True, False], ids=["script", "plain"])
def test_from_an_invitation_over_a_second_factor_to_the_chat(browse: Open, server: Server, javascript: bool) -> None:
    invitation = server.manage("invite", "--role", "reviewer").stdout.strip()
    assert invitation.startswith(f"{server.url}/invitations/")
    page = browse(javascript=javascript)
    sign_up(page, invitation, "dave")
    expect(page.get_by_role("heading", name="Second factor needed")).to_be_visible()
    page.get_by_role("link", name="Set up a second factor").click()
    page.get_by_role("link", name="Set up an app").click()
    confirm(page)
    secret = page.locator("#secret").inner_text()
    picture = page.locator("img.qr")
    expect(picture).to_be_visible()
    if javascript:
        assert picture.evaluate("(image) => image.decode().then(() => image.naturalWidth)") > 0
    page.get_by_label("Authenticator code").fill(totp.code(secret))
    page.get_by_role("button", name="Set up").click()
    expect(page.locator(".codes li")).to_have_count(10)
    recovery = page.locator(".codes li").first.inner_text()
    page.goto("/accounts/logout/")
    page.get_by_role("button", name="Log out").click()
    give_name(page, "dave", CHOSEN)
    page.get_by_label("Code of your app").fill(totp.code(secret, steps_ahead=1))
    page.get_by_role("button", name="Log in", exact=True).click()
    at_home(page)
    send(page, "Which planet has the most moons?")
    if javascript:
        last_reply(page)
    else:
        expect(page.locator("article[data-role=assistant]")).to_have_count(1)
    page.goto("/admin/")
    expect(page.get_by_role("link", name="Conversations", exact=True).first).to_be_visible()
    other = browse(javascript=javascript)
    give_name(other, "dave", CHOSEN)
    other.get_by_label("Code of your app").fill(recovery)
    other.get_by_role("button", name="Log in", exact=True).click()
    at_home(other)


@pytest.fixture
def named(browser: Browser, server: Server) -> Iterator[Page]:
    """A browser that calls the site by a name, with an authenticator that is part of the device."""
    address = server.url.replace("127.0.0.1", "localhost")
    context = browser.new_context(base_url=address, viewport=DESKTOP, locale="en-US")
    context.set_default_timeout(PATIENCE)
    watch = Watch(address)
    watch.attach(context)
    page = context.new_page()
    session = context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    options = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True}
    options |= {"isUserVerified": True, "automaticPresenceSimulation": True}
    session.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    yield page
    context.close()
    assert watch.complaints == []


def add_key(page: Page, name: str, *, is_passkey: bool) -> None:
    page.get_by_role("link", name="Add a key").click()
    page.get_by_label("Name").fill(name)
    page.get_by_role("checkbox").set_checked(is_passkey)
    page.get_by_role("button", name="Add a key").click()


def test_a_passkey_logs_in_without_a_password_and_is_a_second_factor(named: Page) -> None:
    log_in_at_gate(named, "root")
    named.get_by_role("link", name="Set up a second factor").click()
    named.get_by_role("link", name="Add a key").click()
    confirm(named, PASSWORD)
    named.goto("/accounts/2fa/")
    add_key(named, "this computer", is_passkey=True)
    expect(named.locator(".codes li")).to_have_count(10)
    named.goto("/accounts/2fa/webauthn/")
    expect(named.get_by_text("this computer")).to_be_visible()
    expect(named.get_by_text("Passkey ·")).to_be_visible()
    named.get_by_role("link", name="Rename").click()
    named.get_by_label("Name").fill("my desk")
    named.get_by_role("button", name="Save").click()
    expect(named.get_by_text("my desk")).to_be_visible()
    named.goto("/accounts/logout/")
    named.get_by_role("button", name="Log out").click()
    named.get_by_role("button", name="Log in with a passkey").click()
    at_home(named)
    named.goto("/admin/")
    expect(named).to_have_url(re.compile("/admin/$"))


def test_a_security_key_is_asked_for_after_the_password(named: Page) -> None:
    log_in_at_gate(named, "root")
    named.get_by_role("link", name="Set up a second factor").click()
    named.get_by_role("link", name="Add a key").click()
    confirm(named, PASSWORD)
    named.goto("/accounts/2fa/")
    add_key(named, "on my key ring", is_passkey=False)
    expect(named.locator(".codes li")).to_have_count(10)
    named.goto("/accounts/logout/")
    named.get_by_role("button", name="Log out").click()
    give_name(named, "root", PASSWORD)
    named.get_by_role("button", name="Use a passkey or security key").click()
    at_home(named)
    named.goto("/accounts/2fa/webauthn/")
    named.get_by_role("link", name="Remove").click()
    if named.get_by_label("Password").is_visible():
        confirm(named, PASSWORD)
    expect(named.get_by_text("“on my key ring” lets nobody in any more.")).to_be_visible()
    named.get_by_role("button", name="Remove").click()
    expect(named.get_by_text("You have no keys.")).to_be_visible()


def log_in_at_gate(page: Page, name: str) -> None:
    give_name(page, name, PASSWORD)
    expect(page.get_by_role("heading", name="Second factor needed")).to_be_visible()


def test_where_browsers_refuse_passkeys_none_are_offered(browse: Open) -> None:
    page = browse()
    page.goto("/accounts/login/")
    expect(page.get_by_role("button", name="passkey")).to_have_count(0)
    log_in(page)
    page.goto("/accounts/2fa/")
    expect(page.get_by_text("only where a site has a name")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_of_accounts_are_for_everybody(browse: Open, server: Server, scheme: str) -> None:
    invitation = server.manage("invite").stdout.strip()
    page = browse(size=PHONE, color_scheme=scheme)
    for address in (invitation, "/accounts/signup/", "/accounts/waiting/", "/accounts/inactive/"):
        check(page, address)
    log_in(page)
    page.goto("/accounts/2fa/totp/activate/")
    confirm(page, PASSWORD)
    for address in (
        "/accounts/2fa/",
        "/accounts/2fa/totp/activate/",
        "/accounts/2fa/webauthn/add/",
        "/accounts/sessions/",
    ):
        check(page, address)


def check(page: Page, address: str) -> None:
    page.goto(address)
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0, address
    assert complaints(page) == [], address
