"""Segmind: three models under /v1/<model>, the key in `x-api-key`, whole replies. Checks and reading; no I/O."""

from collections.abc import Mapping

from . import checks
from .cases import NO_SYSTEM
from .errors import Refused
from .reply import Json
from .settings import Settings
from .talk import Asked, from_gemini, from_openai

CHAT = "gemini-2.5-flash"
DRAWING = "gemini-2-flash-image-generation"
MODELS = (CHAT, DRAWING, "gemini-1.5-pro")


def key_of(headers: Mapping[str, str], settings: Settings) -> str:
    """The key as it was sent, blank without one. Bearer counts only where the settings say so."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    bearer = token.strip() if scheme.lower() == "bearer" and settings.accept_bearer else ""
    return headers.get("x-api-key", "") or bearer


def read(model: str, body: Json, settings: Settings) -> Asked:
    """The request to one of MODELS. Raises Refused."""
    if model == CHAT:
        checks.form("segmind-openai-request", body)
        checks.openai_pictures(body, "google")
        return Asked(model, from_openai(body), "openai")
    checks.form("segmind-gemini-request", body)
    refuse_as_google(model, body["messages"], settings)
    return Asked(model, from_gemini(body, draws=model == DRAWING), "gemini")


def refuse_as_google(model: str, messages: Json, settings: Settings) -> None:
    """What the model behind the gateway would not take; worded in Google's form."""
    checks.alternating([content["role"] for content in messages["contents"]])
    checks.gemini_pictures(messages["contents"], signed=settings.require_signatures)
    if model == DRAWING and settings.refuse_system and "system_instruction" in messages:
        raise Refused(400, NO_SYSTEM.format(model=model), "google")
    modalities = messages.get("generationConfig", {}).get("responseModalities", [])
    if model != DRAWING and "IMAGE" in modalities:
        raise Refused(400, "Multi-modal output is not supported by this model.", "google")
