"""Every shape in which an answer may come: whole and streamed, and the pace of a stream."""

import base64
import io
import json
import time
from collections.abc import Callable

import pytest
import requests
from PIL import Image

from . import Simulator
from .asking import DRAWING, KEY, MODEL, OLDER, Json, chat, chunks, gemini, segmind, streamed
from .checks import validator
from .shapes import SHAPES
from .streams import STREAMS

TEXT = "Grüße, 世界"
PNG_URL = "data:image/png;base64,iVBOR"


def whole(sim: Simulator, shape: str) -> requests.Response:
    return segmind(sim, OLDER, gemini(f"[[shape:{shape}]] [[say:{TEXT}]]"))


def is_png(data: bytes) -> bool:
    return Image.open(io.BytesIO(data)).format == "PNG"


def message(body: Json) -> Json:
    return body["choices"][0]["message"]


def content(body: Json) -> list[Json]:
    return list(body["candidates"][0]["content"]["parts"])


def listed_text(body: Json) -> str:
    return "".join(part["text"] for part in message(body)["content"] if part["type"] == "text")


# What the JSON body of each shape must hold.
JSON_SHAPES: dict[str, Callable[[Json], bool]] = {
    "openai": lambda body: message(body)["content"] == TEXT and body["object"] == "chat.completion",
    "openai-201": lambda body: message(body)["content"] == TEXT,
    "openai-bare": lambda body: message(body) == {"role": "assistant", "content": TEXT} and "meta" not in body,
    "openai-parts": lambda body: listed_text(body) == TEXT and message(body)["content"][0]["type"] == "thinking",
    "openai-images": lambda body: message(body)["images"][0]["image_url"]["url"].startswith(PNG_URL),
    "openai-markdown": lambda body: message(body)["content"].startswith(f"{TEXT}\n\n![image]({PNG_URL}"),
    "openai-reasoning": lambda body: bool(message(body)["reasoning"]) and message(body)["content"] == TEXT,
    "openai-refusal": lambda body: message(body)["content"] is None and "cannot" in message(body)["refusal"],
    "openai-legacy": lambda body: body["choices"][0]["text"] == TEXT,
    "gemini": lambda body: content(body) == [{"text": TEXT}] and body["candidates"][0]["finishReason"] == "STOP",
    "gemini-snake": lambda body: (
        content(body)[1]["inline_data"]["mime_type"] == "image/png" and "usage_metadata" in body
    ),
    "gemini-list": lambda body: [*map(content, body[:-1])] == [[{"text": TEXT}]] and "usageMetadata" in body[-1],
    "gemini-array": lambda body: content(body[0]) == [{"text": TEXT}],
    "gemini-signed": lambda body: (
        content(body)[0]["text"] == TEXT
        and set(content(body)[-1]) == {"text", "thoughtSignature"}
        and content(body)[-1]["text"] == ""
    ),
    "gemini-mislabelled": lambda body: all(
        base64.b64decode(part["inlineData"]["data"]).startswith(b"\xff\xd8") for part in content(body)[1:]
    ),
    "gemini-bare": lambda body: body == {"candidates": [{"content": {"parts": [{"text": TEXT}]}}]},
    "gemini-slow": lambda body: content(body) == [{"text": TEXT}],
    "response": lambda body: body == {"response": TEXT},
    "output": lambda body: body == {"output": TEXT},
    "text": lambda body: body == {"text": TEXT},
    "content": lambda body: body == {"content": TEXT},
    "anthropic": lambda body: body["content"] == [{"type": "text", "text": TEXT}],
    "image-key": lambda body: is_png(base64.b64decode(body["image"])),
    "base64-json": lambda body: is_png(base64.b64decode(body)),
    "link-output": lambda body: body["output"].startswith("https://"),
    "links-output": lambda body: len(body["output"]) == 2,
    "link-image-url": lambda body: body["image_url"].startswith("https://"),
    "links-outputs": lambda body: len(body["outputs"]) == 2,
}
BYTE_SHAPES = {
    "gemini-trailing": "application/json",
    "image-png": "image/png",
    "image-jpeg": "image/jpeg",
    "image-webp": "image/webp",
    "image-unlabelled": "application/octet-stream",
    "base64-text": "text/plain",
}


@pytest.mark.parametrize("shape", JSON_SHAPES)
def test_json_shapes(sim: Simulator, shape: str) -> None:
    response = whole(sim, shape)
    assert response.status_code == (201 if shape == "openai-201" else 200)
    assert response.headers["Content-Type"].startswith("application/json")
    assert JSON_SHAPES[shape](response.json()), response.text[:500]


@pytest.mark.parametrize(("shape", "content_type"), BYTE_SHAPES.items())
def test_shapes_that_are_not_json(sim: Simulator, shape: str, content_type: str) -> None:
    response = whole(sim, shape)
    assert (response.status_code, response.headers["Content-Type"]) == (200, content_type)
    if shape == "gemini-trailing":
        first, end = json.JSONDecoder().raw_decode(response.text)
        assert content(first) == [{"text": TEXT}]
        assert response.text[end:].strip() == '{"trailing": true}'
        return
    data = base64.b64decode(response.content) if shape == "base64-text" else response.content
    form = Image.open(io.BytesIO(data)).format or ""
    assert form.lower() == {"image-jpeg": "jpeg", "image-webp": "webp"}.get(shape, "png")


