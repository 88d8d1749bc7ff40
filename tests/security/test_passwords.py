"""Passwords that somebody who guesses would try: words of the site, and what was stolen elsewhere."""

import hashlib
import random
from pathlib import Path

import pytest
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.test import Client
from pytest_django import Settings

from chatsite import passwords
from conversations.models import User
from tests.serving import Server

GOOD = "correct horse battery staple"
STOLEN = ["a password from a breach", "another one of theirs", "and the last of the list"]


def hashed(password: str) -> str:
    return hashlib.sha1(password.encode(), usedforsecurity=False).hexdigest().upper()


def is_taken(password: str) -> bool:
    try:
        validate_password(password)
    except ValidationError:
        return False
    return True


@pytest.mark.parametrize(
    ("password", "word"),
    [
        ("My Chatsite 2026 login", "chatsite"),
        ("ACMEacmeACME-2026!", "acme"),
        ("talk at bigcorp today", "bigcorp"),
        ("the house of Wörter", "wörter"),
    ],
)
def test_words_of_the_site_make_no_password(alice: User, settings: Settings, password: str, word: str) -> None:
    settings.CHATSITE_URL = "https://www.bigcorp.example"
    settings.CHATSITE_PASSWORD_WORDS = ["Acme", "Wörter", "at"]
    client = Client()
    client.force_login(alice, backend="chatsite.sessions.Accounts")
    fields = {"oldpassword": "alice's long password", "password1": password, "password2": password}
    assert f"“{word}”" in client.post("/accounts/password/change/", fields).content.decode()
    assert client.post("/accounts/password/change/", fields | {"password1": GOOD, "password2": GOOD}).status_code == 302
    alice.refresh_from_db()
    assert alice.check_password(GOOD)


def test_short_words_and_names_of_every_machine_are_no_words_of_the_site(settings: Settings) -> None:
    settings.CHATSITE_PASSWORD_WORDS = ["at"]
    for address in ("http://127.0.0.1:8000", "http://localhost:8000", "https://www.ai.org"):
        settings.CHATSITE_URL = address
        assert passwords.words() == ["chatsite"]


@pytest.mark.parametrize("line", ["{}:17\r\n", "{}\n"], ids=["as downloaded", "bare"])
@pytest.mark.parametrize("count", [0, 1, 5000])
def test_a_password_of_a_breach_is_refused_wherever_it_stands(
    settings: Settings, tmp_path: Path, line: str, count: int
) -> None:
    others = [hashed(str(number)) for number in range(count)]
    listed = sorted([*others, *map(hashed, STOLEN)])
    path = tmp_path / "breached.txt"
    path.write_text("".join(map(line.format, listed)), newline="")
    settings.CHATSITE_BREACHED_PASSWORDS = str(path)
    assert not any(map(is_taken, STOLEN))
    assert is_taken(GOOD)
    for digest in {listed[0], listed[-1], *random.Random(1).sample(listed, min(200, len(listed)))}:
        assert passwords.holds(path, digest.lower())
    for number in range(200):
        assert not passwords.holds(path, hashed(f"absent {number}"))


def test_without_a_list_nobody_is_asked(settings: Settings) -> None:
    assert settings.CHATSITE_BREACHED_PASSWORDS == ""
    assert all(map(is_taken, STOLEN))


@pytest.mark.parametrize("content", [None, "", "password\n", "5BAA61E4\n"])
def test_a_list_that_is_none_ends_the_start(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "breached.txt"
    if content is not None:
        path.write_text(content)
    said = Server(tmp_path, {"CHATSITE_BREACHED_PASSWORDS": str(path)}).manage("check", check=False)
    assert said.returncode == 1
    assert said.stderr == "chatsite: CHATSITE_BREACHED_PASSWORDS names no list of SHA-1 hashes that can be read.\n"
