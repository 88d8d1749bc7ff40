"""How a reply may end, by the word the provider uses for it. Pure.

Gemini's words are documented, chat completions' too; servers that imitate either mix them and write them small.
"""

from typing import Literal

from conversations.providers.events import Reason

_REASONS: dict[Reason, tuple[str, ...]] = {
    "complete": ("STOP", "END_TURN", "STOP_SEQUENCE", "EOS", "EOS_TOKEN", "COMPLETE", "DONE"),
    "truncated": ("MAX_TOKENS", "LENGTH", "MAX_OUTPUT_TOKENS", "MODEL_LENGTH"),
    "filtered": (
        "SAFETY",
        "RECITATION",
        "BLOCKLIST",
        "PROHIBITED_CONTENT",
        "SPII",
        "LANGUAGE",
        "IMAGE_SAFETY",
        "IMAGE_PROHIBITED_CONTENT",
        "IMAGE_RECITATION",
        "MODEL_ARMOR",
        "CONTENT_FILTER",
        "REFUSAL",
    ),
    "no_image": ("NO_IMAGE", "IMAGE_OTHER"),
}
_BY_WORD: dict[str, Reason] = {word: reason for reason, words in _REASONS.items() for word in words}
_NOT_SAID = ("", "FINISH_REASON_UNSPECIFIED", "BLOCK_REASON_UNSPECIFIED", "NULL", "NONE")


def is_said(word: str) -> bool:
    """Whether a finish or block reason says anything: some servers write "" where others write null."""
    return word.upper() not in _NOT_SAID


def reason(word: str) -> Reason | Literal["other"]:
    """What a finish reason means; "other" for tool calls, malformed answers and words nobody knows."""
    return _BY_WORD.get(word.upper(), "other")
