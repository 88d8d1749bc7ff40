"""Reads Gemini's GenerateContentResponse, whole or as one piece of a stream. No I/O.

JSON names come in camel case from Google and in snake case from some proxies. Every member may be missing: `content`
may hold only a role, `parts` may be absent whatever the finish reason says.
"""

from conversations.providers.events import Omitted
from conversations.providers.replies import pictures
from conversations.providers.replies.collector import Collector
from conversations.providers.replies.loose_json import items, pick, record, string
from conversations.providers.turns import Json

_MEMBERS = {"candidates", "promptFeedback", "prompt_feedback", "usageMetadata", "usage_metadata"}


def has_members(value: Json) -> bool:
    """Whether this is such a response, or a piece of one that holds only metadata."""
    return not _MEMBERS.isdisjoint(record(value))


def read(collector: Collector, reply: Json) -> None:
    """Text, thoughts, pictures, usage, and how it ended."""
    collector.shape = "gemini"
    collector.readable += 1
    collector.tally.gemini(reply)
    feedback = pick(reply, "promptFeedback", "prompt_feedback")
    collector.blocked(
        string(pick(feedback, "blockReason", "block_reason")),
        string(pick(feedback, "blockReasonMessage", "block_reason_message")),
    )
    candidate = next((one for one in items(pick(reply, "candidates")) if pick(one, "index") in (None, 0, "0")), None)
    content = pick(candidate, "content")
    for part in items(pick(content, "parts") if isinstance(content, dict) else content):
        _read_part(collector, part)
    collector.finished(string(pick(candidate, "finishReason", "finish_reason")))


def _read_part(collector: Collector, part: Json) -> None:
    """One part; those of tools, which were not offered, and unknown ones bring nothing."""
    if isinstance(part, str):
        collector.text(part)
        return
    text, signature = string(pick(part, "text")), string(pick(part, "thoughtSignature", "thought_signature"))
    if pick(part, "thought") is True:
        collector.reasoning(text)  # a picture among the thoughts is a draft of the one that follows
        return
    blob = pick(part, "inlineData", "inline_data")
    file = pick(part, "fileData", "file_data")
    if blob is not None:
        collector.picture(pictures.from_base64(string(pick(blob, "data")), signature))
    elif file is not None:
        address = string(pick(file, "fileUri", "file_uri"))
        collector.picture(Omitted(f"a linked file: {address[: pictures.LONGEST_LINK]}"))
    elif text or (signature and _is_only_signed(part)):
        collector.text(text, signature)


def _is_only_signed(part: Json) -> bool:
    """Whether a part holds nothing but its signature: it must be kept to be sent back. Tool calls are not kept."""
    return not any(name in record(part) for name in ("functionCall", "function_call", "executableCode", "toolCall"))
