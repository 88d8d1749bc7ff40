"""Which addresses may be links, where they lead, and whether a link's text claims another place. Pure functions."""

import re
import unicodedata
from collections.abc import Iterator

from markdown_it.common.normalize_url import normalizeLink

MAX_ADDRESS = 2048  # characters
MAX_AUTHORITY = 64  # characters of one that is not in the form it may stand in a page; encoding takes their square

# Browsers read `\`, `%2e`, `user@` and white space in an authority in their own ways; none of it matches here, so what
# this module calls the host is the host for everybody.
_HOST = r"(?:[a-z0-9][a-z0-9._-]*|\[[0-9a-f:.]+\])"
_REST = r"[!#-;=?-\[\]_a-z~]*"
_WEB = re.compile(rf"https?://({_HOST})(?::[0-9]{{1,5}})?(?:[/?#]{_REST})?", re.IGNORECASE | re.ASCII)
_MAIL = re.compile(rf"mailto:([a-z0-9.!#$&'*+/=_~-]+@({_HOST}))(?:\?{_REST})?", re.IGNORECASE | re.ASCII)
_AUTHORITY = re.compile(r"([a-z]+:/*)([^/?#]*)", re.IGNORECASE | re.ASCII)

_WORD = re.compile(r"[\w.-]+")
_AFTER_SCHEME = re.compile(r":[/\\]+")
_PATH = re.compile(r"[/\\?#:]")
_IPV4 = re.compile(r"[0-9]{1,3}(?:\.[0-9]{1,3}){3}", re.ASCII)


def canonical(raw: str) -> str:
    """The address as it may stand in a link (ASCII, at most MAX_ADDRESS characters), or "" where it may not.

    A reference into the page (`#part`) is kept as it is: its text is shown, but it leads nowhere.
    """
    if len(raw) > MAX_ADDRESS:
        return ""
    if raw.startswith("#") or host(raw):
        return raw
    parts = _AUTHORITY.match(raw)
    if parts is None or len(parts[2]) > MAX_AUTHORITY:
        return ""
    authority = unicodedata.normalize("NFKC", parts[2].lower())
    if any(unicodedata.category(char)[0] in "CZ" for char in authority):
        return ""
    address = normalizeLink(parts[1] + authority + raw[parts.end() :])
    return address if host(address) else ""


def host(address: str) -> str:
    """The host of a web address or the domain of a mail address, in lower case; "" for everything else."""
    web = _WEB.fullmatch(address)
    if web:
        return web[1].lower().rstrip(".")
    mail = _MAIL.fullmatch(address)
    return mail[2].lower() if mail else ""


def place(address: str) -> str:
    """What to show people as the place a link leads to: the host, or the whole mail address."""
    mail = _MAIL.fullmatch(address)
    return mail[1] if mail else host(address)


def is_disguised(text: str, address: str) -> bool:
    """Whether the text of a link names a host, and that is not where the link leads."""
    real = _without_www(host(address))
    return any(_without_www(name) != real for chunk in _visible(text).split() for name in _hosts_in(chunk, real))


def _hosts_in(chunk: str, real: str) -> Iterator[str]:
    """Yield what looks like a host in a run without white space. After the real host everything is only a path."""
    scheme = _AFTER_SCHEME.search(chunk)
    start = _PATH.split(chunk[scheme.end() :] if scheme else chunk, maxsplit=1)[0]
    if _without_www(start) == real:
        return
    if scheme and start:
        yield start
    for word in _WORD.findall(chunk):
        if _looks_like_host(name := word.strip(".-_")):
            yield name


def _looks_like_host(name: str) -> bool:
    labels = name.split(".")
    is_named = len(labels) > 1 and all(labels) and len(labels[-1]) > 1 and not labels[-1].isdigit()
    return is_named or _IPV4.fullmatch(name) is not None


def _visible(text: str) -> str:
    """The text as a person reads it: compatibility forms unified, invisible characters gone, lower case."""
    unified = unicodedata.normalize("NFKC", text).replace("\u3002", ".")
    return "".join(char for char in unified if unicodedata.category(char) != "Cf").casefold()


def _without_www(name: str) -> str:
    return name.removeprefix("www.")
