"""Neutral values a provider receives: what was said, by whom. Frozen, no ids, no I/O; equal content is equal."""

from dataclasses import dataclass, field
from typing import Any, Literal

Role = Literal["user", "assistant"]


@dataclass(frozen=True, slots=True)
class TextPart:
    """A run of text. `signature` is the opaque thought signature that came with it, to be sent back unchanged."""

    text: str
    signature: str = ""


@dataclass(frozen=True, slots=True)
class ImagePart:
    """A picture: the bytes of one image file. `media_type` is a claim; dialects trust the first bytes instead."""

    media_type: str
    data: bytes = field(repr=False)
    signature: str = ""


Part = TextPart | ImagePart


@dataclass(frozen=True, slots=True)
class Turn:
    """What one side said in one go; `failed` marks a reply that ended in an error and is never sent back."""

    role: Role
    parts: tuple[Part, ...]
    failed: bool = False


@dataclass(frozen=True, slots=True)
class Parameters:
    """Sampling settings; None means "not set".

    `max_tokens`: tokens the model may generate, hidden reasoning included.
    """

    temperature: float | None = None
    max_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """One finished request in no provider's format: the last turn is the one to answer."""

    turns: tuple[Turn, ...]
    system: str = ""
    parameters: Parameters = Parameters()


Json = Any
"""A decoded JSON value at the edge; it never travels further in than a dialect."""
