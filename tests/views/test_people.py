"""A person's settings: stored by a plain form, seen on every page; languages for everybody, chosen or not."""

import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from conversations.models import User
from conversations.services import conversations, review
from tests.conftest import MODEL, PAINTER, send

CHOSEN: dict[str, str] = {
    "language": "ar",
    "theme": "dark",
    "density": "compact",
    "default_model": PAINTER,
    "notifies": "on",
}


def root_of(page: str) -> str:
    found = re.search(r"<html[^>]*>", page)
    assert found
    return found[0]


def test_settings_are_stored_and_seen_on_the_next_page(as_alice: Client, alice: User) -> None:
    response = as_alice.post("/settings/", CHOSEN)
    assert (response.status_code, response.headers["Location"]) == (303, "/settings/")
    alice.refresh_from_db()
    assert (alice.language, alice.theme, alice.density) == ("ar", "dark", "compact")
    assert (alice.default_model, alice.enter_sends, alice.notifies) == (PAINTER, False, True)
    for address in ("/", "/settings/", "/c/", "/accounts/password/change/", "/nothing/here/"):
        page = as_alice.get(address).content.decode()
        assert root_of(page) == '<html lang="ar" dir="rtl" data-theme="dark" data-density="compact">', address
        assert re.findall(r'name="theme-color" content="(\S+)"( media)?', page) == [("#17181a", "")]


def test_nobody_has_to_choose(as_alice: Client) -> None:
    page = as_alice.get("/settings/", headers={"Accept-Language": "es"}).content.decode()
    assert root_of(page) == '<html lang="es" dir="ltr">'
    assert len(re.findall('name="theme-color".*media', page)) == 2
    saved = as_alice.post("/settings/", {"theme": "system", "density": "comfortable"}, follow=True)
    assert root_of(saved.content.decode()) == '<html lang="en" dir="ltr">'


@pytest.mark.parametrize(
    "wrong", [{"language": "tlh"}, {"theme": "pink"}, {"density": ""}, {"default_model": "nobody/nothing"}]
)
def test_other_values_are_refused_beside_their_field(as_alice: Client, alice: User, wrong: dict[str, str]) -> None:
    response = as_alice.post("/settings/", CHOSEN | wrong)
    page = response.content.decode()
    assert response.status_code == 422
    assert f'id="id_{next(iter(wrong))}_error"' in page
    assert root_of(page) == '<html lang="en" dir="ltr">'
    alice.refresh_from_db()
    assert (alice.language, alice.theme) == ("", "system")


def test_only_preferences_can_be_changed_so(as_alice: Client, alice: User) -> None:
    as_alice.post("/settings/", CHOSEN | {"is_staff": "on", "is_superuser": "on", "username": "root"})
    alice.refresh_from_db()
    assert (alice.is_staff, alice.is_superuser, alice.username) == (False, False, "alice")


def test_settings_are_for_people_who_are_logged_in() -> None:
    assert Client().get("/settings/").headers["Location"] == "/accounts/login/?next=/settings/"


def test_a_new_page_begins_with_the_default_model_and_an_old_one_with_its_own(as_alice: Client, alice: User) -> None:
    sent = send(alice, "with another model", model=MODEL)
    alice.default_model = PAINTER
    alice.save()

    def chosen(address: str) -> list[str]:
        return re.findall(r'<option value="([^"]+)"[^>]* selected', as_alice.get(address).content.decode())

    assert chosen("/") == [PAINTER]
    assert chosen(f"/c/{sent.message.conversation.uuid}/") == [MODEL]


def test_a_default_model_without_a_key_is_passed_over_and_kept(
    as_alice: Client, alice: User, settings: Settings
) -> None:
    alice.default_model = PAINTER
    alice.save()
    settings.PROVIDER_ENDPOINTS = {"segmind": ("", ""), "aimlapi": ("", "key")}
    assert f'value="{MODEL}"' in as_alice.get("/").content.decode()
    assert "not on offer now" in as_alice.get("/settings/").content.decode()
    assert as_alice.post("/settings/", CHOSEN).status_code == 303


