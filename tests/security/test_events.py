"""What the log tells about logging in: each step, good and bad, by numbers, and nothing that is secret or a name."""

import json
import logging
import re
from collections.abc import Iterator

import pytest
from django.core import mail
from django.test import Client
from pytest_django import DjangoCaptureOnCommitCallbacks

from chatsite import logs
from conversations.models import User
from tests import totp

PASSWORD, NEW = "alice's long password", "correct horse battery staple"


class Lines(logging.Handler):
    """What a server would write, line by line."""

    def __init__(self) -> None:
        super().__init__()
        self.written: list[dict[str, object]] = []
        self.addFilter(logs.Ids())

    def emit(self, record: logging.LogRecord) -> None:
        self.written.append(json.loads(logs.Json().format(record)))

    @property
    def events(self) -> list[tuple[object, object]]:
        return [(line["event"], line.get("user")) for line in self.written if "event" in line]


@pytest.fixture
def lines() -> Iterator[Lines]:
    handler, root = Lines(), logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    yield handler
    root.removeHandler(handler)
    root.setLevel(level)


def log_in(password: str = PASSWORD, name: str = "alice", client: Client | None = None) -> Client:
    client = client or Client()
    client.post("/accounts/login/", {"login": name, "password": password})
    return client


def test_logins_are_told_whether_they_worked_and_how(alice: User, lines: Lines) -> None:
    log_in("a wrong password")
    log_in(name="nobody@example.com")
    log_in().post("/accounts/logout/")
    assert lines.events == [
        ("login.failed", alice.pk), ("login.failed", None),
        ("login.step", alice.pk), ("login.done", alice.pk), ("logout", alice.pk),
    ]  # fmt: skip
    steps = [(line["level"], line.get("method")) for line in lines.written if "event" in line]
    assert steps[:3] == [("WARNING", "password"), ("WARNING", "password"), ("INFO", "password")]


def test_factors_are_told_by_their_kind(
    alice: User, lines: Lines, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    client = log_in()
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    page = client.get("/accounts/2fa/totp/activate/").content.decode()
    (secret,) = re.findall(r'<code id="secret">(\w+)<', page)
    with django_capture_on_commit_callbacks(execute=True):
        client.post("/accounts/2fa/totp/activate/", {"code": totp.code(secret)})
    other = log_in()
    other.post("/accounts/2fa/authenticate/", {"code": "000000"})
    code = totp.code(secret, steps_ahead=1)
    other.post("/accounts/2fa/authenticate/", {"code": code})
    with django_capture_on_commit_callbacks(execute=True):
        client.post("/accounts/2fa/totp/deactivate/")
    found = [(line["event"], line.get("method"), line.get("type")) for line in lines.written if "event" in line]
    assert ("factor.added", None, "totp") in found
    assert ("login.failed", "mfa", "totp") in found
    assert ("login.step", "mfa", "totp") in found
    assert ("factor.removed", None, "totp") in found
    assert not [word for word in (secret, code, "000000") if word in str(lines.written)]


def test_new_passwords_are_told_without_them(alice: User, lines: Lines) -> None:
    client = log_in()
    fields = {"oldpassword": PASSWORD, "password1": NEW, "password2": NEW}
    client.post("/accounts/password/change/", fields)
    Client().post("/accounts/password/reset/", {"email": "alice@example.com"})
    found = re.search(r"http://testserver(/accounts/password/reset/key/\S+)", str(mail.outbox[-1].body))
    assert found
    stranger = Client()
    stranger.post(found[1])
    stranger.post(stranger.get(found[1]).headers["Location"], {"password1": PASSWORD, "password2": PASSWORD})
    assert {("password.changed", alice.pk), ("password.reset", alice.pk)} <= set(lines.events)
    whole = str(lines.written)
    assert not [word for word in ("alice", NEW, "example.com", found[1].rstrip("/").split("/")[-1]) if word in whole]


def test_refusals_by_a_limit_are_told(alice: User, lines: Lines) -> None:
    for _ in range(12):
        log_in("a wrong password")
    assert lines.events.count(("login.failed", alice.pk)) == 10
    assert lines.events.count(("login.limited", alice.pk)) == 2
    assert not [word for word in ("alice", "wrong password") if word in str(lines.written)]


def test_every_refusal_says_whose_request_it_was(alice: User, as_alice: Client, lines: Lines) -> None:
    as_alice.get("/admin/")
    as_alice.get("/nothing/")
    as_alice.post("/", {"text": ""})
    Client(enforce_csrf_checks=True).post("/accounts/login/", {"login": "alice"})
    refused = [(line["level"], str(line["message"]).split(":")[0], line.get("user")) for line in lines.written]
    assert ("WARNING", "Not Found", alice.pk) in refused
    assert any(kind.startswith("Forbidden") for _level, kind, _user in refused)


@pytest.mark.parametrize(
    "address", ["/invitations/{}/", "/setup/{}/", "/accounts/password/reset/key/{}/", "/accounts/confirm-email/{}/"]
)
@pytest.mark.django_db
def test_what_a_link_is_worth_is_in_no_line(lines: Lines, address: str) -> None:
    for method in ("get", "put", "post"):
        getattr(Client(enforce_csrf_checks=True), method)(address.format("secret-of-a-link"))
    assert "secret-of-a-link" not in str(lines.written)
    assert address.split("{")[0] + "…" in str(lines.written)
