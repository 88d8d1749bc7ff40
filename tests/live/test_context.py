"""Conversations longer than the model's window, with the bundled model: they go on, and say what is left out."""

import pytest

from tests.live.browserless import Person
from tests.live.pages import Page
from tests.serving import PASSWORD, Server
from tests.simulator import Simulator

PATIENCE = 240.0  # seconds for one reply: reading 1,500 tokens takes five on an idle machine
PAINTER = "segmind/gemini-2-flash-image-generation"
MODEL = "local/smollm2-135m-instruct"
LONG = "Once there was a small bakery by the sea, and the baker got up early every day to bake bread. " * 20

pytestmark = pytest.mark.xdist_group("local-model")


@pytest.fixture
def local_alice(server: Server) -> Person:
    server.kill()
    server.settings = {**server.settings, "CHATSITE_LOCAL_MODEL": "true"}
    server.start()
    somebody = Person(server.url)
    somebody.log_in("alice", PASSWORD)
    return somebody


def memory_begins_before(page: Page) -> str | None:
    """The text of the message behind the line that says so; None where no such line is on show."""
    line = None
    for element in page.root.walk():
        if element.get("id") == "memory":
            line = None if element.has("hidden") else element
        elif line and element.has("data-body"):
            assert "memory begins here" in line.text
            return element.text
    return None


def test_a_long_conversation_with_a_small_window_keeps_working(local_alice: Person) -> None:
    sent = local_alice.send(LONG, model=MODEL, values={"max_tokens": "8"})
    conversation = sent.conversation_uuid
    local_alice.follow(sent.reply_uuid, deadline=PATIENCE)
    assert memory_begins_before(local_alice.page(conversation)) is None
    for number in range(4):
        sent = local_alice.send(f"Part {number}. {LONG}", conversation)
        local_alice.follow(sent.reply_uuid, deadline=PATIENCE)
    page = local_alice.page(conversation)
    assert [reply.status for reply in page.replies] == ["complete"] * 5
    assert (memory_begins_before(page) or "").startswith(("Part 1.", "Part 2."))
    meter = page.root.find("", {"id": "meter"})
    assert meter
    assert "the oldest messages are left out" in meter.text


def test_a_model_that_counts_more_than_estimated_is_asked_again_with_less(alice: Person, simulator: Simulator) -> None:
    for say, fault in (("First.", ""), ("Second.", ""), ("", "413"), ("Third.", "")):
        simulator.script(say=say, fault=fault)
    sent = alice.send("1" * 13_000, model=PAINTER)
    alice.follow(sent.reply_uuid)
    sent = alice.send("2" * 13_000, sent.conversation_uuid)
    alice.follow(sent.reply_uuid)
    sent = alice.send("3" * 13_000, sent.conversation_uuid)
    alice.follow(sent.reply_uuid)
    page = alice.page(sent.conversation_uuid)
    assert (page.replies[-1].status, page.replies[-1].error_code) == ("complete", "")
    refused, answered = (str(request.body["messages"]["contents"]) for request in simulator.requests[-2:])
    assert ("111" in refused, "333" in refused) == (True, True)
    assert ("111" in answered, "333" in answered) == (False, True)
    assert (memory_begins_before(page) or "").startswith("222")


def test_a_question_larger_than_the_window_is_refused_with_a_sentence(local_alice: Person) -> None:
    sent = local_alice.send("word " * 3000, model=MODEL)
    local_alice.follow(sent.reply_uuid)
    reply = local_alice.page(sent.conversation_uuid).replies[-1]
    assert (reply.status, reply.error_code) == ("failed", "too_large")
