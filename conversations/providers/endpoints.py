"""Endpoints of a known format whose address, key and models an administrator names: there are many of each kind."""

from conversations.providers.base import Vendor

OPENAI = Vendor(
    id="openai",
    label="OpenAI-compatible",
    default_base_url="",
    key_env="",
    base_url_env="",
    models=(),
)
# Streams have an address of their own; without `alt=sse` they come as one JSON array in pieces.
GEMINI = Vendor(
    id="gemini",
    label="Gemini",
    default_base_url="https://generativelanguage.googleapis.com/v1beta",
    key_env="",
    base_url_env="",
    models=(),
    auth="x-goog-api-key",
    path="/models/{name}:generateContent",
    stream_path="/models/{name}:streamGenerateContent?alt=sse",
    models_path="/models?pageSize=1000",
)
