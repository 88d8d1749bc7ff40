"""Requests of the OpenAI chat completions format. Pure: the same request gives the same body.

Text-only messages have string content, because some servers take nothing else there. The format has no image in an
assistant message: pictures the assistant drew go into the next user message, before that user's own.
"""

import base64
from collections.abc import Iterable

from conversations.providers import normalise
from conversations.providers.base import Model
from conversations.providers.turns import ChatRequest, ImagePart, Json, Parameters, TextPart, Turn

IMAGE_PLACEHOLDER = "[image]"


def body(model: Model, request: ChatRequest) -> Json:
    """The whole request body. Raises Rejected where no user turn is left to answer."""
    history = normalise.history(request, model, signatures=False)
    system = [{"role": "system", "content": history.system}] if history.system else []
    named = {"model": model.name} if model.quirks.send_model_field else {}
    return named | {"messages": system + _messages(history.turns)} | _settings(model, request.parameters)


def _settings(model: Model, parameters: Parameters) -> dict[str, Json]:
    """Only what is configured: some servers document no other field than the messages."""
    settled = model.settled(parameters)
    settings: dict[str, Json] = {"temperature": settled.temperature, model.quirks.limit_field: settled.max_tokens}
    if model.streams:
        settings["stream"] = True
        settings["stream_options"] = {"include_usage": True} if model.quirks.stream_usage else None
    return {name: value for name, value in settings.items() if value is not None} | dict(model.extra)


def _messages(turns: Iterable[Turn]) -> list[Json]:
    """`turns` alternate, so that what a reply drew reaches exactly one user message."""
    messages: list[Json] = []
    drawn: list[ImagePart] = []
    for turn in turns:
        if turn.role == "assistant":
            messages.append({"role": "assistant", "content": _text(turn) or IMAGE_PLACEHOLDER})
            drawn = _images(turn)
        else:
            messages.append({"role": "user", "content": _user_content(turn, drawn)})
    return messages


def _user_content(turn: Turn, drawn: list[ImagePart]) -> Json:
    text, own = _text(turn), _images(turn)
    if not drawn and not own:
        return text
    labels = [text] if text else []
    if drawn:
        labels.append(_about_drawn(len(drawn)))
    return [{"type": "text", "text": label} for label in labels] + [_image_part(image) for image in (*drawn, *own)]


def _about_drawn(count: int) -> str:
    if count == 1:
        return "(The first image attached here is the assistant's earlier output.)"
    return f"(The first {count} images attached here are the assistant's earlier output.)"


def _image_part(image: ImagePart) -> Json:
    data = base64.b64encode(image.data).decode("ascii")
    return {"type": "image_url", "image_url": {"url": f"data:{image.media_type};base64,{data}"}}


def _text(turn: Turn) -> str:
    return normalise.BREAK.join(part.text for part in turn.parts if isinstance(part, TextPart))


def _images(turn: Turn) -> list[ImagePart]:
    return [part for part in turn.parts if isinstance(part, ImagePart)]
