"""The list of conversations: endless by key, grouped by time, refreshed only where something changed."""

import datetime as dt
import re
import uuid

import pytest
import time_machine
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from conversations.models import Conversation, User
from conversations.services import conversations, replies
from tests import lengthy
from tests.conftest import send

HTMX = {"HX-Request": "true"}
NOON = dt.datetime(2026, 11, 20, 12, tzinfo=dt.UTC)


def talks(page: str) -> list[int]:
    return [int(number) for number in re.findall(r"<bdi>talk (\d+)</bdi>", page)]


def further(page: str) -> str:
    """The address of the next part, or ""."""
    found = re.search(r'href="([^"]*\?before=[^"]+)"', page)
    return found[1].replace("&amp;", "&") if found else ""


def test_the_side_list_goes_on_where_it_ended_until_all_was_shown(as_alice: Client, alice: User, bob: User) -> None:
    lengthy.conversations(alice, 120)
    lengthy.conversations(bob, 3)
    part = as_alice.get("/").content.decode()
    seen = talks(part)
    assert len(seen) == 50
    while address := further(part):
        part = as_alice.get(address, headers=HTMX).content.decode()
        seen += talks(part)
    assert seen == list(range(120))


def test_conversations_of_one_moment_are_neither_left_out_nor_doubled(as_alice: Client, alice: User) -> None:
    lengthy.conversations(alice, 120, apart=dt.timedelta())
    part = as_alice.get("/").content.decode()
    seen = talks(part)
    while address := further(part):
        part = as_alice.get(address, headers=HTMX).content.decode()
        seen += talks(part)
    assert seen == list(range(120))


def test_what_comes_to_the_top_meanwhile_disturbs_no_later_part(as_alice: Client, alice: User) -> None:
    made = lengthy.conversations(alice, 70)
    address = further(as_alice.get("/").content.decode())
    oldest = made[0]
    Conversation.objects.filter(pk=oldest.pk).update(active_at=timezone.now())
    assert talks(as_alice.get(address, headers=HTMX).content.decode()) == list(range(50, 69))


@time_machine.travel(NOON, tick=False)
def test_a_heading_stands_once_however_many_parts_its_group_has(as_alice: Client, alice: User) -> None:
    lengthy.conversations(alice, 120, apart=dt.timedelta(minutes=1))
    first = as_alice.get("/").content.decode()
    second = as_alice.get(further(first), headers=HTMX).content.decode()
    assert first.count("<h2>Today</h2>") == 1
    assert "<h2>" not in second


@time_machine.travel(NOON, tick=False)
def test_the_list_is_grouped_by_time_and_pinned_ones_stand_on_top(as_alice: Client, alice: User) -> None:
    made = lengthy.conversations(alice, 4, apart=dt.timedelta(days=6))
    conversations.configure(made[0], pinned=True)
    page = as_alice.get("/").content.decode()
    headings = [words for words in re.findall(r"<h2>([^<]+)</h2>", page) if "Settings" not in words]
    assert headings[:4] == ["Pinned", "Today", "Previous 7 days", "Previous 30 days"]
    assert talks(page) == [3, 0, 1, 2]


def test_the_page_of_all_leads_through_all_without_javascript(as_alice: Client, alice: User, bob: User) -> None:
    lengthy.conversations(alice, 250)
    lengthy.conversations(bob, 1)
    assert 'href="/c/"' in as_alice.get("/").content.decode()
    address, seen = "/c/", []
    while address:
        page = as_alice.get(address).content.decode()
        seen += talks(page)
        address = f"/c/{further(page)}" if further(page) else ""
    assert seen == list(range(250))
    assert as_alice.get("/c/?before=nonsense").status_code == 200
    assert Client().get("/c/").status_code == 302


def test_an_archived_conversation_is_found_under_a_filter_alone(as_alice: Client, alice: User) -> None:
    made = lengthy.conversations(alice, 2)
    address = f"/c/{made[0].uuid}/"
    assert as_alice.post(f"{address}arrange/", {"what": "archived", "so": "1"}).headers["Location"] == address
    assert talks(as_alice.get("/").content.decode()) == [0]
    assert talks(as_alice.get("/c/?archived").content.decode()) == [1]
    as_alice.post(f"{address}arrange/", {"what": "archived"})
    assert talks(as_alice.get("/").content.decode()) == [0, 1]


def test_nothing_but_the_place_in_the_list_can_be_arranged_and_only_by_its_owner(
    as_alice: Client, as_bob: Client, alice: User
) -> None:
    made = lengthy.conversations(alice, 1)[0]
    assert as_alice.post(f"/c/{made.uuid}/arrange/", {"what": "owner", "so": "1"}).status_code == 422
    theirs = as_bob.post(f"/c/{made.uuid}/arrange/", {"what": "pinned", "so": "1"})
    missing = as_bob.post(f"/c/{uuid.uuid4()}/arrange/", {"what": "pinned", "so": "1"})
    assert (theirs.status_code, theirs.content) == (404, missing.content)
    made.refresh_from_db()
    assert not made.pinned


def test_the_list_asks_for_itself_and_gets_nothing_while_nothing_changed(as_alice: Client, alice: User) -> None:
    lengthy.conversations(alice, 120)
    page = as_alice.get("/").content.decode()
    again = asked(page)
    assert as_alice.get(again, headers=HTMX).status_code == 204
    reply = send(alice, "talk to me").reply
    fresh = as_alice.get(again, headers=HTMX).content.decode()
    assert fresh.count('class="pulse"') == 1
    assert talks(fresh) == list(range(50))
    assert "every 3s" in fresh
    replies.stop(reply)
    calm = as_alice.get(asked(fresh), headers=HTMX).content.decode()
    assert 'class="pulse"' not in calm
    assert "every 15s" in calm


def test_the_list_says_which_conversation_is_on_the_page(as_alice: Client, alice: User) -> None:
    made = lengthy.conversations(alice, 60)
    here = HTMX | {"HX-Current-URL": f"http://testserver/c/{made[-1].uuid}/"}
    assert as_alice.get("/c/recent/", headers=here).content.decode().count('aria-current="page"') == 1
    there = HTMX | {"HX-Current-URL": f"http://testserver/c/{made[0].uuid}/"}
    older = as_alice.get(further(as_alice.get("/").content.decode()), headers=there).content.decode()
    assert older.count('aria-current="page"') == 1


def test_the_list_of_a_page_that_was_logged_out_stops_asking() -> None:
    assert Client().get("/c/recent/", headers=HTMX).status_code == 286


def asked(page: str) -> str:
    found = re.search(r'hx-get="(/c/recent/[^"]*)"', page)
    assert found
    return found[1].replace("&amp;", "&")


@pytest.mark.parametrize("count", [10, 2000])
def test_lists_cost_the_same_queries_however_much_there_is(
    as_alice: Client, alice: User, django_assert_num_queries: DjangoAssertNumQueries, count: int
) -> None:
    lengthy.conversations(alice, count)
    with django_assert_num_queries(5):
        as_alice.get("/")
    with django_assert_num_queries(3):
        as_alice.get("/c/")
    with django_assert_num_queries(4):
        as_alice.get("/c/recent/", headers=HTMX)
    with django_assert_num_queries(3):
        as_alice.get("/c/?before=9999999999999999-1", headers=HTMX)
