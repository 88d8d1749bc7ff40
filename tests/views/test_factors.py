"""Second factors: an app, recovery codes, and the policy that staff need one. Passkeys are tried in a browser."""

import io
import re
from collections.abc import Iterator

import pytest
from allauth.mfa.models import Authenticator
from django.core.management import call_command
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from conversations.models import User
from conversations.models.user import Role
from conversations.services import factors, invitations, setup
from conversations.views.factors import is_open
from tests import totp

PASSWORD = "alice's long password"


def logged_in(name: str = "alice", password: str = PASSWORD) -> Client:
    client = Client()
    client.post("/accounts/login/", {"login": name, "password": password})
    return client


def confirm(client: Client, password: str = PASSWORD) -> None:
    """What is asked before anything about factors is changed."""
    client.post("/accounts/reauthenticate/", {"password": password})


def set_up(client: Client, password: str = PASSWORD) -> str:
    """Set up an app; returns its secret."""
    confirm(client, password)
    page = client.get("/accounts/2fa/totp/activate/").content.decode()
    found = re.search(r'<code id="secret">(\w+)<', page)
    assert found, page
    assert "/accounts/2fa/totp/picture.svg" in page
    response = client.post("/accounts/2fa/totp/activate/", {"code": totp.code(found[1])})
    assert response.headers["Location"] == "/accounts/2fa/recovery-codes/"
    return found[1]


def test_logging_in_asks_for_the_code_of_the_app(alice: User) -> None:
    secret = set_up(logged_in())
    client = logged_in()
    assert client.get("/").headers["Location"].startswith("/accounts/login/")
    refused = client.post("/accounts/2fa/authenticate/", {"code": "000000"})
    assert "Incorrect code" in refused.content.decode()
    assert client.get("/").status_code == 302
    client.post("/accounts/2fa/authenticate/", {"code": totp.code(secret, steps_ahead=1)})
    assert client.get("/").status_code == 200


def test_a_code_is_taken_once(alice: User) -> None:
    secret = set_up(logged_in())
    code = totp.code(secret, steps_ahead=1)
    for status in (200, 302):
        client = logged_in()
        client.post("/accounts/2fa/authenticate/", {"code": code})
        assert client.get("/").status_code == status


def test_a_recovery_code_lets_in_once(alice: User) -> None:
    client = logged_in()
    set_up(client)
    page = client.get("/accounts/2fa/recovery-codes/").content.decode()
    codes = re.findall(r"<li><code>(\w+)</code>", page)
    assert len(set(codes)) == 10
    assert client.get("/accounts/2fa/recovery-codes/download/").content.decode().split() == codes
    for status in (200, 302):
        other = logged_in()
        other.post("/accounts/2fa/authenticate/", {"code": codes[0]})
        assert other.get("/").status_code == status


