"""Asks the simulator as a plain client does: `requests` and nothing else. Helpers for its own tests."""

import base64
import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import requests
from PIL import Image

from . import Simulator
from .transport import Outcome

KEY = "demo-key"
CHAT, DRAWING, OLDER = "gemini-2.5-flash", "gemini-2-flash-image-generation", "gemini-1.5-pro"
MODEL = "google/gemini-2.5-flash"
Json = Any


def segmind(sim: Simulator, model: str, body: Json, **headers: str) -> requests.Response:
    headers = headers or {"x-api-key": KEY}
    return requests.post(f"{sim.base_url}/{model}", json=body, headers=headers, timeout=10)


def gemini(*turns: str | list[Json], system: str = "") -> Json:
    """A body for the Gemini models: turns of user and model by turns, each a text or a list of parts."""
    contents = [
        {"role": "model" if number % 2 else "user", "parts": [{"text": turn}] if isinstance(turn, str) else turn}
        for number, turn in enumerate(turns)
    ]
    return {
        "messages": {"contents": contents} | ({"system_instruction": {"parts": {"text": system}}} if system else {})
    }


def messages(*turns: str | list[Json], system: str = "") -> list[Json]:
    """The same as chat messages."""
    said = [{"role": ("user", "assistant")[number % 2], "content": turn} for number, turn in enumerate(turns)]
    return ([{"role": "system", "content": system}] if system else []) + said


def chat(sim: Simulator, *turns: str | list[Json], key: str = KEY, **more: Json) -> requests.Response:
    """A chat completion of AI/ML API; `more` are further keys of the body."""
    body = {"model": MODEL, "max_tokens": 8192, "messages": messages(*turns)} | more
    headers = {"Authorization": f"Bearer {key}"}
    return requests.post(f"{sim.base_url}/chat/completions", json=body, headers=headers, timeout=10)


def said(response: requests.Response) -> str:
    """The text of a whole reply, OpenAI-like or Gemini."""
    assert response.status_code == 200, response.text
    body = response.json()
    if "choices" in body:
        return str(body["choices"][0]["message"]["content"])
    return "".join(part.get("text", "") for part in parts(response))


def parts(response: requests.Response) -> list[Json]:
    assert response.status_code == 200, response.text
    return list(response.json()["candidates"][0]["content"]["parts"])


def chunks(text: str) -> list[Json]:
    """The JSON values of an event stream, [DONE] left out."""
    lines = [line.removeprefix("data:").strip() for line in text.splitlines() if line.startswith("data:")]
    return [json.loads(line) for line in lines if line and line != "[DONE]"]


def streamed(text: str) -> str:
    """The text that the deltas of an event stream add up to."""
    choices = [choice for chunk in chunks(text) for choice in chunk.get("choices", [])]
    return "".join(choice["delta"].get("content") or "" for choice in choices)


def image_in(answer: list[Json]) -> Image.Image:
    """The one picture among the parts of a Gemini reply."""
    (blob,) = (part["inlineData"] for part in answer if "inlineData" in part)
    assert blob["mimeType"] == "image/png"
    return Image.open(io.BytesIO(base64.b64decode(blob["data"]))).convert("RGB")


def file_of(image: Image.Image, form: str = "png") -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, form)
    return buffer.getvalue()


def plain_picture(colour: str = "red", size: tuple[int, int] = (64, 48)) -> Image.Image:
    return Image.new("RGB", size, colour)


def inline(data: bytes, media_type: str = "image/png") -> Json:
    return {"inlineData": {"mimeType": media_type, "data": base64.b64encode(data).decode()}}


def image_url(data: bytes, media_type: str = "image/png") -> Json:
    return {"type": "image_url", "image_url": {"url": f"data:{media_type};base64,{base64.b64encode(data).decode()}"}}


@dataclass(frozen=True, slots=True)
class Seen:
    """What came of one call: status 0 where there was none, `error` the name of what ended the reading early."""

    status: int
    headers: dict[str, str]
    body: bytes
    error: str
    outcome: Outcome


def observe(sim: Simulator, text: str, *, stream: bool, most: int = 2_000_000) -> Seen:
    """Ask for `text` and read until the end, an error or `most` bytes; then hang up."""
    body = {"model": MODEL, "max_tokens": 8192, "stream": stream, "messages": messages(text)}
    status, headers, read, error = 0, dict[str, str](), bytearray(), ""
    with requests.Session() as session:
        try:
            response = session.post(
                f"{sim.base_url}/chat/completions",
                json=body,
                headers={"Authorization": f"Bearer {KEY}", "Accept-Encoding": "identity"},
                stream=True,
                timeout=10,
                allow_redirects=False,
            )
            status, headers = response.status_code, {k.lower(): v for k, v in response.headers.items()}
            while len(read) < most and (piece := response.raw.read1(65536)):
                read += piece
            response.close()
        except Exception as exc:
            error = type(exc).__name__
    assert sim.wait_closed()
    return Seen(status, headers, bytes(read), error, sim.requests[-1].outcome)


def body_of(seen: Seen) -> Json:
    return json.loads(seen.body)


def text_of(seen: Seen) -> str:
    """The text in the body so far, streamed or whole; "" where none can be read."""
    lines = seen.body.decode(errors="replace")
    if "data:" in lines:
        complete = lines[: lines.rfind("\n\n") + 2]
        return streamed(complete)
    return str(body_of(seen)["choices"][0]["message"]["content"])


def colour_share(image: Image.Image, claim: Callable[[int, int, int], bool]) -> float:
    """The share of pixels for which `claim` about red, green and blue holds."""
    data = image.convert("RGB").tobytes()
    hits = sum(claim(data[at], data[at + 1], data[at + 2]) for at in range(0, len(data), 3))
    return hits / (len(data) / 3)
