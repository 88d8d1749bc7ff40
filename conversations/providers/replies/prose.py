"""Streamed text made fit to show: whole characters only, and no picture left inside as base64. No I/O.

Both classes are fed text in any pieces and hold back only what the next piece may still change.
"""

import re

from conversations.providers.events import ImageDelta, Omitted
from conversations.providers.replies import pictures

REPLACEMENT = "\ufffd"
_SURROGATE = re.compile("[\ud800-\udfff]")


class Characters:
    """Joins surrogate pairs that a server has cut in two; what cannot be stored becomes the replacement character."""

    def __init__(self) -> None:
        self._half = ""

    def feed(self, text: str) -> str:
        """The text that is certain now."""
        if text.isascii() and not self._half:
            return text.replace("\0", REPLACEMENT)
        text, self._half = self._half + text, ""
        if text and "\ud800" <= text[-1] <= "\udbff":
            text, self._half = text[:-1], text[-1]
        return clean(text)

    def flush(self) -> str:
        """What was held back, at the end of the text."""
        half, self._half = self._half, ""
        return clean(half)


def clean(text: str) -> str:
    """Text that any database and any encoding can hold; a surrogate pair becomes its character."""
    if _SURROGATE.search(text):
        text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text.replace("\0", REPLACEMENT)


# A Markdown image with a data URL: ![alt](data:image/png;base64,iVBO... "title"). The patterns called `_SO_FAR` match
# what may still become one. The limits keep short what is held back and bounded what is read again with each piece.
_OPENING = re.compile(r'!\[[^\]\n]{0,300}\]\(\s{0,8}<?(data:[^,()\s<>"]{0,100},)')
_OPENING_SO_FAR = re.compile(
    r'!(?:\[[^\]\n]{0,300}(?:\](?:\(\s{0,8}<?(?:d(?:a(?:t(?:a(?::[^,()\s<>"]{0,100})?)?)?)?)?)?)?)?\Z'
)
_AFTER_DATA = re.compile(r"[^A-Za-z0-9+/=_%-]")
_CLOSING = re.compile(r""">?\s{0,8}(?:"[^"\n]{0,200}"\s{0,8}|'[^'\n]{0,200}'\s{0,8})?\)""")
_CLOSING_SO_FAR = re.compile(r""">?\s{0,8}(?:"[^"\n]{0,200}(?:"\s{0,8})?|'[^'\n]{0,200}(?:'\s{0,8})?)?\Z""")
_LONGEST_QUOTE = 2000  # characters; an unreadable picture up to this length is text about pictures, and stays

Piece = str | ImageDelta | Omitted


class PictureCutter:
    """Takes Markdown images with data URLs out of text: gives the text around them and the pictures in their place."""

    def __init__(self) -> None:
        self._text = ""  # held back, may become an opening or a closing
        self._opening = ""  # of the image we are inside of, as it stood
        self._url = ""  # the head of its data URL
        self._data: list[str] = []
        self._size = 0  # characters of data
        self._is_closing = False

    @property
    def held(self) -> int:
        """Characters held back."""
        return len(self._text) + self._size

    def feed(self, text: str) -> list[Piece]:
        """The text and the pictures that are certain now, in their order."""
        if not self._opening and not self._text and "!" not in text:
            return [text] if text else []
        found: list[Piece] = []
        rest, self._text = self._text + text, ""
        while rest:
            rest = self._step(rest, found)
        return found

    def flush(self) -> list[Piece]:
        """What was held back, at the end of the text."""
        found = self._as_it_stood(pictures.CUT_OFF) if self._opening else []
        text, self._text = self._text, ""
        return [*found, text] if text else found

    def _step(self, text: str, found: list[Piece]) -> str:
        """Take what is certain off the text; gives the rest, "" where nothing is left or more must come first."""
        if not self._opening:
            return self._outside(text, found)
        return self._behind(text, found) if self._is_closing else self._inside(text)

    def _outside(self, text: str, found: list[Piece]) -> str:
        at = text.find("!")
        while at >= 0:
            if opening := _OPENING.match(text, at):
                self._opening, self._url = opening[0], opening[1]
                found.extend([text[:at]] if at else [])
                return text[opening.end() :]
            if _OPENING_SO_FAR.match(text, at):
                break
            at = text.find("!", at + 1)
        if at >= 0:
            text, self._text = text[:at], text[at:]
        found.extend([text] if text else [])
        return ""

    def _inside(self, text: str) -> str:
        end = _AFTER_DATA.search(text)
        data = text[: end.start()] if end else text
        self._data.append(data)
        self._size += len(data)
        self._is_closing = end is not None
        return text[len(data) :]

    def _behind(self, text: str, found: list[Piece]) -> str:
        if closing := _CLOSING.match(text):
            found.extend(self._cut(closing[0]))
            return text[closing.end() :]
        if _CLOSING_SO_FAR.match(text):
            self._text = text
            return ""
        found.extend(self._as_it_stood(pictures.UNREADABLE))
        return text

    def _cut(self, closing: str) -> list[Piece]:
        picture = pictures.from_url(self._url + "".join(self._data))
        if isinstance(picture, Omitted):
            return self._as_it_stood(picture.what, closing)
        self._reset()
        return [picture]

    def _as_it_stood(self, what: str, closing: str = "") -> list[Piece]:
        """The source of what is no picture, where it is short; a long one must never become text."""
        size = len(self._opening) + self._size
        source = self._opening + "".join(self._data) + closing if size <= _LONGEST_QUOTE else ""
        self._reset()
        return [source] if source else [Omitted(what)]

    def _reset(self) -> None:
        self._opening, self._url, self._data, self._size, self._is_closing = "", "", [], 0, False
