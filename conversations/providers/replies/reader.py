"""The one tolerant reader: tells from a JSON value which shape it has. No I/O.

The request format is known for each model; the reply's is not. Segmind documents none for one of its models, and for
the others clients have seen Gemini's, OpenAI's, Anthropic's, and objects with one telling member.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from conversations.providers.errors import ProviderError, Unavailable
from conversations.providers.replies import chat, failures, gemini, pictures
from conversations.providers.replies.censor import Censor
from conversations.providers.replies.collector import Collector
from conversations.providers.replies.loose_json import items, pick, record, string
from conversations.providers.turns import Json

_TEXTS = ("response", "text", "content")
_PICTURES = ("image", "images", "image_url")
_EITHER = ("output", "outputs", "data")
_WRAPPERS = ("response", "output", "result", "data")
_SENTENCES = ("message", "detail", "title")
_MOST_KEYS = 10
DEEPEST = 2  # wrappers around a reply


@dataclass(frozen=True, slots=True)
class Context:
    """What reading an error needs besides the error: header names in lower case, and the time."""

    headers: Mapping[str, str]
    censor: Censor
    now: datetime

    def error(self, value: Json) -> ProviderError:
        """The error that a value amounts to, which can only be one."""
        return failures.as_error(value, self.headers, self.censor, self.now)

    def error_in(self, value: Json) -> ProviderError | None:
        """The error that a value is although the status was 2xx, or None."""
        return failures.in_reply(value, self.headers, self.censor, self.now)


def read(collector: Collector, value: Json, context: Context) -> None:
    """Everything one value brings. An error inside it takes effect after what stands beside it."""
    if isinstance(value, list):
        for one in value:
            read(collector, one, context)
        return
    if chat.read_text(collector, value):
        return
    choice = chat.first_choice(value)
    error = context.error_in(value) or (choice and context.error_in(choice))
    if not error or choice:
        _read_reply(collector, value, context, depth=0)
    if error:
        collector.shape = collector.shape or "error"
        collector.fail(error)
    elif collector.finish == "error":
        collector.fail(Unavailable("the provider reported an error"))


def _read_reply(collector: Collector, value: Json, context: Context, depth: int) -> None:
    members = record(value)
    if gemini.has_members(value):
        gemini.read(collector, value)
    elif "choices" in members:
        chat.read(collector, value)
    elif wrapped := [members[name] for name in _WRAPPERS if depth < DEEPEST and _is_reply(members.get(name))]:
        _read_reply(collector, wrapped[0], context, depth + 1)
    elif any(name in members for name in (*_TEXTS, *_PICTURES, *_EITHER)):
        _read_members(collector, members)
    elif chat.is_chunk(value):
        chat.read(collector, value)
    else:
        _read_unknown(collector, value, context)


def _is_reply(value: Json) -> bool:
    known = ("choices", *_TEXTS, *_PICTURES, *_EITHER)
    return gemini.has_members(value) or any(name in record(value) for name in known)


def _read_members(collector: Collector, members: dict[str, Json]) -> None:
    """An object with one telling member: its text, or its pictures."""
    collector.readable += 1
    collector.tally.chat(members)
    texts = [members[name] for name in _TEXTS if members.get(name)]
    collector.shape = "anthropic" if texts and isinstance(texts[0], list) else "members"
    chat.read_content(collector, texts[0] if texts else None)
    for name in _PICTURES:
        for one in items(members.get(name)):
            chat.show(collector, one)
    for name in _EITHER:
        for one in items(members.get(name)):
            read_either(collector, one)
    collector.finished(string(pick(members, "stop_reason", "finish_reason")))


def read_either(collector: Collector, value: Json) -> None:
    """A value without any label that may be a text, a link, or a picture in base64."""
    if not isinstance(value, str):
        _read_either_object(collector, value)
    elif value.startswith(("https://", "http://", "data:")) and not any(map(str.isspace, value)):
        collector.picture(pictures.from_url(value))
    elif pictures.is_base64(value):
        collector.picture(pictures.from_base64(value))
    else:
        collector.text(value)


def _read_either_object(collector: Collector, value: Json) -> None:
    if pick(value, "url", "b64_json", "image_url") is not None:
        chat.show(collector, value)
    else:
        chat.read_content(collector, pick(value, "content") or value)


def _read_unknown(collector: Collector, value: Json, context: Context) -> None:
    """Nothing that could be an answer: a lone sentence is an error, of all else only the members' names are told."""
    if any(string(pick(value, name)) for name in _SENTENCES) or items(pick(value, "detail")):
        collector.shape = collector.shape or "error"
        collector.fail(context.error(value))
        return
    names = ", ".join(list(record(value))[:_MOST_KEYS]) if isinstance(value, dict) else type(value).__name__
    collector.not_read(context.censor(f"a reply of an unknown shape: {names}"))
