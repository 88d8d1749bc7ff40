"""Google's own interface: /v1beta/models/<name>:generateContent, whole or streamed, the key in `x-goog-api-key`."""

import re
from collections.abc import Mapping

from . import checks
from .errors import Refused
from .reply import Json
from .talk import Asked, from_gemini

MODELS = ("gemini-2.5-flash", "gemini-2.5-flash-image")
DRAWING = "gemini-2.5-flash-image"
LIST_PATH = "/v1beta/models"
PATH = re.compile(r"/v1beta/models/([^/:]+):(generateContent|streamGenerateContent)")
LIST = {
    "models": [
        {
            "name": f"models/{name}",
            "displayName": name.replace("-", " ").title(),
            "inputTokenLimit": 1_048_576,
            "outputTokenLimit": 65_536,
            "supportedGenerationMethods": ["generateContent", "countTokens"],
        }
        for name in MODELS
    ]
    + [{"name": "models/text-embedding-004", "supportedGenerationMethods": ["embedContent"]}]
}


def is_here(path: str) -> bool:
    return path == LIST_PATH or PATH.fullmatch(path) is not None


def key_of(headers: Mapping[str, str]) -> str:
    return headers.get("x-goog-api-key", "")


def read(path: str, body: Json) -> Asked:
    """The request to a model. Raises Refused."""
    found = PATH.fullmatch(path)
    name, method = (found[1], found[2]) if found else ("", "")
    if name not in MODELS:
        raise Refused(404, f"models/{name} is not found for API version v1beta.")
    checks.form("gemini-generate-content-request", body)
    checks.alternating([content["role"] for content in body["contents"]])
    checks.gemini_pictures(body["contents"], signed=False)
    modalities = body.get("generationConfig", {}).get("responseModalities", ["TEXT"])
    if name != DRAWING and "IMAGE" in modalities:
        raise Refused(400, "Multi-modal output is not supported by this model.")
    system = {"parts": body["systemInstruction"]["parts"][0]} if "systemInstruction" in body else {}
    config = body.get("generationConfig", {}) | {"responseModalities": modalities}
    messages = {"contents": body["contents"], "system_instruction": system, "generationConfig": config}
    talk = from_gemini({"messages": messages}, draws=name == DRAWING)
    return Asked(name, talk, "gemini-sse" if method == "streamGenerateContent" else "gemini")
