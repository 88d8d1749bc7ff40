"""`/metrics` of a real server: who may read it, and that the figures are those of what happened."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from prometheus_client.parser import text_string_to_metric_families

from tests.live.browserless import Person, after_characters
from tests.live.conftest import settings_for
from tests.serving import PASSWORD, Server, until
from tests.simulator import Simulator

FLASH = "aimlapi/google/gemini-2.5-flash"
TOKEN = "a token for the figures"

Figures = dict[tuple[str, frozenset[str]], float]


@pytest.fixture
def watched(tmp_path: Path, template_data: Path, simulator: Simulator) -> Iterator[Server]:
    """A server that gives its figures away and writes one reply at a time."""
    for name in ("chatsite.sqlite3", "secret-key"):
        (tmp_path / name).write_bytes((template_data / name).read_bytes())
    more = {"CHATSITE_METRICS_TOKEN": TOKEN, "CHATSITE_REPLIES": "1"}
    with Server(tmp_path, settings_for(simulator) | more) as running:
        yield running


def page(server: Server, token: str = TOKEN) -> requests.Response:
    return requests.get(f"{server.url}/metrics", headers={"Authorization": f"Bearer {token}"}, timeout=60)


def figures(server: Server) -> Figures:
    families = text_string_to_metric_families(page(server).text)
    return {
        (sample.name, frozenset(sample.labels.values())): sample.value
        for family in families
        for sample in family.samples
    }


def test_nobody_gets_figures_unless_a_token_is_set(server: Server) -> None:
    assert page(server).status_code == 404
    assert page(server, "").status_code == 404


def test_nobody_gets_figures_without_the_token(watched: Server) -> None:
    for token in ("", "another token altogether", TOKEN[:-1]):
        assert page(watched, token).status_code == 401
    assert requests.get(f"{watched.url}/metrics", timeout=60).text == ""


def test_a_short_token_stops_the_start(tmp_path: Path) -> None:
    result = Server(tmp_path, {"CHATSITE_METRICS_TOKEN": "short"}).manage("check", check=False)
    assert result.stderr == "chatsite: CHATSITE_METRICS_TOKEN must have at least 16 characters.\n"


def test_the_figures_are_those_of_what_happened(watched: Server, simulator: Simulator) -> None:
    alice = Person(watched.url)
    alice.log_in("alice", PASSWORD)
    said = alice.send("[[tokens:20]]", model=FLASH)
    alice.follow(said.reply_uuid, reconnect=True)
    refused = alice.send("[[fault:401]]", model=FLASH)
    alice.follow(refused.reply_uuid, reconnect=True)
    running = alice.send("[[tokens:20]] [[hold:10]]", model=FLASH)
    alice.follow(running.reply_uuid, leave=after_characters(20))
    assert simulator.wait_held()
    alice.send("and me?", model=FLASH)

    def both_are_there() -> bool:
        found = figures(watched)
        return found["chatsite_replies_running", frozenset()] == found["chatsite_replies_queued", frozenset()] == 1

    until(both_are_there, "one running and one waiting reply in the figures")
    found = figures(watched)

    def of(name: str, *labels: str) -> float:
        return found[name, frozenset(labels)]

    assert of("chatsite_replies_ended_total", FLASH, "complete") == 1
    assert of("chatsite_replies_ended_total", FLASH, "failed") == 1
    assert of("chatsite_provider_calls_total", FLASH, "complete") == 1
    assert of("chatsite_provider_calls_total", FLASH, "auth") == 1
    assert of("chatsite_tokens_total", FLASH, "output") == 20
    assert of("chatsite_first_token_seconds_count", FLASH) == 1
    assert of("chatsite_first_token_seconds_bucket", FLASH, "+Inf") == 1
    assert 0 < of("chatsite_first_token_seconds_sum", FLASH) < 10
    assert of("chatsite_database_up") == 1
    assert (of("chatsite_database_replies", "streaming"), of("chatsite_database_replies", "pending")) == (1, 1)
    assert of("chatsite_flusher_wait_seconds_count") >= 1
    assert of("chatsite_flusher_lag_seconds") == 0
    assert of("process_resident_memory_bytes") > 10_000_000


def test_open_streams_are_counted_and_nobody_is_named(watched: Server, simulator: Simulator) -> None:
    alice = Person(watched.url)
    alice.log_in("alice", PASSWORD)
    sent = alice.send("canary-text [[say:canary-answer]] [[hold:1]]", model=FLASH)
    seen: list[float] = []

    def look(_event: object, _shown: object) -> bool:
        seen.append(figures(watched)["chatsite_followers", frozenset()])
        return True

    alice.follow(sent.reply_uuid, leave=look)
    assert seen == [1]
    until(lambda: figures(watched)["chatsite_followers", frozenset()] == 0, "the end of the stream in the figures")
    text = page(watched).text
    for secret in ("canary", "alice", sent.reply_uuid, sent.conversation_uuid, "key-for-tests"):
        assert secret not in text
