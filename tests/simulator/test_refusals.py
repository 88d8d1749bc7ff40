"""What the simulated servers refuse: addresses, keys, bodies."""

import json

import pytest
import requests

from . import Simulator
from .asking import (
    CHAT,
    DRAWING,
    KEY,
    MODEL,
    OLDER,
    Json,
    chat,
    file_of,
    gemini,
    image_url,
    inline,
    messages,
    plain_picture,
    segmind,
)

PNG = file_of(plain_picture())
JPEG = file_of(plain_picture(), "jpeg")
GIF = file_of(plain_picture(), "gif")
HELLO = {"messages": messages("Hello")}


def post(sim: Simulator, path: str, body: Json, **headers: str) -> requests.Response:
    return requests.post(sim.base_url + path, json=body, headers=headers, timeout=10)


# --- Keys and addresses ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", [CHAT, DRAWING, OLDER])
@pytest.mark.parametrize("headers", [{}, {"x-api-key": "wrong"}, {"Authorization": f"Bearer {KEY}"}])
def test_segmind_refuses_a_missing_or_wrong_key(sim: Simulator, model: str, headers: dict[str, str]) -> None:
    response = post(sim, f"/{model}", HELLO if model == CHAT else gemini("Hello"), **headers)
    assert (response.status_code, response.json()) == (401, {"error": "User authentication failed"})


def test_segmind_takes_bearer_by_a_switch() -> None:
    with Simulator(accept_bearer=True) as sim:
        assert segmind(sim, CHAT, HELLO, Authorization=f"Bearer {KEY}").status_code == 200
        assert segmind(sim, CHAT, HELLO, Authorization="Bearer wrong").status_code == 401


@pytest.mark.parametrize("headers", [{}, {"x-api-key": KEY}, {"Authorization": "Bearer wrong"}, {"Authorization": KEY}])
def test_aimlapi_takes_bearer_only(sim: Simulator, headers: dict[str, str]) -> None:
    response = post(sim, "/chat/completions", {"model": MODEL, "max_tokens": 9, **HELLO}, **headers)
    assert response.status_code == 401
    assert set(response.json()) == {"message", "path", "requestId", "statusCode", "timestamp"}
    assert response.json()["path"] == "/v1/chat/completions"


def test_keys_without_permission_and_without_credit(sim: Simulator) -> None:
    assert segmind(sim, CHAT, HELLO, **{"x-api-key": f"{KEY}-forbidden"}).status_code == 403
    broke = segmind(sim, CHAT, HELLO, **{"x-api-key": f"{KEY}-empty"})
    assert (broke.status_code, broke.json()) == (406, {"error": "Not enough credits"})
    assert chat(sim, "Hello", key=f"{KEY}-forbidden").status_code == 403
    broke = chat(sim, "Hello", key=f"{KEY}-empty")
    assert broke.status_code == 403
    assert "run out of credits" in broke.json()["message"]


def test_the_key_is_looked_at_before_the_body(sim: Simulator) -> None:
    assert post(sim, f"/{CHAT}", {"nonsense": 1}, **{"x-api-key": "wrong"}).status_code == 401


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "/v1/gemini-9", 404),
        ("POST", "/", 404),
        ("POST", "/v1/chat/nothing", 404),
        ("GET", f"/v1/{CHAT}", 405),
        ("PUT", "/v1/chat/completions", 405),
        ("POST", "/v1/get-user-credits", 405),
    ],
)
def test_unknown_addresses_and_methods(sim: Simulator, method: str, path: str, status: int) -> None:
    response = requests.request(method, sim.url + path, json={}, headers={"x-api-key": KEY}, timeout=10)
    assert response.status_code == status
    assert ("message" if "chat" in path else "error") in response.json()


def test_an_unknown_model_is_404_at_aimlapi(sim: Simulator) -> None:
    response = chat(sim, "Hello", model="google/gemini-0")
    assert response.status_code == 404
    assert "google/gemini-0" in response.json()["message"]