def test_no_shape_is_left_out() -> None:
    assert {shape.name for shape in SHAPES} == JSON_SHAPES.keys() | BYTE_SHAPES.keys()


@pytest.mark.parametrize("text", ["Hello", "[[think:Hm.]] Hello", "[[shape:gemini-signed]]", "Draw a red circle"])
def test_gemini_replies_keep_to_the_documented_schema(sim: Simulator, text: str) -> None:
    body = segmind(sim, DRAWING, gemini(text)).json()
    assert list(validator("gemini-generate-content-response").iter_errors(body)) == []


@pytest.mark.parametrize("name", ["400-key", "429-info", "503-list", "case-22"])
def test_google_errors_keep_to_the_documented_schema(sim: Simulator, name: str) -> None:
    body = segmind(sim, OLDER, gemini(f"[[fault:{name}]]")).json()
    assert list(validator("gemini-error").iter_errors(body)) == []


# --- Streams --------------------------------------------------------------------------------------------------------


def stream(sim: Simulator, text: str, **more: Json) -> str:
    response = chat(sim, text, stream=True, **more)
    assert (response.status_code, response.headers["Content-Type"]) == (200, "text/event-stream")
    response.encoding = "utf-8"
    return response.text


def test_the_documented_stream(sim: Simulator) -> None:
    text = stream(sim, f"[[say:{TEXT} and more]]", stream_options={"include_usage": True})
    found = chunks(text)
    assert text.endswith("data: [DONE]\n\n")
    assert found[0]["choices"][0]["delta"] == {"role": "assistant", "content": ""}
    assert [chunk["choices"][0]["finish_reason"] for chunk in found[:-1]] == [None] * (len(found) - 2) + ["stop"]
    assert found[-2]["choices"][0]["delta"] == {}
    assert found[-1]["choices"] == []
    assert [chunk["usage"] for chunk in found[:-1]] == [None] * (len(found) - 1)
    assert found[-1]["usage"]["completion_tokens"] == 4
    assert found[-1]["meta"]["usage"]["credits_used"] > 0
    assert {chunk["model"] for chunk in found} == {MODEL}
    assert streamed(text) == f"{TEXT} and more"


def test_without_include_usage_only_the_price_comes(sim: Simulator) -> None:
    found = chunks(stream(sim, "Hello"))
    assert not any("usage" in chunk for chunk in found)
    assert found[-1]["choices"][0]["finish_reason"] == "stop"
    assert "meta" in found[-1]


