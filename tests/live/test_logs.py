"""The log of a real server: one id from the request into the reply that it started, and no word of anybody."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.live.browserless import Person
from tests.live.conftest import settings_for
from tests.serving import PASSWORD, Server, until
from tests.simulator import Simulator

FLASH = "aimlapi/google/gemini-2.5-flash"


@pytest.fixture
def telling(tmp_path: Path, template_data: Path, simulator: Simulator) -> Iterator[Server]:
    for name in ("chatsite.sqlite3", "secret-key"):
        (tmp_path / name).write_bytes((template_data / name).read_bytes())
    more = {"CHATSITE_LOG": "json", "CHATSITE_BEHIND_PROXY": "true"}
    with Server(tmp_path, settings_for(simulator) | more) as running:
        yield running


def lines(server: Server) -> list[dict[str, object]]:
    return [json.loads(line) for line in server.log.splitlines() if line.startswith("{")]


def test_a_reply_carries_the_id_of_the_request_that_started_it(telling: Server) -> None:
    alice = Person(telling.url)
    alice.log_in("alice", PASSWORD)
    alice.session.headers["X-Request-ID"] = "from-the-proxy"
    sent = alice.send("canary-text [[fault:401]]", model=FLASH)
    assert sent.response.headers["X-Request-ID"] == "from-the-proxy"
    alice.session.headers["X-Request-ID"] = "another"
    alice.follow(sent.reply_uuid, reconnect=True)
    until(lambda: any("auth" in str(line["message"]) for line in lines(telling)), "a line about the reply")
    (found,) = [line for line in lines(telling) if "auth" in str(line["message"])]
    assert found["message"] == f"reply={found['reply']} failed: auth"
    assert (found["request"], found["level"]) == ("from-the-proxy", "WARNING")
    missing = alice.session.get(f"{telling.url}/nothing/", timeout=60)
    assert missing.headers["X-Request-ID"] == "another"
    (found,) = [line for line in lines(telling) if line["message"] == "Not Found: /nothing/"]
    assert found["request"] == "another"


def test_nobody_names_a_request_where_no_proxy_is_trusted(server: Server) -> None:
    given = {"X-Request-ID": "mine"}
    first, second = (requests.get(f"{server.url}/healthz", headers=given, timeout=60) for _ in range(2))
    ids = {first.headers["X-Request-ID"], second.headers["X-Request-ID"]}
    assert len(ids) == 2
    assert all(len(one) == 16 for one in ids)


def test_an_event_stream_has_an_id_too(server: Server, alice: Person) -> None:
    sent = alice.send("hello", model=FLASH)
    address = f"{server.url}/replies/{sent.reply_uuid}/events/"
    for _direct_then_through_django in range(2):
        with alice.session.get(address, stream=True, timeout=60) as stream:
            assert len(stream.headers["X-Request-ID"]) == 16


@pytest.mark.parametrize("format", ["text", "json"])
def test_no_log_holds_text_or_keys(tmp_path: Path, template_data: Path, simulator: Simulator, format: str) -> None:
    for name in ("chatsite.sqlite3", "secret-key"):
        (tmp_path / name).write_bytes((template_data / name).read_bytes())
    settings = settings_for(simulator) | {"CHATSITE_LOG": format, "LOG_LEVEL": "DEBUG"}
    with Server(tmp_path, settings) as server:
        alice = Person(server.url)
        alice.log_in("alice", PASSWORD)
        for text in ("[[say:canary-answer]]", "[[fault:500]]", "[[fault:cut]]", "[[fault:401]]"):
            sent = alice.send(f"canary-text {text}", model=FLASH, images=[("canary.png", b"canary", "image/png")])
            if sent.status_code == 422 or not sent.page.replies:
                sent = alice.send(f"canary-text {text}", model=FLASH)
            alice.follow(sent.reply_uuid, reconnect=True)
        secret = (tmp_path / "secret-key").read_text()
    for unwanted in ("canary", "key-for-tests", PASSWORD, secret):
        assert unwanted not in server.log
    assert "WARNING" in server.log
