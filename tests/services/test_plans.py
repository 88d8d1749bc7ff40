"""What is asked again and again never reads whole tables, however much is stored."""

import re
from collections.abc import Callable

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from conversations import queries
from conversations.generation.engine import Pool
from conversations.generation.sweeper import Sweeper
from conversations.models import User
from conversations.models.message import Status
from conversations.services import replies
from tests.conftest import send

# The rows of these indexes are few: what runs or waits right now.
SMALL = re.compile(r"SCAN conversations_message USING (COVERING )?INDEX message_(running|waiting)")


def whole_reads(work: Callable[[], object]) -> list[str]:
    """The steps of SQLite's plans that go through a whole table or a whole large index."""
    with CaptureQueriesContext(connection) as captured:
        work()
    found = []
    with connection.cursor() as cursor:
        for query in captured.captured_queries:
            if not query["sql"].startswith(("SELECT", "UPDATE", "DELETE")):
                continue
            cursor.execute(f"EXPLAIN QUERY PLAN {query['sql']}")
            steps = [row[3] for row in cursor.fetchall()]
            found += [f"{step}: {query['sql']}" for step in steps if step.startswith("SCAN") and not SMALL.match(step)]
    return found


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