def normalised(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n").removeprefix("\ufeff")


def deltas(text: str) -> list[Json]:
    return [choice["delta"] for chunk in chunks(text) for choice in chunk.get("choices", [])]


def gemini_text(text: str) -> str:
    found = [
        part for chunk in chunks(text) for c in chunk.get("candidates", []) for part in c["content"].get("parts", [])
    ]
    return "".join(part["text"] for part in found)


STREAM_SHAPES: dict[str, Callable[[str], bool]] = {
    "sse": lambda text: streamed(text) == TEXT,
    "sse-no-done": lambda text: streamed(text) == TEXT and "[DONE]" not in text,
    "sse-close": lambda text: streamed(text) == TEXT,
    "sse-crlf": lambda text: "\n" not in text.replace("\r\n", "") and streamed(normalised(text)) == TEXT,
    "sse-cr": lambda text: "\n" not in text and streamed(normalised(text)) == TEXT,
    "sse-nospace": lambda text: "data: {" not in text and streamed(text) == TEXT,
    "sse-bom": lambda text: text.startswith("\ufeff") and streamed(normalised(text)) == TEXT,
    "sse-lines": lambda text: text.count(",\ndata: ") > 3 and streamed(text.replace(",\ndata: ", ",")) == TEXT,
    "sse-comments": lambda text: ": OPENROUTER PROCESSING\n" in text and streamed(text) == TEXT,
    "sse-named": lambda text: "event: message\n" in text and "event: ping\n" in text and streamed(text) == TEXT,
    "sse-after-done": lambda text: not text.endswith("data: [DONE]\n\n") and "data: [DONE]\n\n" in text,
    "sse-empty-choices": lambda text: chunks(text)[0]["choices"] == [] and streamed(text) == TEXT,
    "sse-usage-always": lambda text: [chunk["usage"]["completion_tokens"] for chunk in chunks(text)] == [0, 1, 2, 2],
    "sse-list": lambda text: deltas(text)[1]["content"] == [{"type": "text", "text": "Grüße,"}],
    "sse-images": lambda text: any("images" in delta for delta in deltas(text)) and streamed(text) == TEXT,
    "sse-ollama": lambda text: deltas(text)[1]["role"] is None and '"finish_reason":""' in text,
    "sse-no-finish": lambda text: "finish_reason" not in text and streamed(text) == TEXT,
    "sse-message": lambda text: chunks(text)[1]["choices"][0]["message"]["content"] == "Grüße,",
    "sse-obfuscated": lambda text: all("obfuscation" in chunk for chunk in chunks(text)) and streamed(text) == TEXT,
    "gemini-sse": lambda text: gemini_text(text) == TEXT and "usageMetadata" in chunks(text)[-1],
}


@pytest.mark.parametrize("shape", STREAM_SHAPES)
def test_stream_shapes(sim: Simulator, shape: str) -> None:
    text = stream(sim, f"[[shape:{shape}]] [[say:{TEXT}]]")
    assert STREAM_SHAPES[shape](text), text


def test_no_stream_shape_is_left_out() -> None:
    assert {shape.name for shape in STREAMS} == STREAM_SHAPES.keys()


def test_segmind_can_be_made_to_stream_and_aimlapi_not_to(sim: Simulator) -> None:
    assert segmind(sim, OLDER, gemini("[[shape:gemini-sse]] Hello")).headers["Content-Type"] == "text/event-stream"
    assert chat(sim, "[[shape:openai]] Hello", stream=True).headers["Content-Type"] == "application/json"


def test_reasoning_streams_before_the_text(sim: Simulator) -> None:
    found = deltas(stream(sim, "[[think:Hm, well.]] [[say:Yes.]]"))
    assert [next(iter(delta), "") for delta in found] == [
        "role",
        "reasoning_content",
        "reasoning_content",
        "content",
        "",
    ]


def test_the_pace_is_as_asked(sim: Simulator) -> None:
    start = time.monotonic()
    stream(sim, "[[tokens:11]] [[delay:20]] [[first:50]]")
    assert time.monotonic() - start >= 0.25


def test_the_standing_pace_yields_to_the_message() -> None:
    with Simulator(delay_ms=5000, first_ms=5000) as sim:
        start = time.monotonic()
        assert streamed(stream(sim, "[[tokens:3]] [[delay:0]] [[first:0]]")) == "w1 w2 w3"
        assert time.monotonic() - start < 4


def test_small_writes(sim: Simulator) -> None:
    response = segmind(sim, OLDER, gemini(f"[[chunk:1]] [[say:{TEXT}]]"))
    assert content(response.json()) == [{"text": TEXT}]
    found = chat_chunks(sim, f"[[chunk:3]] [[say:{TEXT}]]")
    assert streamed(b"".join(found).decode()) == TEXT
    assert max(len(piece) for piece in found) == 3


def chat_chunks(sim: Simulator, text: str) -> list[bytes]:
    """The chunks of the transfer encoding, one by one."""
    body = {"model": MODEL, "max_tokens": 99, "stream": True, "messages": [{"role": "user", "content": text}]}
    headers = {"Authorization": f"Bearer {KEY}"}
    url = f"{sim.base_url}/chat/completions"
    with requests.post(url, json=body, headers=headers, stream=True, timeout=10) as response:
        return list(response.raw.read_chunked())


@pytest.mark.parametrize(
    ("style", "text"),
    [
        ("string", '{"error":"Too many requests"}'),
        ("message", '{"message":"Too many requests"}'),
        ("detail", '{"detail":"Too many requests"}'),
        ("text", "Too many requests"),
        ("empty", ""),
    ],
)
def test_errors_can_be_worded_otherwise(sim: Simulator, style: str, text: str) -> None:
    response = chat(sim, f"[[fault:429]] [[error:{style}]]")
    assert (response.status_code, response.text) == (429, text)


@pytest.mark.parametrize(
    "style", ["object", "google", "google-list", "aimlapi", "aimlapi-string", "detail-list", "title"]
)
def test_errors_of_more_words(sim: Simulator, style: str) -> None:
    response = chat(sim, f"[[fault:429]] [[error:{style}]]")
    assert response.status_code == 429
    assert "Too many requests" in response.text
    assert response.json() != chat(sim, "[[fault:429]] [[error:string]]").json()


def test_an_error_as_a_page(sim: Simulator) -> None:
    response = chat(sim, "[[fault:503]] [[error:html]]")
    assert response.headers["Content-Type"] == "text/html"
    assert "<h1>503 Service Unavailable</h1>" in response.text


@pytest.mark.parametrize(("asked", "shown"), [("12.5", "12.5"), ("plenty", "plenty"), ("none", None)])
def test_the_credit_header_can_be_anything(sim: Simulator, asked: str, shown: str | None) -> None:
    response = segmind(sim, OLDER, gemini(f"Hello [[credits:{asked}]]"))
    assert response.headers.get("x-remaining-credits") == shown


def test_any_finish_reason(sim: Simulator) -> None:
    body = segmind(sim, OLDER, gemini("Hello [[finish:RECITATION]]")).json()
    assert body["candidates"][0]["finishReason"] == "RECITATION"
