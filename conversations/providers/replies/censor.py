"""Provider texts made fit to store and show: no keys, no markup pages, one short line. Pure.

The text stays hostile: whoever shows it escapes it.
"""

import base64
import re
from collections.abc import Iterator
from urllib.parse import quote

from conversations.providers.replies.prose import clean

LONGEST = 500
CUT = "[...]"
_LONGEST_READ = 4000
_WINDOW = 8  # characters of a key that are too many to show
_LOOKS_SECRET = (
    re.compile(r"(?i)\b([a-z][a-z0-9+.-]{1,20}://)[^\s/@]{1,400}@"),
    re.compile(r"(?i)([?&;](?:[a-z_-]*(?:key|token|secret|signature|sig|password)|auth)=)[^\s&#\"'<>]+"),
    re.compile(r"(?i)\b((?:bearer|basic)\s+)[^\s\"',;]{6,}"),
    re.compile(r"(?i)((?:api[-_ ]?key|authorization|access[-_ ]?token|secret)[\"']?\s*[:=]\s*[\"']?)[^\s\"',;]{6,}"),
    re.compile(r"()\b(?:sk|pk|rk|key|SG|hf|gsk|xai|AIza|ghp)[-_]?(?=[A-Za-z0-9_-]*\d)[A-Za-z0-9_-]{12,}"),
    re.compile(r"()\beyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_.-]+"),
    re.compile(r"()\b[0-9a-fA-F]{32,}\b"),
    re.compile(r"()(?=[A-Za-z0-9_-]*\d)[A-Za-z0-9_-]{40,}"),
)


class Censor:
    """Cuts the given secrets, and whatever looks like one, out of texts. `repr` shows nothing of them."""

    __slots__ = ("_forms",)

    def __init__(self, secrets: tuple[str, ...] = ()) -> None:
        self._forms = tuple(form for secret in secrets if secret for form in _forms(secret))

    def __call__(self, text: str) -> str:
        """At most 500 characters on one line."""
        text = clean(text[:_LONGEST_READ])
        text = "".join(character if character.isprintable() else " " for character in text)
        for form in self._forms:
            text = _without(text, form)
        for pattern in _LOOKS_SECRET:
            text = pattern.sub(rf"\1{CUT}", text)
        return " ".join(text.split())[:LONGEST]


def _forms(secret: str) -> Iterator[str]:
    """The ways in which an error may repeat a key: as it is, reversed, in an address, in base64 at any offset."""
    yield secret
    yield secret[::-1]
    yield quote(secret, safe="")
    for offset in range(3):
        yield base64.b64encode(b"\0" * offset + secret.encode()).decode().rstrip("=")[offset + 1 : -1]


def _without(text: str, secret: str) -> str:
    """Cut out the secret, and every run of 8 of its characters where it is longer than that."""
    window = min(_WINDOW, len(secret))
    shown = [text[at : at + window] in secret for at in range(len(text) - window + 1)]
    if not any(shown):
        return text
    kept: list[str] = []
    hidden_to = 0
    for at, character in enumerate(text):
        if at < len(shown) and shown[at]:
            if at >= hidden_to:
                kept.append(CUT)
            hidden_to = at + window
        if at >= hidden_to:
            kept.append(character)
    return "".join(kept)
