"""Long conversations: a page holds a part of them, and the next part is asked for by depth."""

import re
import uuid

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from conversations.models import Message, User
from conversations.templatetags.replies import stretches
from tests import lengthy
from tests.conftest import MODEL, send

HTMX = {"HX-Request": "true"}


def numbers(page: str) -> list[int]:
    """Which messages stand on a page or in a part of one, in order."""
    return [int(number) for number in re.findall(r"message (\d+)\b", page)]


def test_a_conversation_opens_with_its_end_and_a_link_to_what_came_before(as_alice: Client, alice: User) -> None:
    conversation = lengthy.conversation(alice, 100)
    page = as_alice.get(f"/c/{conversation.uuid}/").content.decode()
    assert numbers(page) == list(range(88, 100))
    assert f'href="/c/{conversation.uuid}/?before=88"' in page
    assert "?after=" not in page


def test_the_links_lead_through_the_whole_conversation_and_back(as_alice: Client, alice: User) -> None:
    conversation = lengthy.conversation(alice, 75)
    address = f"/c/{conversation.uuid}/"
    seen, pages = [], [as_alice.get(address).content.decode()]
    while found := re.search(r'id="earlier-link"[^>]* href="([^"]+)"', pages[-1]):
        pages.append(as_alice.get(found[1]).content.decode())
    for page in reversed(pages):
        seen += numbers(page)
    assert seen == list(range(75))
    down = re.search(r'href="([^"]*\?after=\d+)#earlier"', pages[-1])
    assert down
    assert numbers(as_alice.get(down[1]).content.decode()) == list(range(3, 33))


def test_scrolling_gets_the_messages_alone_with_the_link_at_one_end(as_alice: Client, alice: User) -> None:
    address = f"/c/{lengthy.conversation(alice, 100).uuid}/"
    above = as_alice.get(f"{address}?before=70", headers=HTMX).content.decode()
    below = as_alice.get(f"{address}?after=9", headers=HTMX).content.decode()
    assert (numbers(above), numbers(below)) == (list(range(40, 70)), list(range(10, 40)))
    assert ("?before=40" in above, "?after=" in above) == (True, False)
    assert ("?after=39" in below, "?before=" in below) == (True, False)
    assert "<main" not in above + below


def test_an_address_of_a_message_opens_what_stands_about_it(as_alice: Client, alice: User) -> None:
    conversation = lengthy.conversation(alice, 200)
    wanted = Message.objects.get(conversation=conversation, depth=100)
    page = as_alice.get(f"/c/{conversation.uuid}/?message={wanted.uuid}").content.decode()
    assert numbers(page) == list(range(85, 130))
    assert f'id="message-{wanted.uuid}"' in page
    assert ("?before=85" in page, "?after=129" in page) == (True, True)


def test_a_page_of_the_middle_shows_where_the_memory_of_the_newest_reply_begins(as_alice: Client, alice: User) -> None:
    conversation = lengthy.conversation(alice, 200)
    newest = Message.objects.filter(conversation=conversation).replies().order_by("depth").last()
    assert newest
    Message.objects.filter(pk=newest.pk).update(memory_from=100, prompt_tokens=900_000, output_tokens=10)
    wanted = Message.objects.get(conversation=conversation, depth=100)
    page = as_alice.get(f"/c/{conversation.uuid}/?message={wanted.uuid}").content.decode()
    line = page.index('<p id="memory" class="memory">')
    assert page.index('data-depth="99"') < line < page.index('data-depth="100"')
    assert "Context full: the oldest messages are left out" in page


def test_an_address_of_a_message_elsewhere_opens_the_end(as_alice: Client, alice: User, bob: User) -> None:
    conversation = lengthy.conversation(alice, 60)
    foreign = Message.objects.filter(conversation=lengthy.conversation(bob, 60))[0].uuid
    for asked in (foreign, uuid.uuid4(), "nonsense"):
        page = as_alice.get(f"/c/{conversation.uuid}/?message={asked}").content.decode()
        assert numbers(page) == list(range(48, 60))


@pytest.mark.parametrize("asked", ["before=x", "before=-3", "before=100000", "after=nonsense"])
def test_a_place_that_makes_no_sense_opens_the_end(as_alice: Client, alice: User, asked: str) -> None:
    page = as_alice.get(f"/c/{lengthy.conversation(alice, 60).uuid}/?{asked}").content.decode()
    assert numbers(page)[-1] == 59
    assert "?after=" not in page


def test_a_message_sent_from_the_middle_leads_to_the_end(as_alice: Client, alice: User) -> None:
    address = f"/c/{lengthy.conversation(alice, 100).uuid}/"
    assert 'name="apart"' in as_alice.get(f"{address}?before=50").content.decode()
    assert 'name="apart"' not in as_alice.get(address).content.decode()
    form = {"text": "next", "model": MODEL, "key": uuid.uuid4().hex, "apart": "1"}
    response = as_alice.post(address, form, headers=HTMX)
    assert response.headers["HX-Redirect"] == address


@pytest.mark.parametrize(("length", "from_the_middle"), [(10, 9), (100, 11), (2000, 11)])
def test_opening_costs_the_same_queries_however_long_it_is(
    as_alice: Client, alice: User, django_assert_num_queries: DjangoAssertNumQueries, length: int, from_the_middle: int
) -> None:
    conversation = lengthy.conversation(alice, length)
    middle = Message.objects.get(conversation=conversation, depth=length // 2)
    with django_assert_num_queries(8):
        as_alice.get(f"/c/{conversation.uuid}/")
    with django_assert_num_queries(from_the_middle):
        as_alice.get(f"/c/{conversation.uuid}/?message={middle.uuid}")
    with django_assert_num_queries(8):
        as_alice.get(f"/c/{conversation.uuid}/?before={length // 2}", headers=HTMX)


def test_a_long_text_is_cut_between_lines_into_stretches_and_nothing_is_lost(as_alice: Client, alice: User) -> None:
    text = "\n\n".join(f"paragraph {number}\n  indented {'word ' * 20}" for number in range(2000))
    pieces = list(stretches(text))
    assert "".join(pieces) == text
    assert len(pieces) > 20
    assert all(len(piece) < 9000 and not piece.startswith("\n") for piece in pieces)
    page = as_alice.get(f"/c/{send(alice, text[:100_000]).message.conversation.uuid}/").content.decode()
    assert 'class="said long"' in page
    assert "paragraph 700\n" in page
    short = as_alice.get(f"/c/{send(alice, 'a few words').message.conversation.uuid}/").content.decode()
    assert 'class="said"' in short
