"""What the bundled model says, to whom, and what it keeps to itself: its own process, real weights, over HTTP."""

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from conversations.providers import local, wire
from conversations.providers.events import Finished
from conversations.providers.turns import ChatRequest, Parameters, TextPart, Turn
from tests.wire.model_process import DEADLINE, MODEL, answer, ask, command, data_of, only_child, serving

pytestmark = pytest.mark.xdist_group("local-model")


@pytest.fixture(autouse=True)
def _nothing_left_running() -> Iterator[None]:
    yield
    local.stop()


def test_a_short_answer_streams_piece_by_piece() -> None:
    with ask(local.endpoint(), "What is the capital of Germany?") as response:
        *events, end = data_of(response)
    first, *pieces, last, usage = [json.loads(event) for event in events]

    assert response.status_code == 200
    assert response.headers["Content-Type"] == "text/event-stream"
    assert first["choices"][0]["delta"] == {"role": "assistant", "content": None}
    assert "Berlin" in "".join(piece["choices"][0]["delta"]["content"] for piece in pieces)
    assert len(pieces) > 3
    assert last["choices"][0] == {"index": 0, "finish_reason": "stop", "delta": {}}
    assert usage["choices"] == []
    assert usage["usage"]["completion_tokens"] > 3
    assert usage["usage"]["prompt_tokens"] > 10
    assert end == "[DONE]"


def test_questions_one_right_after_the_other_are_all_answered() -> None:
    endpoint = local.endpoint()
    request = ChatRequest((Turn("user", (TextPart("Hi"),)),), parameters=Parameters(max_tokens=1))

    for _ in range(60):
        *_, end = wire.events(local.LOCAL, MODEL, endpoint, request, call=wire.Call())
        assert isinstance(end, Finished)


def test_a_longer_conversation_than_the_window_is_refused_with_its_size() -> None:
    with ask(local.endpoint(), "word " * 3000) as response:
        error = response.json()["error"]

    assert response.status_code == 400
    assert error["type"] == "exceed_context_size_error"
    assert "exceeds the available context size (2048 tokens)" in error["message"]
    assert error["n_ctx"] == MODEL.context_window


def test_an_answer_that_fills_the_window_ends_as_cut_off() -> None:
    with (
        serving("SLOT_TOKENS = 256") as (_, endpoint),
        ask(endpoint, "Go on.", max_tokens=8192, ignore_eos=True) as reply,
    ):
        *_, last, usage, _end = data_of(reply)

    assert json.loads(last)["choices"][0]["finish_reason"] == "length"
    assert json.loads(usage)["usage"]["total_tokens"] == 256


def test_answers_nobody_reads_any_more_make_room_for_the_next() -> None:
    endpoint = local.endpoint()
    for _ in range(2):
        with ask(endpoint, "Tell a long story.", max_tokens=2000, ignore_eos=True) as response:
            assert next(response.iter_lines())
    began = time.monotonic()

    assert answer(endpoint)
    assert time.monotonic() - began < 15  # both stories to their ends would take a minute or two


def test_a_request_without_the_key_is_refused() -> None:
    endpoint = local.endpoint()
    url = f"{endpoint.base_url}/chat/completions"
    body = {"messages": [{"role": "user", "content": "Hi"}]}

    for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": f"Bearer {endpoint.key[:-1]}"}):
        refused = requests.post(url, json=body, headers=headers, timeout=DEADLINE)
        assert refused.status_code == 401
        assert refused.json()["error"]["message"] == "Invalid API Key"


def test_other_web_sites_may_not_read_its_answers() -> None:
    endpoint = local.endpoint()
    headers = {"Authorization": f"Bearer {endpoint.key}", "Origin": "http://elsewhere.example"}

    answered = requests.get(f"{endpoint.base_url}/models", headers=headers, timeout=DEADLINE)

    assert answered.status_code == 200
    assert not answered.headers.get("Access-Control-Allow-Origin")


def test_prompts_cannot_be_looked_at() -> None:
    endpoint = local.endpoint()
    headers = {"Authorization": f"Bearer {endpoint.key}"}

    slots = requests.get(endpoint.base_url.replace("/v1", "/slots"), headers=headers, timeout=DEADLINE)

    assert slots.status_code == 501


def test_answers_are_sampled_as_its_makers_advise_unless_asked_otherwise() -> None:
    endpoint = local.endpoint()
    headers = {"Authorization": f"Bearer {endpoint.key}"}

    props = requests.get(endpoint.base_url.replace("/v1", "/props"), headers=headers, timeout=DEADLINE).json()

    sampling = props["default_generation_settings"]["params"]
    assert sampling["temperature"] == pytest.approx(0.2)
    assert sampling["top_p"] == pytest.approx(0.9)
    assert sampling["repeat_penalty"] == pytest.approx(1.1)


def test_what_the_engine_prints_goes_nowhere() -> None:
    with serving() as (process, _):
        assert [os.readlink(f"/proc/{process.pid}/fd/{number}") for number in (1, 2)] == ["/dev/null", "/dev/null"]


def test_only_the_loopback_address_listens() -> None:
    # All of 127.0.0.0/8 is this machine: a server on every address would answer here too.
    elsewhere = local.endpoint().base_url.replace("127.0.0.1", "127.0.0.2")

    with pytest.raises(requests.ConnectionError, match="refused"):
        requests.get(elsewhere, timeout=DEADLINE)


def test_the_child_sees_neither_our_keys_nor_shows_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEGMIND_API_KEY", "canary-of-another-vendor")
    endpoint = local.endpoint()
    pid = only_child()
    visible = Path(f"/proc/{pid}/environ").read_text() + command(pid)

    assert "local_server.py" in visible
    assert "canary" not in visible
    assert endpoint.key not in visible
    assert endpoint.key not in repr(endpoint)
    assert len(endpoint.key) >= 32
