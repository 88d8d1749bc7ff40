"""What everybody is told: a banner, terms that come before anything else, and whether conversations are reviewed."""

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from conversations.models import Message, Notices, User
from conversations.services import notices
from tests.conftest import MODEL, send

ADMIN = "/admin/conversations/notices/"


def tell(**told: object) -> None:
    Notices.objects.update_or_create(pk=1, defaults=told)
    notices.forget()


def test_the_banner_stands_on_every_page_and_is_text(as_alice: Client) -> None:
    for address in ("/", "/settings/", "/prompts/"):
        assert 'class="banner"' not in as_alice.get(address).content.decode()
    tell(banner="Down on Sunday\n<b>from 8</b>")
    for address in ("/", "/settings/", "/prompts/"):
        assert "Down on Sunday<br>&lt;b&gt;from 8" in as_alice.get(address).content.decode()


def test_terms_come_before_anything_else_and_are_accepted_once(as_alice: Client, alice: User) -> None:
    send(alice, "my words")
    tell(terms="Be kind.\n\n<i>Always.</i>", terms_since=timezone.now())
    asked = as_alice.get("/c/?archived=1")
    assert (asked.status_code, asked.headers["Location"]) == (302, "/terms/?next=%2Fc%2F%3Farchived%3D1")
    page = as_alice.get(asked.headers["Location"]).content.decode()
    assert "Be kind." in page
    assert "&lt;i&gt;Always." in page
    accepted = as_alice.post(asked.headers["Location"])
    assert (accepted.status_code, accepted.headers["Location"]) == (303, "/c/?archived=1")
    assert as_alice.get("/c/").status_code == 200
    assert "I accept" not in as_alice.get("/terms/").content.decode()
    tell(terms_since=timezone.now())
    assert as_alice.get("/").status_code == 302


def test_accepting_leads_nowhere_else(as_alice: Client) -> None:
    tell(terms="Be kind.", terms_since=timezone.now())
    assert as_alice.post("/terms/?next=https://evil.example/").headers["Location"] == "/"
    assert Client().get("/terms/").status_code == 302


def test_what_was_being_written_when_terms_came_is_not_lost(as_alice: Client) -> None:
    tell(terms="Be kind.", terms_since=timezone.now())
    message = {"text": "a long thought", "model": MODEL, "key": "k"}
    refused = as_alice.post("/", message, headers={"HX-Request": "true"})
    assert (refused.status_code, refused.headers["HX-Retarget"]) == (409, "#composer-notice")
    assert 'href="/terms/"' in refused.content.decode()
    assert not Message.objects.exists()
    as_alice.post("/", message)  # a page from before that runs no scripts
    assert Message.objects.filter(parts__text="a long thought").exists()


def test_without_terms_nothing_is_asked(as_alice: Client) -> None:
    assert as_alice.get("/").status_code == 200
    assert as_alice.get("/terms/").status_code == 404


@pytest.mark.parametrize(("is_reviewed", "shows"), [(True, True), (True, False), (False, False)])
def test_the_composer_says_whether_conversations_are_reviewed(
    as_alice: Client, settings: Settings, is_reviewed: bool, shows: bool
) -> None:
    settings.CHATSITE_REVIEW, settings.CHATSITE_SHOW_LOOKS = is_reviewed, shows
    page = as_alice.get("/").content.decode()
    assert ("may review conversations; each look is recorded" in page) == is_reviewed
    assert ("does not review conversations" in page) != is_reviewed
    assert ('href="/settings/looks/"' in page) == shows


def test_no_page_asks_the_database_what_is_told(
    as_alice: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    tell(terms="Be kind.", banner="Hello")
    notices.current()
    with django_assert_num_queries(0):
        assert notices.current().banner == "Hello"


def test_administrators_change_them_and_ask_again(admin_client: Client, alice: User) -> None:
    made = {"banner": "One", "terms": "First."}
    assert admin_client.post(f"{ADMIN}add/", made).status_code == 302
    assert notices.current().banner == "One"
    since = Notices.objects.get().terms_since
    assert since is not None
    assert admin_client.get(f"{ADMIN}add/").status_code == 403
    address = f"{ADMIN}{Notices.objects.get().pk}/change/"
    admin_client.post(address, {"banner": "", "terms": "Spelt better."})
    assert Notices.objects.get().terms_since == since
    admin_client.post(address, {"banner": "", "terms": "Quite different.", "asks_again": "on"})
    assert Notices.objects.get().terms_since > since  # type: ignore[operator]
    assert notices.must_accept(alice)


def test_holds_are_placed_and_released_and_nothing_else(admin_client: Client, alice: User) -> None:
    talk = send(alice, "x").message.conversation
    add = "/admin/conversations/hold/add/"
    assert "Say whom or what" in admin_client.post(add, {"reason": "case 12"}).content.decode()
    unknown = {"reason": "case 12", "identifier": "00000000-0000-4000-8000-000000000000"}
    assert "no such conversation" in admin_client.post(add, unknown).content.decode()
    assert admin_client.post(add, {"reason": "case 12", "identifier": str(talk.uuid)}).status_code == 302
    hold = talk.holds.get()
    assert (hold.placed_by, hold.released_at) == ("admin", None)
    assert admin_client.post(f"/admin/conversations/hold/{hold.pk}/delete/").status_code == 403
    admin_client.post(f"/admin/conversations/hold/{hold.pk}/change/", {"reason": "another"})
    chosen = {"action": "release", "_selected_action": str(hold.pk)}
    admin_client.post("/admin/conversations/hold/", chosen)
    hold.refresh_from_db()
    assert (hold.reason, hold.released_at is None) == ("case 12", False)


def test_there_is_one_rule_of_retention_for_everybody(admin_client: Client, db: None) -> None:
    add = "/admin/conversations/retention/add/"
    assert admin_client.post(add, {"days": "30", "deleted_days": "0"}).status_code == 302
    assert "already" in admin_client.post(add, {"days": "40", "deleted_days": "0"}).content.decode()
