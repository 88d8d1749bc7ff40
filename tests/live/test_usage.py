"""A whole send with a real engine and upstream: what the upstream charged is what the ledger says, and budgets hold."""

import sqlite3
from decimal import Decimal
from typing import Any

from tests.live.browserless import Person, after_characters
from tests.serving import Server, until

MODEL = "aimlapi/google/gemini-2.5-flash"
LIMIT = """
from conversations.models import Budget
Budget.objects.create(scope="each", period="day", messages=1)
"""


def rows(server: Server, sql: str) -> list[tuple[Any, ...]]:
    connection = sqlite3.connect(server.data / "chatsite.sqlite3")
    try:
        return connection.execute(sql).fetchall()
    finally:
        connection.close()


def test_the_ledger_says_what_the_upstream_charged(server: Server, alice: Person) -> None:
    sent = alice.send("[[tokens:50]]", model=MODEL)
    alice.follow(sent.reply_uuid)
    columns = "outcome, prompt_tokens, output_tokens, credits, amount, basis, is_own_key"
    ledger = f"SELECT {columns} FROM conversations_ledgerentry"
    ((outcome, asked, answered, credits, amount, basis, is_own),) = rows(server, ledger)
    assert (outcome, basis, is_own) == ("complete", "stated", 0)
    assert asked is not None
    assert answered >= 50
    assert amount > 0
    assert Decimal(amount).scaleb(-12) == Decimal(credits).scaleb(-8) / 2_000_000


def test_a_reply_that_is_stopped_has_its_row(server: Server, alice: Person) -> None:
    sent = alice.send("[[tokens:400]] [[hold:20]]", model=MODEL)
    alice.follow(sent.reply_uuid, leave=after_characters(30))
    alice.stop(sent.conversation_uuid)
    ledger = "SELECT outcome, amount FROM conversations_ledgerentry"
    until(lambda: len(rows(server, ledger)) == 1, "the row of the call", 60)
    assert rows(server, ledger) == [("stopped", None)]


def test_a_person_at_their_limit_is_told_when_it_renews(server: Server, alice: Person) -> None:
    server.manage("shell", "-v0", "-c", LIMIT)
    until(lambda: "1 message is left." in alice.get("/settings/usage/").text, "the budget in the server", 60)
    alice.follow(alice.send("[[tokens:5]]", model=MODEL).reply_uuid)
    refused = alice.send("[[tokens:5]]", model=MODEL, htmx=True)
    assert refused.status_code == 422
    assert "Your budget does not allow this message. 0 messages are left. It renews on" in refused.response.text
    assert "0 messages are left." in alice.get("/settings/usage/").text
