"""Pictures in replies: base64, data URLs and links become ImageDelta or Omitted. Pure; nothing is ever fetched."""

import binascii
import io
import re
from urllib.parse import unquote

from conversations.providers import images
from conversations.providers.events import ImageDelta, Omitted

UNREADABLE = "a picture that cannot be read"
CUT_OFF = "a picture that was cut off"
LONGEST_LINK = 500
_HEAD = 64  # characters of base64 that show more than enough of a file to know its type
_PLAIN = re.compile("[A-Za-z0-9+/]*={0,2}")
_SLICE = 1 << 20  # characters that are decoded at once; whole groups of four
_URL_SAFE = str.maketrans("-_", "+/")

Picture = ImageDelta | Omitted


def from_base64(data: str, signature: str = "") -> Picture:
    """The picture behind bare base64; a data URL in its place is understood, too. Any stated type is ignored."""
    if data.startswith("data:"):
        return from_url(data, signature)
    return from_bytes(_decoded(data), signature)


def from_url(url: str, signature: str = "") -> Picture:
    """The picture inside a data URL. A link is only named: following it would let a reply choose whom we call."""
    if url.startswith(("https://", "http://")):
        return Omitted(f"a linked picture: {url[:LONGEST_LINK]}")
    if not url.startswith("data:"):
        return from_bytes(_decoded(url), signature)
    comma = url.find(",")
    if comma < 0 or not url.endswith(";base64", 0, comma):
        return Omitted(UNREADABLE)
    is_quoted = "%" in url
    return from_bytes(_decoded(unquote(url[comma + 1 :])) if is_quoted else _decoded(url, comma + 1), signature)


def from_bytes(data: bytes, signature: str = "") -> Picture:
    """An image file as it is; its type comes from the first bytes."""
    media_type = images.media_type(data)
    return ImageDelta(media_type, data, signature) if media_type else Omitted(UNREADABLE)


def is_base64(text: str) -> bool:
    """Whether a string without any label is a picture in base64."""
    return images.media_type(_decoded(text[:_HEAD])) is not None


def _decoded(data: str, start: int = 0) -> bytes:
    """The bytes of base64 in either alphabet, with or without padding and line breaks; b"" where it is none.

    Tens of megabytes are decoded slice by slice: no second copy of the text is made.
    """
    if not _PLAIN.fullmatch(data, start):
        return _decoded_at_once(data[start:].translate(_URL_SAFE))
    pieces = io.BytesIO()
    for at in range(start, len(data), _SLICE):
        piece = _decoded_at_once(data[at : at + _SLICE])
        if not piece:
            return b""
        pieces.write(piece)
    return pieces.getvalue()


def _decoded_at_once(data: str) -> bytes:
    for padding in ("", "=="):
        try:
            return binascii.a2b_base64(data + padding)
        except ValueError:
            continue
    return b""