# --- What is refused in a body --------------------------------------------------------------------------------------

TURNS = gemini("Hello")["messages"]["contents"]
WRONG_GEMINI: dict[str, Json] = {
    "messages is a list": {"messages": messages("Hello")},
    "not wrapped": {"contents": TURNS},
    "no contents": {"messages": {"contents": []}},
    "no parts": gemini([]),
    "blank text": gemini("  "),
    "empty part": gemini([{}]),
    "assistant": {"messages": {"contents": [*TURNS, {"role": "assistant", "parts": [{"text": "Hi"}]}, *TURNS]}},
    "system as a turn": {"messages": {"contents": [{"role": "system", "parts": [{"text": "Be brief"}]}, *TURNS]}},
    "system as a list": {"messages": {"contents": TURNS, "system_instruction": {"parts": [{"text": "Be brief"}]}}},
    "blank system": gemini("Hello", system=" "),
    "two user turns": {"messages": {"contents": [*TURNS, *TURNS]}},
    "model last": gemini("Hello", "Hi"),
    "model first": {"messages": {"contents": [{"role": "model", "parts": [{"text": "Hi"}]}]}},
    "bad base64": gemini([{"inlineData": {"mimeType": "image/png", "data": "%%%%"}}]),
    "base64 with a line break": gemini([{"inlineData": {"mimeType": "image/png", "data": "iVBO\nRw0K"}}]),
    "no picture": gemini([inline(b"these are words, not pixels")]),
    "half a picture": gemini([inline(PNG[: len(PNG) // 2])]),
    "JPEG called PNG": gemini([inline(JPEG)]),
    "PNG called JPEG": gemini([inline(PNG, "image/jpeg")]),
    "GIF": gemini([inline(GIF, "image/gif")]),
    "image/jpg": gemini([inline(JPEG, "image/jpg")]),
    "unknown key": gemini("Hello") | {"stream": True},
}


@pytest.mark.parametrize("model", [DRAWING, OLDER])
@pytest.mark.parametrize("wrong", WRONG_GEMINI)
def test_the_gemini_models_refuse(sim: Simulator, model: str, wrong: str) -> None:
    response = segmind(sim, model, WRONG_GEMINI[wrong])
    assert response.status_code == 400
    error = response.json()["error"]
    assert isinstance(error, str) or (error["code"] == 400 and error["status"] == "INVALID_ARGUMENT")


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ("no picture", "Unable to process input image"),
        ("half a picture", "Unable to process input image"),
        ("JPEG called PNG", "The image is image/jpeg, but its MIME type says image/png."),
        ("two user turns", "alternate between user and model"),
        ("model last", "end with a user role"),
    ],
)
def test_google_says_what_is_wrong(sim: Simulator, wrong: str, words: str) -> None:
    assert words in segmind(sim, OLDER, WRONG_GEMINI[wrong]).json()["error"]["message"]


WRONG_CHAT: dict[str, list[Json]] = {
    "role model": [{"role": "model", "content": "Hi"}, *messages("Hello")],
    "blank": messages(" "),
    "null": [{"role": "user", "content": None}],
    "nobody asks": [{"role": "assistant", "content": "Hi"}],
    "nothing": [],
    "blank part": messages([{"type": "text", "text": ""}, image_url(PNG)]),
    "picture of the assistant": [*messages("Hello"), {"role": "assistant", "content": [image_url(PNG)]}],
    "bad base64": messages([{"type": "image_url", "image_url": {"url": "data:image/png;base64,%%%"}}]),
    "SVG": messages([image_url(b"<svg/>", "image/svg+xml")]),
    "no picture": messages([image_url(b"these are words, not pixels")]),
    "JPEG called PNG": messages([image_url(JPEG)]),
    "private key": [{"role": "user", "content": "Hello", "id": 5}],
}


@pytest.mark.parametrize("wrong", WRONG_CHAT)
def test_the_chat_models_refuse(sim: Simulator, wrong: str) -> None:
    response = segmind(sim, CHAT, {"messages": WRONG_CHAT[wrong]})
    assert response.status_code == 400
    assert "error" in response.json()
    response = chat(sim, messages=WRONG_CHAT[wrong])
    assert response.status_code == 400
    assert response.json()["statusCode"] == 400


@pytest.mark.parametrize(
    "more",
    [
        {"max_tokens": 0},
        {"max_tokens": None},
        {"temperature": 3},
        {"top_p": 0},
        {"seed": 0},
        {"stream": False, "stream_options": {"include_usage": True}},
        {"stream": True, "stream_options": {}},
        {"reasoning_effort": "high"},
    ],
)
def test_aimlapi_names_what_is_wrong(sim: Simulator, more: Json) -> None:
    response = chat(sim, "Hello", **more)
    assert response.status_code == 400
    assert response.json()["message"].startswith("Body validation error\n")


def test_a_wrong_type_is_worded_as_expected_and_received(sim: Simulator) -> None:
    assert "messages: Expected array, received object" in segmind(sim, CHAT, {"messages": {}}).json()["error"]


def test_segmind_chat_takes_no_model_field(sim: Simulator) -> None:
    assert segmind(sim, CHAT, HELLO | {"model": MODEL}).status_code == 400


def test_good_pictures_are_taken(sim: Simulator) -> None:
    webp = file_of(plain_picture(), "webp")
    pictures = [inline(PNG), inline(JPEG, "image/jpeg"), inline(webp, "image/webp")]
    assert segmind(sim, OLDER, gemini(pictures)).status_code == 200
    assert chat(sim, [image_url(PNG), image_url(GIF, "image/gif")]).status_code == 200


@pytest.mark.parametrize("path", [f"/{CHAT}", "/chat/completions"])
def test_a_body_that_is_no_json(sim: Simulator, path: str) -> None:
    keys = {"x-api-key": KEY, "Authorization": f"Bearer {KEY}"}
    wrong = requests.post(
        sim.base_url + path, data=b"{oops", headers=keys | {"Content-Type": "application/json"}, timeout=10
    )
    assert wrong.status_code == 400
    untyped = requests.post(sim.base_url + path, data=json.dumps(HELLO), headers=keys, timeout=10)
    assert untyped.status_code == 400


def test_a_body_that_is_too_large(fresh: Simulator) -> None:
    fresh.max_body = 1000
    assert segmind(fresh, CHAT, {"messages": messages("x" * 900)}).status_code == 200
    assert segmind(fresh, CHAT, {"messages": messages("x" * 1000)}).status_code == 413


def test_the_drawing_model_refuses_a_system_instruction_by_a_switch(fresh: Simulator) -> None:
    told = gemini("Hello", system="Be brief.")
    assert segmind(fresh, DRAWING, told).status_code == 200
    fresh.refuse_system = True
    response = segmind(fresh, DRAWING, told)
    assert response.status_code == 400
    wanted = "Developer instruction is not enabled for models/gemini-2-flash-image-generation"
    assert response.json()["error"]["message"] == wanted
    assert segmind(fresh, DRAWING, gemini("Hello")).status_code == 200
    assert segmind(fresh, OLDER, told).status_code == 200


def test_a_text_model_refuses_the_image_modality(sim: Simulator) -> None:
    body = gemini("Hello")
    body["messages"]["generationConfig"] = {"responseModalities": ["TEXT", "IMAGE"]}
    assert segmind(sim, OLDER, body).status_code == 400
    assert segmind(sim, DRAWING, body).status_code == 200


def test_signatures_are_demanded_by_a_switch(fresh: Simulator) -> None:
    fresh.require_signatures = True
    bare = gemini("Draw a cat", [inline(PNG)], "Make it blue")
    assert "thought_signature" in segmind(fresh, DRAWING, bare).json()["error"]["message"]
    signed = gemini("Draw a cat", [inline(PNG) | {"thoughtSignature": "c2ln"}], "Make it blue")
    assert segmind(fresh, DRAWING, signed).status_code == 200
