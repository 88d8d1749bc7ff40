"""The lists of models that endpoints give: OpenAI's `GET /models` and what resembles it, and Gemini's. Pure.

Only the name is sure. What else a list says of a model (OpenRouter, AI/ML API, vLLM and Gemini say most) saves typing.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from conversations.providers import base
from conversations.providers.base import Endpoint, Prepared, Vendor
from conversations.providers.errors import UnexpectedReply
from conversations.providers.replies import failures
from conversations.providers.replies.censor import Censor
from conversations.providers.turns import Json

LARGEST = 8 * base.MEGABYTE  # bytes of a list; the longest known has about one
MOST = 2000  # models
LONGEST = 150  # characters of a name, a label or a description
_WINDOWS = ("context_length", "max_model_len", "context_window", "contextLength", "inputTokenLimit")
_LIMITS = ("max_completion_tokens", "maxTokens", "outputTokenLimit")


@dataclass(frozen=True, slots=True)
class Listed:
    """A model as its endpoint lists it. None and "" where it does not say."""

    name: str
    label: str = ""
    description: str = ""
    context_window: int | None = None
    output_limit: int | None = None
    sees_images: bool = False
    draws_images: bool = False


def prepare(vendor: Vendor, endpoint: Endpoint) -> Prepared:
    """The HTTP request for the list. Raises NotConfigured without a usable key."""
    address = (endpoint.base_url or vendor.default_base_url).rstrip("/") + vendor.models_path
    headers = (*base.auth_headers(vendor, endpoint), ("Accept", "application/json"), *endpoint.headers)
    return Prepared(method="GET", url=address, headers=headers, body=None)


def read(status: int, headers: Mapping[str, str], body: bytes, secrets: tuple[str, ...]) -> tuple[Listed, ...]:
    """The models in a reply, sorted by name. Header names in lower case. Raises ProviderError."""
    if not 200 <= status < 300:
        raise failures.of_status(status, headers, body, Censor(secrets), datetime.now(UTC))
    try:
        value = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise UnexpectedReply("no list of models") from error
    found = {listed.name: listed for listed in _models(value)}
    return tuple(found[name] for name in sorted(found)[:MOST])


def _models(value: Json) -> Iterator[Listed]:
    match value:
        case {"models": list(models)} | {"data": list(models)} | list(models):
            yield from (listed for one in models if isinstance(one, dict) and (listed := _listed(one)))
        case _:
            raise UnexpectedReply("no list of models")


def _listed(one: dict[str, Json]) -> Listed | None:
    """None for what cannot be asked for an answer."""
    name = one.get("id") or one.get("name")
    methods = one.get("supportedGenerationMethods")
    if not isinstance(name, str) or (isinstance(methods, list) and "generateContent" not in methods):
        return None
    name = name.removeprefix("models/").strip()
    if not name or len(name) > LONGEST or not name.isprintable():
        return None
    more = one | _members(one, "info") | _members(one, "top_provider")
    kinds = _members(one, "architecture")
    return Listed(
        name,
        label=_text(one.get("displayName") or more.get("name"), unlike=name),
        description=_text(more.get("description")),
        context_window=_count(more, _WINDOWS),
        output_limit=_count(more, _LIMITS),
        sees_images=_has_images(kinds.get("input_modalities")),
        draws_images=_has_images(kinds.get("output_modalities")),
    )


def _has_images(modalities: Json) -> bool:
    return isinstance(modalities, list) and "image" in modalities


def _members(value: dict[str, Json], name: str) -> dict[str, Json]:
    inner = value.get(name)
    return inner if isinstance(inner, dict) else {}


def _text(value: Json, unlike: str = "") -> str:
    """One printable line; "" where it only repeats the name."""
    if not isinstance(value, str) or value.removeprefix("models/") == unlike:
        return ""
    return " ".join("".join(one if one.isprintable() else " " for one in value).split())[:LONGEST]


def _count(value: dict[str, Json], names: tuple[str, ...]) -> int | None:
    found = (value.get(name) for name in names)
    return next((one for one in found if isinstance(one, int) and not isinstance(one, bool) and 0 < one < 2**31), None)
