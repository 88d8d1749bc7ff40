"""Requests of Google's Gemini format: as Google takes it, and wrapped in `messages` as Segmind does. Pure.

Segmind's samples differ from Google's own interface in two places: `messages` is an object around `contents`, and
`system_instruction` is spelt in snake case with one object, not a list, as its `parts`.
"""

import base64
from typing import assert_never

from conversations.providers import normalise
from conversations.providers.base import Model
from conversations.providers.turns import ChatRequest, ImagePart, Json, Parameters, Part, TextPart, Turn

_ROLES = {"user": "user", "assistant": "model"}


def body(model: Model, request: ChatRequest) -> Json:
    """The whole request body for Google's own interface. Raises Rejected where no user turn is left to answer."""
    history = normalise.history(request, model, signatures=True)
    whole: dict[str, Json] = {"contents": [_content(turn) for turn in history.turns]}
    if history.system:
        whole["systemInstruction"] = {"parts": [{"text": history.system}]}
    # Without both, a model that draws answers 400 or with words alone; one that does not draw refuses the second.
    modalities = {"responseModalities": ["TEXT", "IMAGE"]} if model.draws_images else {}
    if config := modalities | _generation_config(model, request.parameters):
        whole["generationConfig"] = config
    return whole


def wrapped_body(model: Model, request: ChatRequest) -> Json:
    """The whole request body for Segmind. Raises Rejected where no user turn is left to answer."""
    history = normalise.history(request, model, signatures=True)
    messages: dict[str, Json] = {}
    if history.system:
        messages["system_instruction"] = {"parts": {"text": history.system}}
    messages["contents"] = [_content(turn) for turn in history.turns]
    if config := _generation_config(model, request.parameters):
        messages["generationConfig"] = config
    return {"messages": messages}


def _generation_config(model: Model, parameters: Parameters) -> dict[str, Json]:
    """Only what is configured: Segmind documents no such field."""
    settled = model.settled(parameters)
    config = {"temperature": settled.temperature, "maxOutputTokens": settled.max_tokens}
    return {name: value for name, value in config.items() if value is not None} | dict(model.extra)


def _content(turn: Turn) -> Json:
    return {"role": _ROLES[turn.role], "parts": [_part(part) for part in turn.parts]}


def _part(part: Part) -> Json:
    signature = {"thoughtSignature": part.signature} if part.signature else {}
    match part:
        case TextPart():
            return {"text": part.text} | signature
        case ImagePart():
            data = base64.b64encode(part.data).decode("ascii")
            return {"inlineData": {"mimeType": part.media_type, "data": data}} | signature
        case _:
            assert_never(part)
