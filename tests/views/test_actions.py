"""What stands under a message, and its source."""

import datetime as dt
import re
from decimal import Decimal

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.template.loader import render_to_string
from django.test import Client
from django.utils import timezone, translation

from conversations.models import Attachment, Conversation, Message, User
from conversations.models.message import Status
from conversations.services import replies
from conversations.services.replies import NewPiece, Outcome
from tests.conftest import send
from tests.services.photographs import photograph


def answered(user: User, text: str, outcome: Outcome, conversation: Conversation | None = None) -> Message:
    reply = replies.claim(send(user, "question", conversation).reply.pk)
    assert reply is not None
    replies.write([NewPiece(reply.pk, reply.claim, 0, "text", text)])
    replies.finish(reply, outcome)
    return Message.objects.get(pk=reply.pk)


def figures(message: Message, language: str = "en") -> str:
    with translation.override(language):
        return " ".join(render_to_string("conversations/_figures.html", {"message": message}).split())


def test_the_source_of_a_message_is_its_markdown_with_the_addresses_of_pictures(as_alice: Client, alice: User) -> None:
    picture = SimpleUploadedFile("a cat.png", photograph(64, 48, format="PNG"), "image/png")
    message = send(alice, "Look: **bold** <b>&</b>", images=[picture]).message
    response = as_alice.get(f"/messages/{message.uuid}/source/")
    uuid = Attachment.objects.get().uuid
    assert response.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    expected = f"Look: **bold** <b>&</b>\n\n![a cat.png](http://testserver/attachments/{uuid}/original/)"
    assert response.content.decode() == expected


def test_the_source_of_somebody_else_is_missing(as_bob: Client, alice: User) -> None:
    message = send(alice, "secret").message
    assert as_bob.get(f"/messages/{message.uuid}/source/").status_code == 404
    assert Client().get(f"/messages/{message.uuid}/source/").status_code == 302
    assert as_bob.post(f"/messages/{message.uuid}/source/").status_code == 405


def test_a_running_reply_has_a_source_too(as_alice: Client, alice: User) -> None:
    reply = replies.claim(send(alice, "one").reply.pk)
    assert reply is not None
    replies.write([NewPiece(reply.pk, reply.claim, 0, "text", "so *far*")])
    assert as_alice.get(f"/messages/{reply.uuid}/source/").content == b"so *far*"


HTMX = {"HX-Request": "true"}
TABLES = """A table

| city | change | note |
|---|---:|---|
| Köln | -3 % | says "hello", **twice** |
| =HYPERLINK("x") | +1.5 | @home |
| a \\| b | - | $x^2$ |

and

> |second|
> |-|
"""


def test_each_table_of_a_reply_is_there_for_a_spreadsheet_and_runs_nothing_in_it(as_alice: Client, alice: User) -> None:
    reply = answered(alice, TABLES, Outcome(Status.COMPLETE))
    page = as_alice.get(f"/c/{reply.conversation.uuid}/").content.decode()
    addresses = re.findall(r'href="([^"]*/tables/[^"]*)" download', page)
    first, second = map(as_alice.get, addresses)
    assert first.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert first.headers["Content-Disposition"] == 'attachment; filename="table.csv"'
    assert first.content.startswith(b"\xef\xbb\xbf")
    assert first.content.decode("utf-8-sig").split("\r\n") == [
        '"city","change","note"',
        '"Köln","-3 %","says ""hello"", twice"',
        '"\'=HYPERLINK(""x"")","+1.5","\'@home"',
        '"a | b","\'-","x2"',
        "",
    ]
    assert second.content.decode("utf-8-sig") == '"second"\r\n'


def test_a_table_that_is_not_there_or_of_somebody_else_is_missing(
    as_alice: Client, as_bob: Client, alice: User
) -> None:
    reply = answered(alice, TABLES, Outcome(Status.COMPLETE))
    address = f"/messages/{reply.uuid}/tables"
    assert as_alice.get(f"{address}/0/0/").status_code == 200
    assert [as_alice.get(f"{address}/{place}/").status_code for place in ("0/2", "1/0")] == [404, 404]
    assert as_bob.get(f"{address}/0/0/").status_code == 404
    assert as_alice.post(f"{address}/0/0/").status_code == 405
    assert Client().get(f"{address}/0/0/").status_code == 302


