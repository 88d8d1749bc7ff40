"""Single sign-on against a real OpenID provider: who comes in, to which account, and who does not."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests

from tests.live.browserless import Person
from tests.live.pages import Page
from tests.live.provider import Provider
from tests.serving import PASSWORD, Server, until

VERIFY = """
from allauth.account.models import EmailAddress
from conversations.models import User
alice = User.objects.get(username="alice")
EmailAddress.objects.create(user=alice, email=alice.email, verified=True, primary=True)
"""
ACCOUNTS = """
from conversations.models import User
for person in User.objects.order_by("username"):
    print((person.username, person.email, person.is_active, person.is_superuser))
"""


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    with Provider() as running:
        yield running


@pytest.fixture
def place(tmp_path: Path, template_data: Path, provider: Provider) -> Iterator[Callable[..., Server]]:
    """A server with these settings beside those of the provider."""
    started: list[Server] = []

    def start(**settings: str) -> Server:
        for name in ("chatsite.sqlite3", "secret-key"):
            (tmp_path / name).write_bytes((template_data / name).read_bytes())
        started.append(Server(tmp_path, provider.settings | settings).start())
        return started[0]

    yield start
    for server in started:
        server.kill()


def go(person: Person, page: Page, sub: str) -> Page:
    """From the button on this page to the provider, log in there as `sub`, and come back."""
    leading = person.press(page, "Go on with Example Login").page
    (address,) = re.findall(r'http-equiv="refresh" content="0;url=([^"]+)"', leading.html)
    address = address.replace("&amp;", "&")
    assert "code_challenge=" in address
    there = person.session.get(address, timeout=30)
    back = requests.post(there.url, data={"sub": sub}, allow_redirects=False, timeout=30)
    assert back.status_code == 302, back.text[:500]
    return person.get(back.headers["Location"])


def log_in(server: Server, sub: str) -> tuple[Person, Page]:
    person = Person(server.url)
    return person, go(person, person.get("/accounts/login/"), sub)


def is_in(person: Person) -> bool:
    return "/accounts/login/" not in person.get("/").url


def accounts(server: Server) -> str:
    return server.manage("shell", "-v0", "-c", ACCOUNTS).stdout


def test_new_people_come_in_by_the_rules_of_sign_up_when_it_is_open(
    place: Callable[..., Server], provider: Provider
) -> None:
    server = place(CHATSITE_SIGNUP="open")
    provider.knows("u-dave", preferred_username="dave", email="dave@example.com", email_verified=True)
    first, _ = log_in(server, "u-dave")
    assert is_in(first)
    again, _ = log_in(server, "u-dave")
    assert is_in(again)
    assert accounts(server).count("dave@example.com") == 1
    assert "('dave', 'dave@example.com', True, False)" in accounts(server)


def test_without_an_invitation_nobody_new_comes_in_and_with_one_its_role_is_given(
    place: Callable[..., Server], provider: Provider
) -> None:
    server = place()
    provider.knows("u-erin", preferred_username="erin", email="erin@example.com", email_verified=True)
    stranger, page = log_in(server, "u-erin")
    assert "Sign-up is by invitation" in page.text
    assert not is_in(stranger)
    assert "erin" not in accounts(server)
    link = server.manage("invite", "--role", "administrator").stdout.strip()
    invited = Person(server.url)
    go(invited, invited.get(link), "u-erin")
    assert is_in(invited)
    assert "('erin', 'erin@example.com', True, True)" in accounts(server)
    assert Person(server.url).get(link).status_code == 404


def test_who_needs_approval_waits_without_a_session(place: Callable[..., Server], provider: Provider) -> None:
    server = place(CHATSITE_SIGNUP="approval")
    provider.knows("u-frank", preferred_username="frank", email="frank@example.com", email_verified=True)
    person, page = log_in(server, "u-frank")
    assert "an administrator has to approve it" in page.text
    assert not is_in(person)
    server.manage("person", "approve", "frank")
    again, _ = log_in(server, "u-frank")
    assert is_in(again)


@pytest.mark.parametrize(
    ("link", "verified_there", "verified_here", "leads"),
    [
        ("verified", True, True, True),
        ("never", True, True, False),
        ("verified", False, True, False),
        ("verified", "true", True, False),
        ("verified", True, False, False),
    ],
)
def test_an_address_leads_to_an_account_where_both_sides_verified_it_and_the_policy_says_so(
    place: Callable[..., Server],
    provider: Provider,
    link: str,
    verified_there: object,
    verified_here: bool,
    leads: bool,
) -> None:
    server = place(CHATSITE_OIDC_LINK=link)
    if verified_here:
        server.manage("shell", "-v0", "-c", VERIFY)
    provider.knows("u-alice", email="alice@example.com", email_verified=verified_there)
    person, _ = log_in(server, "u-alice")
    assert is_in(person) is leads
    assert accounts(server).count("alice@example.com") == 1


def test_a_person_connects_the_own_account_and_logs_in_by_it(place: Callable[..., Server], provider: Provider) -> None:
    server = place()
    provider.knows("u-bob", email="elsewhere@example.com", email_verified=False)
    bob = Person(server.url)
    bob.log_in("bob", PASSWORD)
    go(bob, bob.get("/accounts/3rdparty/"), "u-bob")
    assert "You can log in with Example Login" in bob.get("/accounts/3rdparty/").text
    again, _ = log_in(server, "u-bob")
    assert "You are logged in as bob." in again.get("/settings/").text


def test_deactivated_people_do_not_come_in_by_it(place: Callable[..., Server], provider: Provider) -> None:
    server = place(CHATSITE_SIGNUP="open")
    provider.knows("u-gina", preferred_username="gina", email="gina@example.com", email_verified=True)
    log_in(server, "u-gina")
    server.manage("person", "deactivate", "gina")
    person, page = log_in(server, "u-gina")
    assert "deactivated" in page.text
    assert not is_in(person)


def test_an_answer_that_nobody_asked_for_lets_nobody_in(place: Callable[..., Server]) -> None:
    server = place(CHATSITE_SIGNUP="open")
    person = Person(server.url)
    person.get("/accounts/oidc/sso/login/callback/?code=x&state=y")
    assert not is_in(person)


def test_a_provider_that_is_away_is_said_so_and_passwords_go_on(
    place: Callable[..., Server], provider: Provider
) -> None:
    server = place(CHATSITE_OIDC_ISSUER="http://127.0.0.1:9")
    person = Person(server.url)
    answer = person.press(person.get("/accounts/login/"), "Go on with Example Login")
    assert answer.status_code == 503
    assert "cannot be reached" in answer.page.text
    person.log_in("alice", PASSWORD)
    until(lambda: is_in(person), "the page")


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"CHATSITE_OIDC_ISSUER": "http://login.example.com"}, "CHATSITE_OIDC_ISSUER must begin with https://."),
        ({"CHATSITE_OIDC_ISSUER": "https://login.example.com"}, "CHATSITE_OIDC_ISSUER needs CHATSITE_OIDC_CLIENT_ID."),
        ({"CHATSITE_OIDC_LINK": "always"}, "CHATSITE_OIDC_LINK must be one of: never, verified."),
    ],
)
def test_wrong_settings_stop_the_start(tmp_path: Path, wrong: dict[str, str], said: str) -> None:
    result = Server(tmp_path, wrong).manage("check", check=False)
    assert result.stderr == f"chatsite: {said}\n"
