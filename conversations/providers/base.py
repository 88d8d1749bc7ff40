"""What a provider is: vendor, model, endpoint, and one prepared HTTP request. Values only; no I/O, no registry."""

import json
from dataclasses import dataclass, field, replace
from typing import Literal
from urllib.parse import quote

from conversations.providers.errors import NotConfigured
from conversations.providers.turns import Json, Parameters

DialectName = Literal["openai_chat", "gemini_wrapped", "gemini"]
SystemMode = Literal["native", "prepend"]
LimitField = Literal["max_tokens", "max_completion_tokens"]
AuthScheme = Literal["x-api-key", "bearer", "x-goog-api-key", "none"]
Headers = tuple[tuple[str, str], ...]

MEGABYTE = 1_000_000
SHORTEST_SECRET = 8  # characters of a header's value; shorter ones are words
COMMON_IMAGE_TYPES = ("image/png", "image/jpeg", "image/webp")


@dataclass(frozen=True, slots=True)
class Quirks:
    """How one model departs from its dialect, and its limits. Bytes of an image: of the file; of a body: as sent.

    `system_mode`: "prepend" puts the system text before the first user text, for models that refuse the field.
    `send_model_field`: the body names the model (otherwise the address does).
    `default_max_tokens`: sent when the request sets none; None sends nothing then.
    `limit_field`: what the limit is called (chat completions only); newer models of OpenAI refuse the older name.
    `stream_usage`: ask for token counts at the end of a stream (chat completions only).
    `image_only_text`: stands in for the text of a user turn that has only images; "" sends none.
    """

    system_mode: SystemMode = "native"
    send_model_field: bool = False
    default_max_tokens: int | None = None
    limit_field: LimitField = "max_tokens"
    stream_usage: bool = False
    image_only_text: str = ""
    image_types: tuple[str, ...] = COMMON_IMAGE_TYPES
    max_images: int = 16
    max_image_bytes: int = 7 * MEGABYTE
    max_body_bytes: int = 18 * MEGABYTE


@dataclass(frozen=True, slots=True)
class Model:
    """One model on offer. `id` is unique in the interface; `name` is the provider's own; `context_window` in tokens.

    `output_limit`: tokens that an answer may have at most. `temperature`: sent when the request sets none.
    `extra`: further members of the request by name, sent as they are. `auth` overrides the scheme of its endpoint.
    """

    id: str
    name: str
    label: str
    dialect: DialectName
    description: str = ""
    sees_images: bool = False
    draws_images: bool = False
    streams: bool = False
    context_window: int | None = None
    output_limit: int | None = None
    temperature: float | None = None
    extra: tuple[tuple[str, Json], ...] = ()
    auth: AuthScheme | None = None
    quirks: Quirks = Quirks()

    def with_prepended_system(self) -> "Model":
        """The same model, its system text sent before the first user text: the answer to `SystemRefused`."""
        return replace(self, quirks=replace(self.quirks, system_mode="prepend"))

    def settled(self, wished: Parameters) -> Parameters:
        """What is sent: what was wished for, else the defaults of the model, and no more tokens than it can write."""
        limit = self.quirks.default_max_tokens if wished.max_tokens is None else wished.max_tokens
        if limit is not None and self.output_limit is not None:
            limit = min(limit, self.output_limit)
        return Parameters(self.temperature if wished.temperature is None else wished.temperature, limit)


@dataclass(frozen=True, slots=True)
class Vendor:
    """Who sells models: address, authentication, the models themselves. `{name}` in `path` is the model's name.

    `headers`: sent with every request, beside the usual ones. `stream_path`: where streams have an address of their
    own. `models_path`: where the endpoint lists its models; empty where it does not.
    """

    id: str
    label: str
    default_base_url: str
    key_env: str
    base_url_env: str
    models: tuple[Model, ...]
    auth: AuthScheme = "bearer"
    path: str = "/chat/completions"
    stream_path: str = ""
    models_path: str = "/models"
    headers: Headers = ()


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where and as whom to call. `auth` overrides the vendor's scheme where an operator needs the other one.

    `headers`: further ones, as secret as the key. `public_only`: refuse addresses that are not on the public internet.
    """

    base_url: str
    key: str = field(default="", repr=False)
    auth: AuthScheme | None = None
    headers: Headers = field(default=(), repr=False)
    public_only: bool = False

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must not be repeated in any text."""
        return (self.key, *(value for _name, value in self.headers if len(value) >= SHORTEST_SECRET))


@dataclass(frozen=True, slots=True)
class Prepared:
    """One HTTP request, ready to send. `headers` hold the key; `body` is the JSON value as sent."""

    method: str
    url: str
    headers: Headers = field(repr=False)
    body: Json = field(repr=False)

    @property
    def content(self) -> bytes:
        """The body's bytes; encoded anew on every access, so take it once."""
        return encode(self.body)


def encode(body: Json) -> bytes:
    """A JSON value as compact UTF-8; the same value gives the same bytes."""
    return json.dumps(body, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()


def url(vendor: Vendor, model: Model, endpoint: Endpoint) -> str:
    """The address of a model at an endpoint."""
    base = endpoint.base_url or vendor.default_base_url
    path = (vendor.stream_path if model.streams else "") or vendor.path
    return base.rstrip("/") + path.format(name=quote(model.name, safe="/"))


def auth_headers(vendor: Vendor, endpoint: Endpoint, model: Model | None = None) -> Headers:
    """The one header that carries the key. Raises NotConfigured for a key that is missing or unfit for a header."""
    scheme = (model and model.auth) or endpoint.auth or vendor.auth
    if scheme == "none":
        return ()
    key = endpoint.key.strip()
    if not key:
        raise NotConfigured(f"{vendor.key_env or 'The key'} is not set")
    if not (key.isascii() and key.isprintable() and " " not in key):
        raise NotConfigured(f"{vendor.key_env or 'The key'} holds characters that a key cannot have")
    return (("Authorization", f"Bearer {key}"),) if scheme == "bearer" else ((scheme, key),)
