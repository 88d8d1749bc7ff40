"""A request body as reviewers may keep it: every image's base64 replaced by the digest of its bytes. Pure."""

import base64
import hashlib

from conversations.providers.turns import Json


def redacted(body: Json) -> Json:
    """A copy of a request body with `sha256:<hex> (<n> bytes)` for each image; text is left exactly as it was sent."""
    match body:
        case {"inlineData": {"data": str(data)} as blob}:
            return body | {"inlineData": blob | {"data": _digest(data)}}
        case {"image_url": {"url": str(url)} as image} if url.startswith("data:"):
            head, _, data = url.partition(",")
            return body | {"image_url": image | {"url": f"{head},{_digest(data)}"}}
        case dict():
            return {key: redacted(value) for key, value in body.items()}
        case list():
            return [redacted(value) for value in body]
        case _:
            return body


def _digest(data: str) -> str:
    raw = base64.b64decode(data)
    return f"sha256:{hashlib.sha256(raw).hexdigest()} ({len(raw)} bytes)"
