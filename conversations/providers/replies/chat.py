"""Reads chat completions, whole and streamed, from OpenAI and from the servers that imitate it. No I/O.

Every member may be missing, null, or of another type. Where a quirk is handled, the comment names who has it.
"""

from typing import Any

from conversations.providers.replies import pictures
from conversations.providers.replies.collector import Collector
from conversations.providers.replies.loose_json import items, pick, record, string
from conversations.providers.turns import Json

# DeepSeek and older vLLM, OpenRouter and newer vLLM, a few others; some send two of them with the same text.
_REASONING = ("reasoning_content", "reasoning", "reasoning_text")
_MEMBERS = frozenset(("id", "object", "created", "model", "system_fingerprint", "service_tier", "choices", "usage"))
_MEMBERS_OF_CHOICE = frozenset(("index", "delta", "finish_reason", "logprobs"))
_MEMBERS_OF_DELTA = frozenset(("role", "content"))


def read_text(collector: Collector, value: Json) -> bool:
    """Take a chunk that brings some text and nothing else, as nearly all of a stream do; False for any other value.

    It only saves time: what it does `read` does, too.
    """
    text = _lone_text(value)
    if text is None:
        return False
    collector.shape = "openai"
    collector.readable += 1
    before = collector.contents
    collector.text(text)
    collector.has_spoken = collector.has_spoken or collector.contents > before or collector.held > 0
    return True


def _lone_text(value: Any) -> str | None:
    try:
        (choice,) = value["choices"]
        delta = choice["delta"]
        text = delta["content"]
        brings_more = value.get("usage") or choice.get("finish_reason") or choice["index"] != 0
    except (TypeError, KeyError, ValueError, AttributeError):
        return None
    is_known = value.keys() <= _MEMBERS and choice.keys() <= _MEMBERS_OF_CHOICE and delta.keys() <= _MEMBERS_OF_DELTA
    return text if is_known and not brings_more and isinstance(text, str) else None


def read(collector: Collector, reply: Json) -> None:
    """One completion, or one chunk of a stream. `choices` may be empty: first (Azure), in the middle, or last."""
    collector.shape = "openai"
    collector.readable += 1
    collector.tally.chat(reply)
    choice = first_choice(reply)
    _read_choice(collector, choice)
    collector.finished(string(pick(choice, "finish_reason")))


def speak(collector: Collector, message: Json) -> None:
    """What a message or a delta holds."""
    if isinstance(message, str):
        collector.text(message)
        return
    _think(collector, message)
    read_content(collector, pick(message, "content"))
    for image in items(pick(message, "images")):  # OpenRouter, Vercel's gateway
        show(collector, image)
    if refusal := string(pick(message, "refusal")):
        _refuse(collector, refusal)


def read_content(collector: Collector, content: Json) -> None:
    """Content as a string, or as a list of parts (Mistral, Anthropic); unknown parts are skipped."""
    for part in items(content):
        _read_part(collector, part)


def first_choice(reply: Json) -> Json:
    """The first answer; other answers to the same question, which nobody asked for, are left out."""
    choices = items(pick(reply, "choices"))
    return next((choice for choice in choices if pick(choice, "index") in (None, 0, "0")), None)


def _read_choice(collector: Collector, choice: Json) -> None:
    delta, message = pick(choice, "delta"), pick(choice, "message")
    if delta:
        before = collector.contents
        speak(collector, delta)
        collector.has_spoken = collector.has_spoken or collector.contents > before or collector.held > 0
    elif message is not None:
        if not collector.has_spoken:
            speak(collector, message)
    else:
        collector.text(string(pick(choice, "text")))  # the older completions


def _think(collector: Collector, message: Json) -> None:
    for name in _REASONING:
        if said := string(pick(message, name)):
            collector.reasoning(said)
            return
    for detail in items(pick(message, "reasoning_details")):
        collector.reasoning(string(pick(detail, "text", "summary")))


def _read_part(collector: Collector, part: Json) -> None:
    if isinstance(part, str):
        collector.text(part)
        return
    match pick(part, "type"):
        case "text" | "output_text" | None:
            collector.text(_text(pick(part, "text")))
        case "thinking" | "reasoning":
            for thought in items(pick(part, "thinking", "reasoning", "text")):
                collector.reasoning(_text(thought))
        case "refusal":
            _refuse(collector, string(pick(part, "refusal")))
        case "image_url" | "image" | "output_image":
            show(collector, part)
        case _:
            pass


def _text(value: Json) -> str:
    return value if isinstance(value, str) else string(pick(value, "text", "value"))


def _refuse(collector: Collector, refusal: str) -> None:
    """A refusal is shown like any answer, and the reply counts as filtered."""
    if refusal:
        collector.text(refusal)
        collector.is_refused = True


def show(collector: Collector, image: Json) -> None:
    """An image part: its address in an object or by itself, or bare base64."""
    holder = pick(image, "image_url", "imageUrl", "source") or image
    url = holder if isinstance(holder, str) else string(pick(holder, "url", "data", "b64_json"))
    collector.picture(pictures.from_url(url) if url else pictures.from_bytes(b""))


def is_chunk(value: Json) -> bool:
    """Whether this is a chat completion or a piece of one, be it only usage or cost."""
    members = record(value)
    names_itself = string(members.get("object")).startswith("chat.completion")
    return names_itself or any(isinstance(members.get(name), dict) for name in ("usage", "meta"))
