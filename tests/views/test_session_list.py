"""The page of one's sessions: what it shows of them, and ending them there."""

import datetime as dt
import re

import pytest
import time_machine
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from conversations.models import User
from conversations.services import sessions

PAGE = "/accounts/sessions/"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1 Version/18.0 Safari/604.1"


def logged_in(agent: str = FIREFOX, address: str = "192.0.2.77", **more: str) -> Client:
    client = Client(headers={"User-Agent": agent, **more}, REMOTE_ADDR=address)
    client.post("/accounts/login/", {"login": "alice", "password": "alice's long password"})
    return client


def shown(client: Client) -> list[str]:
    """The text of each session on the page."""
    page = client.get(PAGE).content.decode()
    (found,) = re.findall(r'<ul class="index sessions">(.*?)</ul>', page, re.DOTALL)
    return [" ".join(re.sub("<[^>]+>", " ", one).split()) for one in found.split("<li>")[1:]]


def number_of(client: Client) -> int:
    number: int = UserSession.objects.get(session_key=client.session.session_key).pk
    return number


def test_each_session_is_shown_with_browser_and_network_and_this_one_is_marked(alice: User) -> None:
    logged_in(PHONE, "2001:db8:1:2::3")
    here, there = shown(logged_in())
    assert here.startswith("Firefox on Linux this one last used ")
    assert "network 192.0.2.0" in here
    assert there.startswith("Safari on iOS last used ")
    assert "network 2001:db8:1::" in there
    assert "this one" not in there


def test_whole_addresses_are_not_kept(alice: User) -> None:
    logged_in(address="192.0.2.77")
    logged_in(address="2001:db8:1:2::3")
    assert set(UserSession.objects.values_list("ip", flat=True)) == {"192.0.2.0", "2001:db8:1::"}


def test_behind_a_proxy_the_address_is_the_one_it_saw(alice: User, settings: Settings) -> None:
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1
    client = logged_in(address="127.0.0.1", **{"X-Forwarded-For": "203.0.113.9, 198.51.100.4"})
    assert "network 198.51.100.0" in shown(client)[0]


def test_an_ended_session_is_logged_out_and_the_others_go_on(alice: User) -> None:
    here, there, third = logged_in(), logged_in(PHONE), logged_in()
    response = here.post(PAGE, {"session": number_of(there)})
    assert (response.status_code, response.headers["Location"]) == (303, PAGE)
    assert there.get("/").status_code == 302
    assert (here.get("/").status_code, third.get("/").status_code) == (200, 200)
    assert len(shown(here)) == 2


def test_all_others_are_ended_at_once_also_those_nobody_noted(alice: User, as_bob: Client) -> None:
    here, there, unlisted = logged_in(), logged_in(), logged_in()
    UserSession.objects.filter(pk=number_of(unlisted)).delete()
    here.post(PAGE)
    assert [one.get("/").status_code for one in (here, there, unlisted, as_bob)] == [200, 302, 302, 200]


def test_ending_this_one_logs_out(alice: User) -> None:
    client = logged_in()
    assert client.post(PAGE, {"session": number_of(client)}).headers["Location"] == "/accounts/login/"
    assert client.get("/").status_code == 302


@pytest.mark.parametrize("chosen", ["0", "x", "999999999999999999999"])
def test_a_session_that_is_not_there_is_not_found(as_alice: Client, chosen: str) -> None:
    assert as_alice.post(PAGE, {"session": chosen}).status_code == 404


def test_somebody_elses_session_is_neither_shown_nor_ended(alice: User, as_bob: Client) -> None:
    client = logged_in()
    assert len(shown(as_bob)) == 1
    assert as_bob.post(PAGE, {"session": number_of(client)}).status_code == 404
    assert client.get("/").status_code == 200


def test_use_is_noted_seldom_and_never_on_the_way_of_a_send(alice: User) -> None:
    client = logged_in()
    begun = UserSession.objects.get().last_seen_at
    with CaptureQueriesContext(
        connection,
    ) as queries:
        client.get("/settings/")
        client.post("/", {"text": ""})
    assert not [query for query in queries if "usersessions" in query["sql"]]
    sessions._noted.clear()  # as in a process that has just begun
    client.post("/", {"text": ""})
    assert UserSession.objects.get().last_seen_at == begun
    client.get("/settings/")
    assert UserSession.objects.get().last_seen_at > begun


def test_a_session_from_before_there_was_a_list_appears_with_its_first_page(alice: User) -> None:
    client = logged_in()
    UserSession.objects.all().delete()
    sessions._noted.clear()
    assert len(shown(client)) == 1


def test_sessions_that_ran_out_are_forgotten_with_the_next_login(alice: User) -> None:
    logged_in()
    Session.objects.update(expire_date=timezone.now() - dt.timedelta(days=1))
    client = logged_in()
    assert len(shown(client)) == 1
    assert UserSession.objects.count() == 1


def test_the_page_is_for_people_who_are_logged_in() -> None:
    assert Client().get(PAGE).headers["Location"] == f"/accounts/login/?next={PAGE}"


@pytest.mark.parametrize(
    ("agent", "name"), [("", "Unknown browser"), ("curl/8", "Unknown browser"), (FIREFOX, "Firefox")]
)
def test_an_unknown_browser_is_called_so(alice: User, agent: str, name: str) -> None:
    assert shown(logged_in(agent))[0].startswith(name)


def test_old_sessions_run_out(alice: User) -> None:
    client = logged_in()
    with time_machine.travel(timezone.now() + dt.timedelta(days=60)):
        assert client.get("/").status_code == 302
