"""Guessing at passwords: slowed down for strangers, without a way to lock the owner out, and telling nothing."""

import shutil
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as configured
from django.contrib.auth.hashers import MD5PasswordHasher
from django.test import Client
from pytest_django import Settings

from conversations.models import Remembered, User
from tests.live.browserless import Person, Refused
from tests.live.conftest import template_data
from tests.serving import PASSWORD, Server

__all__ = ["template_data"]

STRANGER, OWNER = "198.51.100.7", "203.0.113.9"
RIGHT = "alice's long password"
TRIES = 10


class Counted(MD5PasswordHasher):
    """Notes how often a password is hashed, which is what takes time."""

    algorithm = "counted"
    times = 0

    def encode(self, *arguments: Any, **options: Any) -> str:
        Counted.times += 1
        return super().encode(*arguments, **options)


def log_in(name: str, password: str, *, network: str, browser: Client | None = None) -> Client | None:
    """The browser that is logged in now; None where it was refused."""
    client = browser or Client()
    client.post("/accounts/login/", {"login": name, "password": password}, REMOTE_ADDR=network)
    return client if "_auth_user_id" in client.session else None


def guess(times: int, *, network: str = STRANGER, name: str = "alice") -> None:
    for _ in range(times):
        assert log_in(name, "not the password", network=network) is None


def test_a_stranger_is_refused_after_ten_failures_and_the_owner_is_not(alice: User) -> None:
    guess(TRIES - 1)
    assert log_in("alice", RIGHT, network=STRANGER)
    guess(TRIES)
    assert log_in("alice", RIGHT, network=STRANGER) is None
    assert log_in("ALICE@example.com", RIGHT, network=STRANGER) is None
    assert log_in("alice", RIGHT, network=OWNER)


def test_a_browser_its_owner_knows_is_let_in_beside_a_stranger(alice: User) -> None:
    own = log_in("alice", RIGHT, network=STRANGER)
    assert own
    own.post("/accounts/logout/")
    guess(TRIES)
    assert log_in("alice", RIGHT, network=STRANGER, browser=own)


def test_a_known_browser_may_not_guess_for_ever_either(alice: User) -> None:
    own = log_in("alice", RIGHT, network=OWNER)
    assert own
    own.post("/accounts/logout/")
    for number in range(TRIES):
        assert log_in("alice", "wrong", network=f"198.51.100.{number}", browser=own) is None
    assert log_in("alice", RIGHT, network="198.51.100.99", browser=own) is None
    assert log_in("alice", RIGHT, network=OWNER)


def test_a_browser_is_known_for_its_own_person_alone(alice: User, bob: User) -> None:
    foreign = log_in("bob", "bob's long password", network=STRANGER)
    assert foreign
    foreign.post("/accounts/logout/")
    guess(TRIES)
    assert log_in("alice", RIGHT, network=STRANGER, browser=foreign) is None
    forged = Client()
    forged.cookies[configured.DEVICE_COOKIE_NAME] = '{"user": 1}:x:y'
    assert log_in("alice", RIGHT, network=STRANGER, browser=forged) is None


def limited(settings: Settings, **rates: str) -> None:
    """Fewer than people have, which take their time to use up."""
    settings.ACCOUNT_RATE_LIMITS = configured.ACCOUNT_RATE_LIMITS | rates


def test_guesses_from_everywhere_have_an_end_and_known_browsers_none(alice: User, settings: Settings) -> None:
    assert configured.ACCOUNT_RATE_LIMITS["login_failed_anywhere"] == "100/h/key"
    limited(settings, login_failed_anywhere="8/h/key")
    own = log_in("alice", RIGHT, network=OWNER)
    assert own
    own.post("/accounts/logout/")
    for number in range(4):
        guess(2, network=f"198.51.{number}.7")
    assert log_in("alice", RIGHT, network="198.51.99.7") is None
    assert log_in("alice", RIGHT, network=OWNER, browser=own)


def test_one_network_does_not_try_many_accounts(alice: User, settings: Settings) -> None:
    limited(settings, login_failed="8/m/ip,10/5m/key")
    for number in range(8):
        guess(1, name=f"somebody{number}")
    assert log_in("alice", RIGHT, network=STRANGER) is None
    assert log_in("alice", RIGHT, network=OWNER)


def test_what_is_remembered_of_tries_names_nobody(alice: User) -> None:
    guess(2)
    stored = str(list(Remembered.objects.values()))
    assert Remembered.objects.exists()
    assert not [word for word in ("alice", STRANGER) if word in stored]


@pytest.mark.parametrize("login", ["alice", "alice@example.com", "nobody", "nobody@example.com", "gone", "sso"])
def test_every_refusal_costs_the_same(alice: User, settings: Settings, login: str) -> None:
    settings.PASSWORD_HASHERS = ["tests.security.test_guessing.Counted"]
    alice.set_password(RIGHT)
    alice.save()
    User.objects.create_user("gone", "gone@example.com", RIGHT, is_active=False)
    User.objects.create_user("sso", "sso@example.com", None)
    Counted.times = 0
    assert log_in(login, "not the password", network=STRANGER) is None
    assert Counted.times == 1


def test_a_restart_gives_nobody_new_tries(template_data: Path, tmp_path: Path) -> None:
    shutil.copytree(template_data, tmp_path, dirs_exist_ok=True)

    def log_in_there(password: str) -> bool:
        try:
            Person(server.url).log_in("alice", password)
        except Refused:
            return False
        return True

    with Server(tmp_path) as server:
        for _ in range(TRIES):
            assert not log_in_there("not the password")
    with Server(tmp_path) as server:
        assert not log_in_there(PASSWORD)
