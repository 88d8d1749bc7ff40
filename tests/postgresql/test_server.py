"""One server on PostgreSQL: it streams, is alone, and outlives a restart of its database."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import requests

from tests.live.browserless import Person, after_characters
from tests.live.pages import letters
from tests.live.standing import KEY, settings_for
from tests.live.test_streaming import MODEL, words
from tests.live.transcript import Transcript
from tests.postgres import Postgres
from tests.serving import PASSWORD, Server, until
from tests.simulator import Simulator


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    with Simulator(key=KEY, delay_ms=2, first_ms=0) as running:
        yield running


@pytest.fixture(scope="module")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    """With tables and people."""
    with Postgres() as running:
        Server(tmp_path_factory.mktemp("people"), {"DATABASE_URL": running.url}).add_people("alice")
        yield running


@pytest.fixture
def server(tmp_path: Path, postgres: Postgres, simulator: Simulator) -> Iterator[Server]:
    with Server(tmp_path, settings_for(simulator) | {"DATABASE_URL": postgres.url}) as server:
        yield server


@pytest.fixture
def alice(server: Server) -> Person:
    alice = Person(server.url)
    alice.log_in("alice", PASSWORD)
    return alice


def is_held(postgres: Postgres) -> bool:
    """Whether some server has the database for itself."""
    with psycopg.connect(postgres.url) as connection:
        found = connection.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted").fetchone()
    return found is not None and found[0] == 1


def test_a_restart_of_the_database_is_outlived(
    alice: Person, server: Server, postgres: Postgres, simulator: Simulator
) -> None:
    sent = alice.send("[[tokens:60]] [[hold:30]]", model=MODEL)
    shown = Transcript()
    follower = threading.Thread(target=alice.follow, args=(sent.reply_uuid,), kwargs={"into": shown, "reconnect": True})
    follower.start()
    until(lambda: letters(shown.text) == letters(words(30)), "the first half")
    postgres.stop()
    begun = time.monotonic()
    assert requests.get(f"{server.url}/readyz", timeout=60).status_code == 503
    page = alice.page()
    assert (page.status_code, "database cannot be reached" in page.text) == (503, True)
    assert time.monotonic() - begun < 4
    simulator.release()
    postgres.start()
    until(lambda: alice.page(sent.conversation_uuid).status_code == 200, "the site's return")
    follower.join(60)
    assert shown.text == words(60)
    article = alice.page(sent.conversation_uuid).replies[-1]
    assert (article.status, article.text) == ("complete", words(60))
    until(lambda: is_held(postgres), "the server's new hold on its database")


def test_a_second_server_on_the_same_database_is_refused(
    server: Server, tmp_path_factory: pytest.TempPathFactory
) -> None:
    other = Server(tmp_path_factory.mktemp("other"), server.settings)
    result = other.manage("serve", check=False)
    assert result.returncode != 0
    assert "Another server is already using" in result.stderr


def test_a_killed_server_settles_its_replies_when_it_is_back(alice: Person, server: Server) -> None:
    sent = alice.send("[[tokens:60]] [[hold:30]]", model=MODEL)
    shown = alice.follow(sent.reply_uuid, leave=after_characters(len(words(30))))
    server.kill()
    server.start()
    article = alice.page(sent.conversation_uuid).replies[-1]
    assert (article.status, letters(article.text)) == ("interrupted", letters(shown.text))
