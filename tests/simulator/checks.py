"""What a vendor refuses in a request: form, roles, pictures. Raises Refused; no I/O beside the schema files."""

import base64
import io
import json
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator, ValidationError
from jsonschema.exceptions import best_match
from PIL import Image, UnidentifiedImageError

from .errors import Refused
from .reply import Json

SCHEMAS = Path(__file__).parent / "schemas"
FORMATS = {"PNG": "image/png", "JPEG": "image/jpeg", "WEBP": "image/webp", "GIF": "image/gif"}
HEIF_BRANDS = (b"heic", b"heix", b"hevc", b"mif1", b"msf1")


@cache
def validator(name: str, *ignored: str) -> Draft202012Validator:
    """The schema `<name>.schema.json`, without the top-level keywords in `ignored`."""
    schema: dict[str, Any] = json.loads((SCHEMAS / f"{name}.schema.json").read_text(encoding="utf-8"))
    return Draft202012Validator({key: value for key, value in schema.items() if key not in ignored})


def form(name: str, body: Json, *ignored: str, style: str = "", title: str = "Invalid request") -> None:
    """Refuse a body that the schema does not allow."""
    schema = validator(name, *ignored)
    if not schema.is_valid(body):
        raise Refused(400, f"{title}\n{explain(best_match(schema.iter_errors(body)))}", style)


def explain(error: ValidationError) -> str:
    """One line in the vendors' tone, such as "messages.0.content: Expected string, received null"."""
    place = ".".join(str(step) for step in error.absolute_path) or "body"
    if error.validator == "type":
        return f"{place}: Expected {error.validator_value}, received {json_type(error.instance)}"
    return f"{place}: {clipped(error.message)}"


def json_type(value: Json) -> str:
    names = {type(None): "null", bool: "boolean", int: "number", float: "number", str: "string", list: "array"}
    return names.get(type(value), "object")


def clipped(text: str) -> str:
    return text if len(text) <= 200 else f"{text[:90]} … {text[-90:]}"


def alternating(roles: list[str]) -> None:
    """Gemini: user and model in turns, a user turn first and last."""
    if any(first == second for first, second in pairwise(roles)):
        raise Refused(400, "Please ensure that multiturn requests alternate between user and model.", "google")
    if roles[-1] != "user":
        raise Refused(400, "Please ensure that multiturn requests end with a user role.", "google")


def picture(media_type: str, data: str, style: str) -> None:
    """Refuse bytes that are no picture, and a picture that is not of the type it claims. `data` is proper base64."""
    found = real_type(base64.b64decode(data))
    if found is None:
        raise Refused(400, "Unable to process input image. Please retry or report.", style)
    if found != (media_type.replace("heif", "heic")):
        raise Refused(400, f"The image is {found}, but its MIME type says {media_type}.", style)


def real_type(raw: bytes) -> str | None:
    """The media type of the bytes, or None where they do not decode. HEIC is known by its brand only."""
    if raw[4:8] == b"ftyp" and raw[8:12] in HEIF_BRANDS:
        return "image/heic"
    try:
        with Image.open(io.BytesIO(raw)) as image:
            image.load()
            return FORMATS.get(image.format or "")
    except (UnidentifiedImageError, Image.DecompressionBombError, OSError, ValueError, SyntaxError):
        return None


def openai_pictures(body: Json, style: str) -> None:
    """Every data URL of the messages; addresses of other kinds are left to the model."""
    for message in body["messages"]:
        for part in message["content"] if isinstance(message["content"], list) else ():
            url = part["image_url"]["url"] if part["type"] == "image_url" else ""
            if url.startswith("data:"):
                media_type, data = url.removeprefix("data:").split(";base64,", 1)
                picture(media_type, data, style)


def gemini_pictures(contents: Json, *, signed: bool) -> None:
    """Every `inlineData`; with `signed`, those of the model need their thought signature."""
    for content in contents:
        for part in content["parts"]:
            if "inlineData" not in part:
                continue
            picture(part["inlineData"]["mimeType"], part["inlineData"]["data"], "google")
            if signed and content["role"] == "model" and not part.get("thoughtSignature"):
                raise Refused(400, "Image part is missing a thought_signature.", "google")
