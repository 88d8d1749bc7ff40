"""A request in no vendor's format: who said what, with pictures in their place. Pure functions, no I/O.

The bodies read here have passed `checks`, so their shape is certain.
"""

import base64
from dataclasses import dataclass, field, replace
from typing import Literal

from .reply import Json

Role = Literal["user", "assistant"]
LINK = "text/uri-list"


@dataclass(frozen=True, slots=True)
class Picture:
    """The bytes of one image file, or under the media type LINK the address of one."""

    media_type: str
    data: bytes = field(repr=False)

    @property
    def base64(self) -> str:
        return base64.b64encode(self.data).decode()

    @property
    def url(self) -> str:
        return self.data.decode() if self.media_type == LINK else f"data:{self.media_type};base64,{self.base64}"


Part = str | Picture


@dataclass(frozen=True, slots=True)
class Turn:
    role: Role
    parts: tuple[Part, ...]

    @property
    def text(self) -> str:
        return "\n\n".join(part for part in self.parts if isinstance(part, str))

    @property
    def pictures(self) -> tuple[Picture, ...]:
        return tuple(part for part in self.parts if isinstance(part, Picture))


@dataclass(frozen=True, slots=True)
class Talk:
    """`draws`: this model may answer with pictures. `max_tokens`: tokens of the answer, hidden reasoning included."""

    turns: tuple[Turn, ...]
    system: str = ""
    max_tokens: int | None = None
    draws: bool = False

    @property
    def last(self) -> Turn:
        return self.turns[-1]

    @property
    def pictures(self) -> tuple[Picture, ...]:
        return tuple(picture for turn in self.turns for picture in turn.pictures)

    def saying(self, text: str) -> "Talk":
        """The same talk whose last turn says `text`, its pictures kept."""
        parts = ((text,) if text.strip() else ()) + self.last.pictures
        return replace(self, turns=(*self.turns[:-1], replace(self.last, parts=parts)))


def from_openai(body: Json) -> Talk:
    """`messages` as a list of role and content, content a string or a list of parts."""
    system = [openai_turn(m).text for m in body["messages"] if m["role"] == "system"]
    turns = tuple(openai_turn(m) for m in body["messages"] if m["role"] != "system")
    limit = body.get("max_tokens") or body.get("max_completion_tokens")
    return Talk(turns=turns, system="\n\n".join(system), max_tokens=limit)


def openai_turn(message: Json) -> Turn:
    content = message["content"]
    parts = (content,) if isinstance(content, str) else tuple(openai_part(part) for part in content)
    return Turn("assistant" if message["role"] == "assistant" else "user", parts)


def openai_part(part: Json) -> Part:
    return str(part["text"]) if part["type"] == "text" else from_url(part["image_url"]["url"])


def from_url(url: str) -> Picture:
    if not url.startswith("data:"):
        return Picture(LINK, url.encode())
    media_type, data = url.removeprefix("data:").split(";base64,", 1)
    return Picture(media_type, base64.b64decode(data))


def from_gemini(body: Json, *, draws: bool) -> Talk:
    """`messages` as an object with `contents` and perhaps `system_instruction`."""
    messages = body["messages"]
    config = messages.get("generationConfig", {})
    return Talk(
        turns=tuple(gemini_turn(content) for content in messages["contents"]),
        system=messages.get("system_instruction", {}).get("parts", {}).get("text", ""),
        max_tokens=config.get("maxOutputTokens"),
        draws=draws and "IMAGE" in config.get("responseModalities", ["TEXT", "IMAGE"]),
    )


def gemini_turn(content: Json) -> Turn:
    return Turn("assistant" if content["role"] == "model" else "user", tuple(gemini_part(p) for p in content["parts"]))


def gemini_part(part: Json) -> Part:
    blob = part.get("inlineData")
    return Picture(blob["mimeType"], base64.b64decode(blob["data"])) if blob else str(part["text"])


@dataclass(frozen=True, slots=True)
class Asked:
    """A request that was accepted. `shape`: in which form its vendor answers unless another is asked for."""

    model: str
    talk: Talk
    shape: str
    include_usage: bool = False
