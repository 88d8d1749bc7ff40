"""What is asked again and again never reads whole tables, however much is stored."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from conversations import queries
from conversations.generation.engine import Pool
from conversations.generation.sweeper import Sweeper
from conversations.models import Message, Piece, Retention, Rule, User
from conversations.models.message import Status
from conversations.models.work import RuleKind
from conversations.services import cases, ratings, replies, retention, rules
from tests.conftest import send

# The rows of these indexes are few: what runs, waits, failed or is about to be removed right now.
SMALL = re.compile(r"message_(running|waiting|failed)|conversation_(expiring|deleted)")
LIBRARY = re.compile(
    r'FROM "conversations_(preset|prompt|retention|rule|hold|budget)"'
)  # what people keep and share: short lists


def whole_reads(work: Callable[[], object]) -> list[str]:
    """The steps of the database's plans that go through a whole table or a whole large index."""
    asked: list[tuple[str, Any]] = []

    def note(execute: Callable[..., Any], sql: str, parameters: Any, many: bool, context: Any) -> Any:
        asked.append((sql, parameters))
        return execute(sql, parameters, many, context)

    with connection.execute_wrapper(note):
        work()
    plan = sqlite_plan if connection.vendor == "sqlite" else postgresql_plan
    found = []
    for sql, parameters in asked:
        is_large = not LIBRARY.search(sql) and "advisory" not in sql
        if sql.startswith(("SELECT", "UPDATE", "DELETE")) and is_large:
            found += [f"{step}: {sql}" for step in plan(sql, parameters) if not SMALL.search(step)]
    return found


def sqlite_plan(sql: str, parameters: Any) -> list[str]:
    """The steps that scan, with the index they use. With parameters, as asked: SQLite does not look into them."""
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN QUERY PLAN {sql}", parameters)
        return [row[3] for row in cursor.fetchall() if row[3].startswith("SCAN")]


def postgresql_plan(sql: str, parameters: Any) -> list[str]:
    """The same. The tables of a test are so small that scanning them is best; forbid it where an index could help."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan=off; SET LOCAL enable_hashjoin=off; SET LOCAL enable_mergejoin=off")
        cursor.execute(f"EXPLAIN (FORMAT JSON) {sql}", parameters)
        return list(scans(cursor.fetchone()[0][0]["Plan"]))


def scans(node: dict[str, Any]) -> Iterator[str]:
    is_whole = node["Node Type"] == "Seq Scan" or ("Index" in node["Node Type"] and "Index Cond" not in node)
    if is_whole:
        yield f"{node['Node Type']} {node.get('Relation Name', '')} {node.get('Index Name', '')}"
    for child in node.get("Plans", ()):
        yield from scans(child)


@pytest.mark.django_db
def test_sweeping_reads_only_what_runs_or_waits() -> None:
    assert whole_reads(Sweeper(Pool(limit=1), is_alone=True).sweep) == []


def test_answering_reads_only_its_own_conversation(alice: User) -> None:
    sent = send(alice, "hello")

    def answer() -> None:
        reply = replies.claim(sent.reply.pk)
        assert reply is not None
        replies.finish(reply, replies.Outcome(Status.COMPLETE))
        assert queries.reply_for_stream(alice, reply.uuid) is not None

    assert whole_reads(answer) == []


def test_the_list_reads_only_what_it_shows(alice: User) -> None:
    send(alice, "hello")
    assert whole_reads(lambda: list(queries.conversation_list(alice))) == []


@pytest.mark.django_db
def test_the_figures_of_the_database_read_only_what_runs_or_waits() -> None:
    assert whole_reads(Message.objects.unfinished) == []


def test_no_page_of_a_person_reads_more_than_what_it_shows(as_alice: Client, alice: User) -> None:
    sent = send(alice, "hello")
    address = f"/c/{sent.message.conversation.uuid}/"
    for page in ("/", address, "/c/", "/c/recent/", f"/messages/{sent.message.uuid}/edit/", "/prompts/", "/settings/"):
        assert whole_reads(lambda page=page: as_alice.get(page)) == [], page  # type: ignore[misc]


@pytest.mark.django_db
def test_review_reads_no_messages_to_list_conversations(admin_client: Client, alice: User) -> None:
    send(alice, "hello")
    reply = send(alice, "hello", key="another").reply
    ratings.rate(reply, 1, "good")
    cases.report(reply, "bad")
    narrowed: dict[str, tuple[str, ...]] = {
        "conversation": ("error=auth", "error=none", "q=auth", "model=local%2Fx", "rating=1", "flag=any", "flag=cost"),
        "case": ("status=all", "status=done", "cause=reported", "assigned=me", "q=alice"),
        "rating": ("value__exact=1", "commented=yes"),
        "look": ("what=thread",),
    }
    if connection.vendor == "sqlite":  # of tables as small as here PostgreSQL takes the messages first
        narrowed["rating"] += ("model=local%2Fx", "q=alice")
    for asked in (f"{name}/?{query}" for name, ways in narrowed.items() for query in ("", *ways)):
        found = whole_reads(lambda asked=asked: admin_client.get(f"/admin/conversations/{asked}"))  # type: ignore[misc]
        assert [step for step in found if "conversations_message" in step.partition(":")[0]] == [], asked


def test_retention_and_rules_read_only_what_they_take(alice: User) -> None:
    send(alice, "hello")
    Retention.objects.create(days=30)
    Rule.objects.create(name="words", kind=RuleKind.WORDS, words="x")
    assert whole_reads(retention.purge_deleted) == []
    assert whole_reads(retention.apply) == []
    assert whole_reads(rules.check_all) == []


@pytest.mark.django_db
def test_pieces_are_found_by_their_reply_and_by_their_picture_and_stand_in_no_index_besides() -> None:
    assert whole_reads(lambda: list(Piece.objects.filter(message=1))) == []
    assert whole_reads(lambda: list(Piece.objects.filter(attachment__in=[1, 2]))) == []
    with connection.cursor() as cursor:
        found = connection.introspection.get_constraints(cursor, Piece._meta.db_table)
    others = [each for each in found.values() if not each["primary_key"]]
    indexed = sorted(tuple(each["columns"]) for each in others if each["index"] or each["unique"])
    assert indexed == [("attachment_id",), ("message_id", "sequence")]
