"""The request forms under test, their schemas, and small pictures and turns to fill them. No Django, no sockets."""

import base64
import json
import pathlib
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, Literal

from jsonschema import Draft202012Validator

from conversations import providers
from conversations.providers.base import Endpoint, Model, Prepared, Quirks, Vendor
from conversations.providers.turns import ChatRequest, ImagePart, Parameters, Part, TextPart, Turn

SCHEMAS = pathlib.Path(__file__).resolve().parent.parent / "simulator" / "schemas"
KEY = "test-key-1234567890"
UNSET = Parameters()


@dataclass(frozen=True)
class Form:
    """One way to ask: a model of a vendor, and the schema of what goes out. `reads`: how its bodies are laid out."""

    name: str
    vendor: Vendor
    model: Model
    schema: str
    reads: Literal["openai", "gemini"]

    def with_quirks(self, **changes: Any) -> "Form":
        quirks: Quirks = replace(self.model.quirks, **changes)
        return replace(self, model=replace(self.model, quirks=quirks))

    def prepare(self, request: ChatRequest) -> Prepared:
        return providers.prepare(self.vendor, self.model, Endpoint("", KEY), request)

    def body(self, *turns: Turn, system: str = "", parameters: Parameters = UNSET) -> Any:
        """The body for these turns, shown to be valid first, and equal to what the bytes say."""
        prepared = self.prepare(ChatRequest(turns, system, parameters))
        assert_valid(self.schema, prepared.body)
        assert json.loads(prepared.content) == prepared.body
        return prepared.body

    def read(self, body: Any) -> list["Said"]:
        return read_openai(body) if self.reads == "openai" else read_gemini(body)


@dataclass(frozen=True)
class Said:
    """One message of a body, whatever its form: its texts and (media type, bytes) of its pictures, in order."""

    role: str
    texts: tuple[str, ...]
    pictures: tuple[tuple[str, bytes], ...] = ()


def _form(name: str, model_id: str, schema: str, reads: Literal["openai", "gemini"]) -> Form:
    found = providers.find(model_id)
    assert found is not None
    return Form(name, *found, schema, reads)


A = _form("segmind-openai", "segmind/gemini-2.5-flash", "segmind-openai-request", "openai")
B = _form("segmind-draws", "segmind/gemini-2-flash-image-generation", "segmind-gemini-request", "gemini")
C = _form("aimlapi", "aimlapi/google/gemini-2.5-flash", "aimlapi-sent-request", "openai")
D = _form("segmind-gemini", "segmind/gemini-1.5-pro", "segmind-gemini-request", "gemini")
A_WRAPPED = replace(
    D, name="segmind-switched", model=replace(A.model, dialect="gemini_wrapped"), schema="segmind-gemini-request"
)
FORMS = (A, B, C, D, A_WRAPPED)


def assert_valid(schema: str, body: Any) -> None:
    errors = [f"{list(error.absolute_path)}: {error.message[:200]}" for error in _validator(schema).iter_errors(body)]
    assert not errors, errors


@cache
def _validator(schema: str) -> Draft202012Validator:
    return Draft202012Validator(json.loads((SCHEMAS / f"{schema}.schema.json").read_text(encoding="utf-8")))


def read_openai(body: Any) -> list[Said]:
    return [_said_openai(message) for message in body["messages"] if message["role"] != "system"]


def _said_openai(message: Any) -> Said:
    content = message["content"]
    if isinstance(content, str):
        return Said(message["role"], (content,))
    texts = tuple(part["text"] for part in content if part["type"] == "text")
    urls = [part["image_url"]["url"] for part in content if part["type"] == "image_url"]
    return Said(message["role"], texts, tuple(_from_data_url(url) for url in urls))


def _from_data_url(url: str) -> tuple[str, bytes]:
    media_type, data = url.removeprefix("data:").split(";base64,")
    return media_type, base64.b64decode(data, validate=True)


def read_gemini(body: Any) -> list[Said]:
    return [_said_gemini(content) for content in body["messages"]["contents"]]


def _said_gemini(content: Any) -> Said:
    blobs = [part["inlineData"] for part in content["parts"] if "inlineData" in part]
    return Said(
        {"user": "user", "model": "assistant"}[content["role"]],
        tuple(part["text"] for part in content["parts"] if "text" in part),
        tuple((blob["mimeType"], base64.b64decode(blob["data"], validate=True)) for blob in blobs),
    )


# Content


SIGNATURES = {
    "image/png": b"\x89PNG\r\n\x1a\n",
    "image/jpeg": b"\xff\xd8\xff\xe0",
    "image/webp": b"RIFF\x24\x00\x00\x00WEBPVP8 ",
    "image/gif": b"GIF89a",
    "image/heic": b"\x00\x00\x00\x18ftypheic",
}


def image_bytes(media_type: str = "image/png", tail: bytes = b"") -> bytes:
    """The first bytes of a file of this type, then `tail`: enough for whoever only looks at the beginning."""
    return SIGNATURES[media_type] + tail


def image(tail: bytes = b"", *, media_type: str = "image/png", label: str = "", signature: str = "") -> ImagePart:
    return ImagePart(label or media_type, image_bytes(media_type, tail), signature)


def user(*parts: Part | str) -> Turn:
    return Turn("user", _parts(parts))


def assistant(*parts: Part | str, failed: bool = False) -> Turn:
    return Turn("assistant", _parts(parts), failed)


def _parts(parts: tuple[Part | str, ...]) -> tuple[Part, ...]:
    return tuple(TextPart(part) if isinstance(part, str) else part for part in parts)
