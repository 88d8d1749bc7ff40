"""Accounts as strangers would like to have them: made at the same moment, with rights, or by links of letters."""

import re
import threading

import pytest
from django.contrib.auth.models import Permission
from django.core import mail
from django.db import connection
from django.test import Client
from pytest_django import Settings

from conversations.models import User

PASSWORD = "correct horse battery staple"
WISHES = {
    "is_staff": "on",
    "is_superuser": "on",
    "role": "administrator",
    "user_permissions": "1",
    "groups": "1",
    "id": "1",
}


@pytest.mark.django_db(transaction=True)
def test_fifty_who_sign_up_at_once_on_an_empty_database_are_members(settings: Settings) -> None:
    settings.CHATSITE_SIGNUP = "open"
    statuses: list[int] = []

    def sign_up(number: int) -> None:
        fields = {"username": f"name{number}", "email": "", "password1": PASSWORD, "password2": PASSWORD}
        try:
            address = f"198.51.{number}.1"
            answer = Client(raise_request_exception=False).post(
                "/accounts/signup/", fields | WISHES, REMOTE_ADDR=address
            )
            statuses.append(answer.status_code)
        finally:
            connection.close()

    threads = [threading.Thread(target=sign_up, args=(number,)) for number in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(statuses) == 50
    assert User.objects.exists()
    assert not User.objects.exclude(is_staff=False, is_superuser=False).exists()
    assert not Permission.objects.filter(user__isnull=False).exists()


def letter(email: str) -> str:
    """The address in the letter that somebody gets who asks for a new password."""
    Client().post("/accounts/password/reset/", {"email": email})
    found = re.search(r"http://testserver(/accounts/password/reset/key/\S+)", str(mail.outbox[-1].body))
    assert found is not None
    return found[1]


def test_whoever_asks_for_a_letter_does_not_learn_who_has_an_account(alice: User) -> None:
    """The same answer, and a letter in both cases: one with a link, one that says that there is no account."""
    answers = []
    for address in ("alice@example.com", "nobody@example.com"):
        client = Client()
        sent = client.post("/accounts/password/reset/", {"email": address})
        shown = client.get(sent.headers["Location"]).content.decode()
        answers.append((sent.status_code, sent.headers["Location"], re.sub(r'value="\w{64}"', "", shown)))
    assert answers[0] == answers[1]
    assert [letter.to for letter in mail.outbox] == [["alice@example.com"], ["nobody@example.com"]]


def takes(address: str, password: str, **more: object) -> bool:
    """Whether the address of a letter changes the password."""
    client = Client()
    page = client.get(address, follow=True)
    fields = {"password1": password, "password2": password} | more
    client.post(page.redirect_chain[-1][0] if page.redirect_chain else address, fields)
    return any(user.check_password(password) for user in User.objects.all())


def test_the_address_of_a_letter_counts_once(alice: User) -> None:
    address = letter("alice@example.com")
    assert takes(address, PASSWORD)
    assert not takes(address, "another password, the second")


def test_a_letter_is_worth_nothing_after_the_password_has_changed(alice: User) -> None:
    address = letter("alice@example.com")
    alice.set_password("a password that came in between")
    alice.save()
    assert not takes(address, PASSWORD)


def test_two_letters_are_good_for_one_change(alice: User) -> None:
    first, second = letter("alice@example.com"), letter("alice@example.com")
    assert takes(second, PASSWORD)
    assert not takes(first, "another password, the second")


@pytest.mark.parametrize("key", ["", "null", "None", "0-0", "1-", "-", "1-set-password", "x" * 500, "%00", "[]"])
def test_made_up_addresses_of_letters_change_nothing(alice: User, key: str) -> None:
    """That of a letter has two parts: whom it is for, and a token."""
    assert not takes(f"/accounts/password/reset/key/{key}/", PASSWORD)
    mine = letter("alice@example.com")
    for other in (mine.replace("key/", "key/9"), mine[:-2] + "/", re.sub(r"-[^-/]+/$", f"-{key}/", mine)):
        assert not takes(other, PASSWORD)


def test_a_letter_to_one_changes_nobody_else(alice: User, bob: User) -> None:
    address = letter("bob@example.com")
    takes(address, PASSWORD, user=str(alice.pk), uidb36=str(alice.pk), email="alice@example.com")
    alice.refresh_from_db()
    bob.refresh_from_db()
    assert (alice.check_password(PASSWORD), bob.check_password(PASSWORD)) == (False, True)