def test_figures_are_written_as_the_reader_writes_them(alice: User) -> None:
    now = timezone.now()
    message = Message(
        status=Status.COMPLETE,
        started_at=now,
        ended_at=now + dt.timedelta(seconds=185),
        first_token_ms=1234,
        prompt_tokens=12345,
        output_tokens=678,
        reasoning_tokens=90,
        cost_usd=Decimal("0.001234"),
    )
    english, german = figures(message), figures(message, "de")
    for words in ("1.2 s to", "3 min 5 s in all", "12,345 tokens in", "678 out (90 for reasoning)", "$0.0012"):
        assert words in english
    assert "1,2\xa0s" in german or "1,2 s" in german
    assert "12.345" in german


@pytest.mark.parametrize(
    ("amount", "words"),
    [("0.00001", "under $0.0001"), ("0.5", "$0.50"), ("0", "$0.00"), ("1234.5", "$1,234.50"), ("0.0199", "$0.020")],
)
def test_an_amount_keeps_two_digits_that_say_something(amount: str, words: str) -> None:
    assert words in figures(Message(cost_usd=Decimal(amount)))


@pytest.mark.parametrize(
    ("milliseconds", "words"),
    [
        (12, "under 0.1 s to"),
        (9_940, "9.9 s to"),
        (9_960, "10 s to"),
        (59_700, "1 min 0 s to"),
        (7_440_000, "2 h 4 min"),
    ],
)
def test_a_duration_is_said_as_people_say_it(milliseconds: int, words: str) -> None:
    assert words in figures(Message(first_token_ms=milliseconds))


@pytest.mark.parametrize(
    ("word", "words"),
    [
        ("stop", ""),
        ("MAX_TOKENS", ""),
        ("RECITATION", "too close to a text that others wrote"),
        ("tool_calls", "wanted to use a tool"),
        ("<odd>", "a reason the provider calls “&lt;odd&gt;”"),
    ],
)
def test_an_unusual_end_is_put_into_words(word: str, words: str) -> None:
    text = figures(Message(status=Status.COMPLETE, finish_reason=word))
    assert words in text
    assert ("finish" in text) == bool(words)


def test_the_line_of_the_memory_follows_the_branch_and_what_is_loaded(as_alice: Client, alice: User) -> None:
    first = answered(alice, "answer 0", Outcome(Status.COMPLETE))
    conversation = first.conversation
    second = answered(alice, "answer 1", Outcome(Status.COMPLETE), conversation)
    third = answered(alice, "answer 2", Outcome(Status.COMPLETE), conversation)
    line, gone = '<p id="memory" class="memory">', 'hx-swap-oob="delete:#memory,'
    moved = """hx-swap-oob='beforebegin:#transcript > [data-depth="{}"],"""
    for depth, is_moved in ((2, True), (4, False)):
        Message.objects.filter(pk=third.pk).update(memory_from=depth)
        shown = as_alice.post(f"/messages/{second.uuid}/show/", headers=HTMX).content.decode()
        assert shown.count(line) == shown.count(gone) == 1
        assert (moved.format(depth) in shown) == is_moved
    above = as_alice.get(f"/c/{conversation.uuid}/?before=5", headers=HTMX).content.decode()
    assert above.index("answer 1") < above.index(line) < above.index('data-depth="4"')
    below = as_alice.get(f"/c/{conversation.uuid}/?after=4", headers=HTMX).content.decode()
    assert moved.format(4) in below
    Message.objects.filter(pk=third.pk).update(memory_from=None)
    shown = as_alice.post(f"/messages/{second.uuid}/show/", headers=HTMX).content.decode()
    assert (shown.count(line), shown.count(gone)) == (0, 1)


def test_the_page_shows_where_the_memory_begins_and_how_full_the_window_is(
    as_alice: Client, alice: User, conversation: Conversation
) -> None:
    for number in range(3):
        reply = answered(alice, f"answer {number}", Outcome(Status.COMPLETE), conversation)
    address = f"/c/{conversation.uuid}/"
    assert 'id="memory"' not in as_alice.get(address).content.decode()
    Message.objects.filter(pk=reply.pk).update(memory_from=2, prompt_tokens=943_718, output_tokens=10)
    page = as_alice.get(address).content.decode()
    line = page.index('<p id="memory" class="memory">')
    assert page.index("answer 0") < line < page.index('data-depth="2"') < page.index("answer 1")
    assert "Context full: the oldest messages are left out" in page
    Message.objects.filter(pk=reply.pk).update(memory_from=None)
    assert "Context 90 % full: soon the oldest" in as_alice.get(address).content.decode()
