"""A request is its person's only while session and account are good."""

import datetime as dt
import uuid

import pytest
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone

from conversations.models import User
from conversations.views.viewers import Viewer, expected

NEW = "correct horse battery staple"


def status_of_the_first_page(client: Client) -> int:
    return client.get("/").status_code


@pytest.fixture(params=settings.AUTHENTICATION_BACKENDS)
def logged_in(request: pytest.FixtureRequest, alice: User) -> Client:
    """Also by what sessions of earlier versions name."""
    client = Client()
    client.force_login(alice, backend=request.param)
    assert status_of_the_first_page(client) == 200
    return client


def test_an_expired_session_leads_to_the_login(logged_in: Client) -> None:
    Session.objects.update(expire_date=timezone.now() - dt.timedelta(seconds=1))
    assert status_of_the_first_page(logged_in) == 302


def test_a_removed_session_leads_to_the_login(logged_in: Client) -> None:
    Session.objects.all().delete()
    assert status_of_the_first_page(logged_in) == 302


def test_somebody_deactivated_is_out_at_once(logged_in: Client, alice: User) -> None:
    User.objects.filter(pk=alice.pk).update(is_active=False)
    assert status_of_the_first_page(logged_in) == 302


def test_a_new_password_ends_other_sessions(logged_in: Client, alice: User) -> None:
    alice.set_password("another one entirely")
    alice.save()
    assert status_of_the_first_page(logged_in) == 302


def test_a_stream_that_was_promised_before_leaving_is_not_opened_after_it(logged_in: Client, alice: User) -> None:
    session, reply = logged_in.session.session_key, uuid.uuid4()
    assert session
    expected.add(reply, Viewer(user=alice, session=session, conversation=1, reply=1, language="en"))
    logged_in.post("/accounts/logout/")
    assert expected.take(session, reply) is None


@pytest.mark.parametrize("address", ["/accounts/logout/", "/accounts/sessions/"])
def test_a_browser_that_is_left_is_asked_to_forget_what_it_keeps(alice: User, address: str) -> None:
    client = Client()
    client.post("/accounts/login/", {"login": "alice", "password": "alice's long password"})
    assert "Clear-Site-Data" not in client.get("/").headers
    fields = {"session": str(UserSession.objects.get().pk)}
    assert client.post(address, fields).headers["Clear-Site-Data"] == '"cache"'
    assert client.get("/").status_code == 302


def test_a_session_that_somebody_prepared_is_another_one_after_the_login(alice: User) -> None:
    """And again after the password was changed."""
    client = Client()
    prepared = client.session
    prepared["left"] = "here"
    prepared.save()
    client.cookies[settings.SESSION_COOKIE_NAME] = str(prepared.session_key)
    client.post("/accounts/login/", {"login": "alice", "password": "alice's long password"})
    first = client.session.session_key
    fields = {"oldpassword": "alice's long password", "password1": NEW, "password2": NEW}
    assert client.post("/accounts/password/change/", fields).status_code == 302
    assert status_of_the_first_page(client) == 200
    assert len({prepared.session_key, first, client.session.session_key}) == 3
    assert not Session.objects.filter(pk__in=[prepared.session_key, first]).exists()
