"""The first administrator, logging in and out, sign-up, passwords."""

import re

import pytest
from django.core import mail
from django.core.management import call_command
from django.test import Client
from pytest_django import Settings

from conversations.models import SetupLink, User
from conversations.services import setup

PASSWORD = "correct horse battery staple"


def form(**more: str) -> dict[str, str]:
    return {"username": "root", "email": "root@example.com", "password1": PASSWORD, "password2": PASSWORD} | more


def link() -> str:
    token = setup.token()
    assert token is not None
    return f"/setup/{token}/"


@pytest.mark.django_db
def test_the_link_makes_one_administrator_and_logs_in() -> None:
    address, client = link(), Client()
    assert client.get(address).status_code == 200
    assert not User.objects.exists()
    assert client.post(address, form()).status_code == 302
    root = User.objects.get()
    assert (root.is_superuser, root.is_staff) == (True, True)
    assert client.get("/").status_code == 200


@pytest.mark.django_db
def test_the_link_stays_the_same_until_it_is_used_and_is_gone_then() -> None:
    address = link()
    assert link() == address
    Client().post(address, form())
    assert setup.token() is None
    assert Client().get(address).status_code == 404
    assert Client().post(address, form(username="second")).status_code == 404
    assert User.objects.count() == 1


@pytest.mark.django_db
@pytest.mark.parametrize("token", ["", "0" * 64, "None", "null", "x"])
def test_other_links_are_not_found(token: str) -> None:
    setup.token()
    assert Client().get(f"/setup/{token}/").status_code == 404


@pytest.mark.django_db
def test_a_weak_password_is_refused_with_a_sentence_and_the_link_stays() -> None:
    response = Client().post(link(), form(password1="short", password2="short"))
    assert response.status_code == 422
    assert "at least 12 characters" in response.content.decode()
    assert SetupLink.objects.exists()


@pytest.mark.django_db
def test_createsuperuser_works_and_ends_the_link() -> None:
    address = link()
    call_command("createsuperuser", username="root", email="r@example.com", interactive=False, verbosity=0)
    assert setup.token() is None
    assert Client().get(address).status_code == 404


@pytest.mark.parametrize("name", ["alice", "alice@example.com"])
def test_log_in_with_name_or_address(alice: User, name: str) -> None:
    client = Client()
    response = client.post("/accounts/login/", {"login": name, "password": "alice's long password"})
    assert (response.status_code, response.headers["Location"]) == (302, "/")
    assert client.get("/").status_code == 200


def test_a_wrong_password_and_an_unknown_name_get_the_same_answer(alice: User) -> None:
    pages = []
    for name in ("alice", "nobody"):
        page = Client().post("/accounts/login/", {"login": name, "password": "wrong wrong wrong"}).content.decode()
        pages.append(re.sub(r'value="[^"]*"', "", page).replace(name, ""))
    assert pages[0] == pages[1]


def test_log_out_needs_a_post_and_ends_the_session(as_alice: Client) -> None:
    assert as_alice.get("/accounts/logout/").status_code == 200
    assert as_alice.get("/").status_code == 200
    as_alice.post("/accounts/logout/")
    assert as_alice.get("/").status_code == 302


def test_the_password_can_be_changed(as_alice: Client, alice: User) -> None:
    fields = {"oldpassword": "alice's long password", "password1": PASSWORD, "password2": PASSWORD}
    assert as_alice.post("/accounts/password/change/", fields).status_code == 302
    alice.refresh_from_db()
    assert alice.check_password(PASSWORD)


def test_the_password_can_be_reset_by_mail(alice: User) -> None:
    client = Client()
    client.post("/accounts/password/reset/", {"email": "alice@example.com"})
    address = re.search(r"http://testserver(/accounts/password/reset/key/\S+)", str(mail.outbox[0].body))
    assert address is not None
    page = client.get(address[1], follow=True)
    client.post(page.redirect_chain[-1][0], {"password1": PASSWORD, "password2": PASSWORD})
    alice.refresh_from_db()
    assert alice.check_password(PASSWORD)


@pytest.mark.django_db
def test_sign_up_is_closed_by_default_and_opens_by_setting(settings: Settings) -> None:
    fields = {"username": "dave", "email": "", "password1": PASSWORD, "password2": PASSWORD}
    Client().post("/accounts/signup/", fields)
    assert not User.objects.exists()
    settings.CHATSITE_SIGNUP = "open"
    Client().post("/accounts/signup/", fields | {"is_staff": "on", "is_superuser": "on"})
    dave = User.objects.get()
    assert (dave.username, dave.is_staff, dave.is_superuser) == ("dave", False, False)
