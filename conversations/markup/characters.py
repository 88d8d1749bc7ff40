"""Which characters a page may hold, and how text stands between elements. Pure functions."""

import re
from html import escape

_UNFIT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


def fit(text: str) -> str:
    """The text with one kind of line end and without characters that no page may hold (replaced by U+FFFD)."""
    return _UNFIT.sub("\ufffd", text.replace("\r\n", "\n").replace("\r", "\n"))


def escaped(text: str) -> str:
    """Text between elements, written as the sanitiser writes it, so that its length is known before."""
    return escape(text, quote=False).replace("\u00a0", "&nbsp;")