def test_anybody_can_choose_a_language_before_logging_in() -> None:
    client = Client()
    page = client.get("/accounts/login/?next=/c/").content.decode()
    assert 'value="/accounts/login/?next=/c/"' in page
    assert re.findall(r'name="language" value="(\w+)"', page) == ["en", "de", "es", "ar"]
    response = client.post("/language/", {"language": "ar", "next": "/accounts/login/?next=/c/"})
    assert (response.status_code, response.headers["Location"]) == (302, "/accounts/login/?next=/c/")
    assert root_of(client.get("/accounts/login/").content.decode()) == '<html lang="ar" dir="rtl">'


def test_the_language_form_leads_to_no_other_site_and_changes_nothing_by_a_link() -> None:
    response = Client().post("/language/", {"language": "de", "next": "https://elsewhere.example/"})
    assert response.headers["Location"] == "/"
    assert Client().get("/language/?language=de").status_code == 405
    assert Client(enforce_csrf_checks=True).post("/language/", {"language": "de"}).status_code == 403


def test_a_persons_language_wins_over_browser_and_cookie(as_alice: Client, alice: User) -> None:
    as_alice.post("/language/", {"language": "es"})
    headers = {"Accept-Language": "de"}
    assert root_of(as_alice.get("/", headers=headers).content.decode()).startswith('<html lang="es"')
    alice.language = "ar"
    alice.save()
    response = as_alice.get("/", headers=headers)
    assert response.headers["Content-Language"] == "ar"
    assert root_of(response.content.decode()).startswith('<html lang="ar" dir="rtl"')


def test_an_event_stream_speaks_the_persons_language(as_alice: Client, alice: User) -> None:
    reply = send(alice, "hello").reply
    alice.language = "ar"
    alice.save()
    response = as_alice.get(f"/replies/{reply.uuid}/events/", headers={"Accept-Language": "de"})
    assert (response.status_code, response.headers["Content-Language"]) == (200, "ar")


def test_the_administration_takes_language_and_theme(alice: User) -> None:
    alice.is_staff = alice.is_superuser = True
    alice.language, alice.theme = "de", "dark"
    alice.save()
    client = Client()
    client.force_login(alice, backend="django.contrib.auth.backends.ModelBackend")
    page = client.get("/admin/").content.decode()
    assert root_of(page) == '<html lang="de" dir="ltr">'
    assert re.search(r'<body class="[^"]*theme-dark', page)


def test_the_choice_costs_no_query(as_alice: Client, alice: User) -> None:
    """A page reads session and person once, chosen language or not; who has no session is not looked up."""
    conversations.create(alice, model=MODEL)

    def queries(address: str, client: Client) -> int:
        with CaptureQueriesContext(
            connection,
        ) as captured:
            client.get(address)
        return len(captured)

    before = queries("/c/", as_alice)
    alice.language = "ar"
    alice.save()
    assert queries("/c/", as_alice) == before == 3
    assert queries("/accounts/login/", Client()) == 0


def test_people_see_who_looked_at_what_is_theirs_where_the_organisation_has_it_so(
    as_alice: Client, alice: User, bob: User, carol: User, settings: Settings
) -> None:
    mine, others = (send(one, f"words of {one}", key=f"of {one}").message.conversation for one in (alice, bob))
    review.record_look(carol, mine, "thread", "a complaint")
    review.record_look(carol, others, "thread", "quite another reason")
    assert as_alice.get("/settings/looks/").status_code == 404
    assert "/settings/looks/" not in as_alice.get("/settings/").content.decode()
    settings.CHATSITE_SHOW_LOOKS = True
    assert "/settings/looks/" in as_alice.get("/settings/").content.decode()
    page = as_alice.get("/settings/looks/").content.decode()
    for wanted in ("carol", "read a conversation", "a complaint", "words of alice"):
        assert wanted in page
    assert "another reason" not in page
    conversations.delete(mine)
    page = as_alice.get("/settings/looks/").content.decode()
    assert "a complaint" in page
    assert "words of alice" not in page