def test_setting_up_a_factor_ends_sessions_that_began_without_it(
    alice: User, as_bob: Client, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    this, other = logged_in(), logged_in()
    with django_capture_on_commit_callbacks(execute=True):
        set_up(this)
    assert this.get("/").status_code == 200
    assert other.get("/").status_code == 302
    assert as_bob.get("/").status_code == 200


def test_the_set_up_needs_the_password_again(alice: User) -> None:
    for address in ("/accounts/2fa/totp/activate/", "/accounts/2fa/totp/picture.svg", "/accounts/2fa/webauthn/add/"):
        assert logged_in().get(address).headers["Location"].startswith("/accounts/reauthenticate/")


def test_the_picture_shows_the_secret_of_the_person_who_looks(alice: User, as_bob: Client) -> None:
    client = logged_in()
    confirm(client)
    assert client.get("/accounts/2fa/totp/picture.svg").status_code == 404
    client.get("/accounts/2fa/totp/activate/")
    first, second = (client.get("/accounts/2fa/totp/picture.svg") for _ in range(2))
    assert first.headers["Content-Type"] == "image/svg+xml"
    assert first.content == second.content
    assert b"<script" not in first.content
    client.get("/accounts/2fa/totp/activate/")
    assert client.get("/accounts/2fa/totp/picture.svg").content != first.content


def test_secrets_are_not_in_the_database_as_they_are(alice: User) -> None:
    client = logged_in()
    secret = set_up(client)
    codes = client.get("/accounts/2fa/recovery-codes/download/").content.decode().split()
    stored = str(list(Authenticator.objects.values_list("data", flat=True)))
    assert len(stored) > 100
    assert not any(word in stored for word in (secret, *codes))


def test_a_new_key_seals_the_secrets_and_the_old_one_can_go(alice: User, settings: Settings) -> None:
    client = logged_in()
    secret = set_up(client)
    settings.CHATSITE_ENCRYPTION_KEYS = ["a new key of at least thirty-two characters"]
    call_command("rotate_keys", stdout=io.StringIO())
    settings.SECRET_KEY = "another one of at least thirty-two characters"
    newcomer = logged_in()
    newcomer.post("/accounts/2fa/authenticate/", {"code": totp.code(secret, steps_ahead=1)})
    assert newcomer.get("/").status_code == 200


def test_a_lost_factor_is_removed_by_command(alice: User) -> None:
    client = logged_in()
    set_up(client)
    call_command("person", "reset-factors", "alice")
    assert client.get("/").status_code == 302
    assert logged_in().get("/").status_code == 200


# --- The policy -------------------------------------------------------------------------------------------------------
@pytest.fixture
def policy(settings: Settings) -> None:
    settings.CHATSITE_SECOND_FACTOR = "staff"


def addresses(patterns: list[URLPattern | URLResolver], prefix: str = "/") -> Iterator[str]:
    """Of every route, with something in the place of each value."""
    values = {"uuid": "00000000-0000-4000-8000-000000000000", "int": "1"}
    for one in patterns:
        route = re.sub(r"<(?:(\w+):)?\w+>", lambda found: values.get(found[1] or "", "x"), str(one.pattern))
        route = re.sub(r"\(\?P<\w+>[^)]*\)", "x", route).strip("^$").replace("\\Z", "").replace("\\.", ".")
        if isinstance(one, URLResolver):
            yield from addresses(one.url_patterns, prefix + route)
        else:
            yield prefix + route


ADDRESSES = sorted(set(addresses(get_resolver().url_patterns)))


@pytest.mark.usefixtures("policy")
def test_staff_without_a_factor_reach_nothing_but_the_set_up(carol: User) -> None:
    client = logged_in("carol", "carol's long password")
    behind = [address for address in ADDRESSES if not is_open(address)]
    assert len(behind) > 100
    assert "/admin/conversations/conversation/" in behind
    for address in behind:
        assert client.get(address).headers.get("Location") == "/second-factor/", address
        for method in (client.post, client.put, client.delete):
            response = method(address)
            assert (response.status_code, "Second factor needed" in response.content.decode()) == (403, True), address
        assert client.get(address, headers={"HX-Request": "true"}).status_code == 403
    assert "/accounts/2fa/" in client.get("/second-factor/").content.decode()


def test_only_the_set_up_is_open() -> None:
    """By name: a new route is not open because it begins like one that is."""
    opened = set(filter(is_open, ADDRESSES))
    assert {address for address in opened if not address.startswith("/accounts/2fa/")} == {
        "/second-factor/",
        "/accounts/login/",
        "/accounts/logout/",
        "/accounts/reauthenticate/",
        "/language/",
        "/manifest.webmanifest",
        "/favicon.ico",
        "/healthz",
        "/readyz",
        "/metrics",
    }


@pytest.mark.usefixtures("policy")
def test_with_a_factor_everything_is_open_again(carol: User) -> None:
    client = logged_in("carol", "carol's long password")
    set_up(client, "carol's long password")
    assert client.get("/").status_code == 200
    assert client.get("/admin/").status_code == 200
    assert client.get("/second-factor/").headers["Location"] == "/"


@pytest.mark.usefixtures("policy")
def test_members_need_none(as_alice: Client) -> None:
    assert as_alice.get("/").status_code == 200


@pytest.mark.usefixtures("policy")
def test_a_member_who_becomes_staff_needs_one_at_once(as_alice: Client, alice: User) -> None:
    User.objects.filter(pk=alice.pk).update(is_staff=True)
    assert as_alice.get("/").headers["Location"] == "/second-factor/"


@pytest.mark.usefixtures("policy")
def test_the_last_factor_stays_where_one_is_needed(carol: User) -> None:
    client = logged_in("carol", "carol's long password")
    set_up(client, "carol's long password")
    refused = client.post("/accounts/2fa/totp/deactivate/")
    assert "cannot deactivate" in refused.content.decode()
    assert factors.of(carol).exists()


@pytest.mark.usefixtures("policy")
@pytest.mark.django_db
def test_the_first_administrator_comes_by_the_link_and_sets_one_up() -> None:
    client = Client()
    fields = {"username": "root", "email": "", "password1": PASSWORD, "password2": PASSWORD}
    assert client.post(f"/setup/{setup.token()}/", fields).status_code == 302
    assert client.get("/", follow=True).redirect_chain == [("/second-factor/", 302)]
    set_up(client)
    assert client.get("/admin/").status_code == 200


@pytest.mark.usefixtures("policy")
@pytest.mark.django_db
def test_an_invited_reviewer_sets_one_up_first() -> None:
    client = Client()
    address = f"/invitations/{invitations.invite(None, role=Role.REVIEWER).token}/"
    client.post(address, {"username": "dave", "email": "", "password1": PASSWORD, "password2": PASSWORD})
    assert client.get("/").headers["Location"] == "/second-factor/"


def test_where_everybody_needs_one_members_reach_nothing_without(alice: User, settings: Settings) -> None:
    settings.CHATSITE_SECOND_FACTOR = "everyone"
    client = logged_in()
    assert client.get("/").headers["Location"] == "/second-factor/"
    assert "Everybody who uses this site" in client.get("/second-factor/").content.decode()
    assert client.post("/", {"text": "hello"}).status_code == 403
    set_up(client)
    assert client.get("/").status_code == 200
    assert "cannot deactivate" in client.post("/accounts/2fa/totp/deactivate/").content.decode()


def test_the_administration_has_no_way_in_of_its_own(carol: User) -> None:
    set_up(logged_in("carol", "carol's long password"), "carol's long password")
    client = Client()
    response = client.post("/admin/login/", {"username": "carol", "password": "carol's long password"})
    assert response.headers["Location"].startswith("/accounts/login/")
    assert client.get("/admin/").status_code == 302


def test_the_administration_shows_no_factors_and_no_sessions(alice: User) -> None:
    User.objects.filter(pk=alice.pk).update(is_staff=True, is_superuser=True)
    client = logged_in()
    for address in ("/admin/mfa/authenticator/", "/admin/usersessions/usersession/"):
        assert client.get(address).status_code == 404
