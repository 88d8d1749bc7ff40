"""Endpoints that an administrator sets up: Google's own interface, defaults of a model, lists of models."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest

from conversations import providers
from conversations.providers import errors, wire
from conversations.providers.base import Endpoint, Model, Quirks, Vendor
from conversations.providers.endpoints import GEMINI, OPENAI
from conversations.providers.events import Event, Finished, ImageDelta, TextDelta, Usage
from conversations.providers.listings import Listed
from conversations.providers.turns import ChatRequest, Parameters
from tests.simulator import Reply, Simulator

from .byteserver import ByteServer, whole
from .forms import KEY, assert_valid, assistant, image, user

FLASH = Model(id="g/flash", name="gemini-2.5-flash", label="", dialect="gemini", sees_images=True, streams=True)
PAINTER = Model(
    id="g/p", name="gemini-2.5-flash-image", label="", dialect="gemini", sees_images=True, draws_images=True
)
CHAT = Model(
    id="o/chat", name="google/gemini-2.5-flash", label="", dialect="openai_chat", quirks=Quirks(send_model_field=True)
)


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    with Simulator(key=KEY) as running:
        yield running


def google(simulator: Simulator) -> Endpoint:
    return Endpoint(f"{simulator.url}/v1beta", KEY)


def asked(vendor: Vendor, model: Model, endpoint: Endpoint, *turns: Any, **more: Any) -> list[Event]:
    return list(wire.events(vendor, model, endpoint, ChatRequest(turns, **more), call=wire.Call()))


def text_of(events: list[Event]) -> str:
    return "".join(event.text for event in events if isinstance(event, TextDelta))


# Google's own interface


def test_google_takes_contents_a_list_of_system_parts_and_the_key_in_a_header_of_its_own() -> None:
    turns = (user("What is this?", image(b"red")), assistant("A red square."), user("Make it blue."))
    request = ChatRequest(turns, "Answer briefly.", Parameters(temperature=0.5, max_tokens=100))
    prepared = providers.prepare(GEMINI, FLASH, Endpoint("https://example.org/v1beta", KEY), request)
    assert_valid("gemini-generate-content-request", prepared.body)
    assert prepared.body == {
        "contents": [
            {
                "role": "user",
                "parts": [
                    {"text": "What is this?"},
                    {"inlineData": {"mimeType": "image/png", "data": "iVBORw0KGgpyZWQ="}},
                ],
            },
            {"role": "model", "parts": [{"text": "A red square."}]},
            {"role": "user", "parts": [{"text": "Make it blue."}]},
        ],
        "systemInstruction": {"parts": [{"text": "Answer briefly."}]},
        "generationConfig": {"temperature": 0.5, "maxOutputTokens": 100},
    }
    assert prepared.url == "https://example.org/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse"
    assert ("x-goog-api-key", KEY) in prepared.headers


def test_a_blank_system_prompt_and_unset_parameters_are_left_out_for_google() -> None:
    prepared = providers.prepare(
        GEMINI, replace(FLASH, streams=False), Endpoint("", KEY), ChatRequest((user("Hi"),), "  ")
    )
    assert prepared.body == {"contents": [{"role": "user", "parts": [{"text": "Hi"}]}]}
    assert prepared.url.endswith("/models/gemini-2.5-flash:generateContent")


def test_google_streams_an_answer_with_its_usage(simulator: Simulator) -> None:
    simulator.script(say="One two three.")
    found = asked(GEMINI, FLASH, google(simulator), user("Count"), system="Be brief.")
    assert len([event for event in found if isinstance(event, TextDelta)]) > 1
    assert text_of(found) == "One two three."
    assert isinstance(found[-1], Finished)
    assert [event.output for event in found if isinstance(event, Usage)] == [3]


def test_google_answers_whole_where_the_model_does_not_stream(simulator: Simulator) -> None:
    simulator.script(say="One two three.")
    assert text_of(asked(GEMINI, replace(FLASH, streams=False), google(simulator), user("Count"))) == "One two three."
    assert simulator.requests[-1].path == "/v1beta/models/gemini-2.5-flash:generateContent"


def test_google_is_asked_for_both_modalities_by_a_model_that_draws(simulator: Simulator) -> None:
    found = asked(GEMINI, PAINTER, google(simulator), user("Draw a red circle"))
    assert [event.media_type for event in found if isinstance(event, ImageDelta)] == ["image/png"]
    assert simulator.requests[-1].body["generationConfig"] == {"responseModalities": ["TEXT", "IMAGE"]}


def test_google_refusing_the_key_is_told_as_such(simulator: Simulator) -> None:
    with pytest.raises(errors.AuthenticationFailed) as caught:
        asked(GEMINI, FLASH, replace(google(simulator), key="wrong-key-0987654321"), user("Hi"))
    assert "0987654321" not in caught.value.detail


# Defaults and limits of a model


def body_of(model: Model, parameters: Parameters = Parameters(), vendor: Vendor = OPENAI) -> Any:  # noqa: B008
    endpoint = Endpoint("https://example.org/v1", KEY)
    return providers.prepare(vendor, model, endpoint, ChatRequest((user("Hi"),), parameters=parameters)).body


def test_defaults_of_a_model_are_sent_where_nobody_wished_otherwise() -> None:
    model = replace(CHAT, temperature=0.3, quirks=replace(CHAT.quirks, default_max_tokens=500))
    body = body_of(model)
    assert (body["temperature"], body["max_tokens"]) == (0.3, 500)
    body = body_of(model, Parameters(temperature=0, max_tokens=7))
    assert (body["temperature"], body["max_tokens"]) == (0, 7)


def test_nobody_asks_for_more_tokens_than_a_model_writes() -> None:
    assert body_of(replace(CHAT, output_limit=100), Parameters(max_tokens=5000))["max_tokens"] == 100
    config = body_of(replace(FLASH, output_limit=100), Parameters(max_tokens=5000), GEMINI)["generationConfig"]
    assert config == {"maxOutputTokens": 100}
    assert "max_tokens" not in body_of(replace(CHAT, output_limit=100))


def test_further_parameters_go_where_each_format_has_them() -> None:
    extra = (("top_p", 0.9), ("modalities", ["image", "text"]))
    body = body_of(replace(CHAT, extra=extra))
    assert (body["top_p"], body["modalities"]) == (0.9, ["image", "text"])
    assert body_of(replace(FLASH, extra=(("topP", 0.9),)), vendor=GEMINI)["generationConfig"] == {"topP": 0.9}


def test_the_limit_may_have_its_newer_name() -> None:
    body = body_of(replace(CHAT, quirks=replace(CHAT.quirks, limit_field="max_completion_tokens")), Parameters(None, 9))
    assert body["max_completion_tokens"] == 9
    assert "max_tokens" not in body


def test_a_model_may_want_its_key_in_another_header_than_its_endpoint() -> None:
    endpoint = Endpoint("https://example.org/v1", KEY, auth="none", headers=(("X-Title", "Chatsite"),))
    for scheme, header in (("bearer", ("Authorization", f"Bearer {KEY}")), ("x-api-key", ("x-api-key", KEY))):
        model = replace(CHAT, auth=scheme)  # type: ignore[arg-type]
        prepared = providers.prepare(OPENAI, model, endpoint, ChatRequest((user("Hi"),)))
        assert header in prepared.headers
        assert ("X-Title", "Chatsite") in prepared.headers
    prepared = providers.prepare(OPENAI, CHAT, endpoint, ChatRequest((user("Hi"),)))
    assert KEY not in str(prepared.headers)


def test_secrets_in_further_headers_are_cut_out_of_errors(simulator: Simulator) -> None:
    secret = "header-secret-0987"
    simulator.script(Reply(400, (json.dumps({"error": f"bad header {secret}"}).encode(),)))
    endpoint = Endpoint(simulator.base_url, KEY, headers=(("X-Gate", secret),))
    with pytest.raises(errors.Rejected) as caught:
        asked(OPENAI, CHAT, endpoint, user("Hi"))
    assert secret not in caught.value.detail
    assert simulator.requests[-1].headers["x-gate"] == secret
    assert secret not in repr(endpoint)


# Lists of models


@contextmanager
def listing(body: bytes, status: str = "200 OK") -> Iterator[Endpoint]:
    with ByteServer([whole(body, status)]) as server:
        yield Endpoint(server.url, KEY)


def listed(vendor: Vendor, endpoint: Endpoint) -> tuple[Listed, ...]:
    return wire.listing(vendor, endpoint, call=wire.Call())


def test_openai_and_what_imitates_it_list_their_models(simulator: Simulator) -> None:
    names = [one.name for one in listed(OPENAI, Endpoint(simulator.base_url, KEY))]
    assert names == ["google/gemini-2.5-flash", "smollm2-135m-instruct"]


def test_google_lists_what_can_be_asked_for_an_answer(simulator: Simulator) -> None:
    found = listed(GEMINI, google(simulator))
    assert [one.name for one in found] == ["gemini-2.5-flash", "gemini-2.5-flash-image"]
    assert found[0] == Listed(
        "gemini-2.5-flash", label="Gemini 2.5 Flash", context_window=1_048_576, output_limit=65_536
    )
    assert simulator.requests[-1].headers["x-goog-api-key"] == KEY


LISTS: dict[str, tuple[Any, Listed]] = {
    "OpenRouter": (
        {
            "data": [
                {
                    "id": "maker/model",
                    "name": "Maker: Model",
                    "description": "Two\nlines",
                    "context_length": 32768,
                    "architecture": {"input_modalities": ["text", "image"], "output_modalities": ["image", "text"]},
                    "top_provider": {"context_length": 32768, "max_completion_tokens": 8192},
                }
            ]
        },
        Listed("maker/model", "Maker: Model", "Two lines", 32768, 8192, sees_images=True, draws_images=True),
    ),
    "AI/ML API": (
        [{"id": "m", "info": {"name": "Em", "contextLength": 1000, "maxTokens": 100}}],
        Listed("m", "Em", "", 1000, 100),
    ),
    "vLLM": ({"object": "list", "data": [{"id": "m", "max_model_len": 4096}]}, Listed("m", context_window=4096)),
    "nonsense beside a name": (
        {
            "data": [
                {"id": "m", "context_length": "many", "name": 7, "info": [], "architecture": {"input_modalities": 1}}
            ]
        },
        Listed("m"),
    ),
}


@pytest.mark.parametrize(("body", "expected"), LISTS.values(), ids=LISTS)
def test_what_a_list_says_of_a_model_is_taken_over(body: Any, expected: Listed) -> None:
    with listing(json.dumps(body).encode()) as endpoint:
        assert listed(OPENAI, endpoint) == (expected,)


@pytest.mark.parametrize("body", [b"", b"<html>", b"{}", b'{"data": 7}', b"[" * 100_000, b'"data"'])
def test_what_is_no_list_is_told_as_unreadable(body: bytes) -> None:
    with listing(body) as endpoint, pytest.raises(errors.UnexpectedReply):
        listed(OPENAI, endpoint)


def test_a_list_that_is_refused_says_why_without_the_key() -> None:
    body = json.dumps({"error": f"no such key {KEY}"}).encode()
    with listing(body, "401 Unauthorized") as endpoint, pytest.raises(errors.AuthenticationFailed) as caught:
        listed(OPENAI, endpoint)
    assert KEY not in caught.value.detail


def test_a_list_without_end_is_given_up() -> None:
    with listing(b" " * 9_000_000) as endpoint, pytest.raises(errors.TooLarge):
        listed(OPENAI, endpoint)
