"""Every trouble of a provider ends in an honest state with one sentence that says what to do, and a retry."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live.browserless import Person
from tests.live.conftest import KEY, settings_for
from tests.serving import PASSWORD, Server
from tests.simulator import Simulator

FLASH = "aimlapi/google/gemini-2.5-flash"
PRO = "segmind/gemini-1.5-pro"
PAINTER = "segmind/gemini-2-flash-image-generation"
SEGMIND_FLASH = "segmind/gemini-2.5-flash"

TROUBLES = [
    # fault, model, status, error code, part of the sentence
    ("401", FLASH, "failed", "auth", "refused our key"),
    ("403", PRO, "failed", "auth", "refused our key"),
    ("case-8", PRO, "failed", "credits", "no credit left"),
    ("case-9", FLASH, "failed", "credits", "no credit left"),
    ("429-long", FLASH, "failed", "rate_limited", "Retry in 3600 seconds"),
    ("429-daily", PRO, "failed", "rate_limited", "too many requests"),
    ("413", PRO, "failed", "too_large", "too large"),
    ("404", PRO, "failed", "not_found", "does not know this model"),
    ("400", SEGMIND_FLASH, "failed", "bad_request", "refused this request"),
    ("406-format", PRO, "failed", "bad_request", "refused this request"),
    ("500", PRO, "failed", "provider_down", "problem of its own"),
    ("502-html", FLASH, "failed", "provider_down", "problem of its own"),
    ("504", PRO, "failed", "timeout", "took too long"),
    ("close-early", PRO, "failed", "network", "cannot be reached"),
    ("case-1", FLASH, "failed", "empty_reply", "token limit"),
    ("case-2", PRO, "failed", "empty_reply", "token limit"),
    ("case-3", PRO, "failed", "blocked", "filter refused"),
    ("case-4", PRO, "failed", "empty_reply", "answered with nothing"),
    ("no-image", PAINTER, "failed", "no_image", "drew nothing"),
    ("case-11", FLASH, "failed", None, ""),
    ("case-13", FLASH, "failed", None, ""),
    ("cut", FLASH, "interrupted", "interrupted", "cut off"),
    ("reset", FLASH, "interrupted", "interrupted", "cut off"),
    ("case-14", FLASH, "interrupted", "interrupted", "cut off"),
    ("html-200", PRO, "failed", "unexpected_reply", "nobody can read"),
    ("object", PRO, "failed", "unexpected_reply", "nobody can read"),
]


@pytest.fixture(scope="module")
def anyone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Person]:
    """One server for the whole table."""
    data: Path = tmp_path_factory.mktemp("errors")
    with Simulator(key=KEY, delay_ms=1, first_ms=0) as simulator:
        server = Server(data, settings_for(simulator))
        server.add_people("alice")
        with server:
            person = Person(server.url)
            person.log_in("alice", PASSWORD)
            yield person


@pytest.mark.parametrize(("fault", "model", "status", "code", "sentence"), TROUBLES, ids=[row[0] for row in TROUBLES])
def test_trouble(anyone: Person, fault: str, model: str, status: str, code: str | None, sentence: str) -> None:
    sent = anyone.send(f"[[fault:{fault}]] [[tokens:9]]", model=model)
    shown = anyone.follow(sent.reply_uuid, reconnect=True)
    page = anyone.page(sent.conversation_uuid)
    article = page.replies[-1]
    assert article.status == status
    assert article.error is not None
    assert code is None or article.error.code == code
    assert sentence in article.error.text
    assert page.button("Retry", article.element)
    assert shown.text == article.text


@pytest.mark.parametrize(
    ("fault", "model", "notice"),
    [("filtered", FLASH, "filtered"), ("safety", PRO, "filtered"), ("picture-text", PAINTER, "part_omitted")],
)
def test_an_answer_with_a_flaw_is_complete_with_a_notice(anyone: Person, fault: str, model: str, notice: str) -> None:
    sent = anyone.send(f"[[fault:{fault}]]", model=model)
    anyone.follow(sent.reply_uuid, reconnect=True)
    article = anyone.page(sent.conversation_uuid).replies[-1]
    assert article.status == "complete"
    assert notice in [found.code for found in article.notices]


def test_an_answer_cut_at_the_limit_is_complete_and_says_so(anyone: Person) -> None:
    sent = anyone.send("[[tokens:50]]", model=FLASH, values={"max_tokens": "10"})
    anyone.follow(sent.reply_uuid, reconnect=True)
    article = anyone.page(sent.conversation_uuid).replies[-1]
    assert article.status == "complete"
    assert [notice.code for notice in article.notices] == ["truncated"]


def test_usage_and_credits_stand_below_the_answer(anyone: Person) -> None:
    sent = anyone.send("Hello", model=PRO)
    anyone.follow(sent.reply_uuid, reconnect=True)
    article = anyone.page(sent.conversation_uuid).replies[-1]
    assert "tokens" in article.footer
    assert "credits left" in article.footer


def test_a_conversation_goes_on_after_an_error(anyone: Person) -> None:
    """The failed reply is not part of what the model is told."""
    sent = anyone.send("My name is Zoë. [[fault:500]]", model=FLASH)
    anyone.follow(sent.reply_uuid, reconnect=True)
    again = anyone.send("What is my name?", sent.conversation_uuid, model=FLASH)
    assert "Zoë" in anyone.follow(again.reply_uuid, reconnect=True).text


@pytest.mark.parametrize("model", [FLASH, PRO, PAINTER, SEGMIND_FLASH])
def test_many_turns_with_every_system(anyone: Person, model: str) -> None:
    sent = anyone.send("My name is Ada.", model=model)
    anyone.follow(sent.reply_uuid, reconnect=True)
    again = anyone.send("What is my name?", sent.conversation_uuid, model=model)
    assert "Ada" in anyone.follow(again.reply_uuid, reconnect=True).text
