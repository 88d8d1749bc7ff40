"""Marked secrets, and the search for them in whatever was said: in clear, encoded, escaped, turned around. No I/O."""

import base64
import re
import secrets
import string
from collections.abc import Iterator
from dataclasses import dataclass, field

MARK = 8  # characters of a secret that are enough to know it by
SHORT = 12  # characters; a secret of fewer is looked for as a whole, among digits and letters that are not its own
ALPHABET = string.ascii_letters + string.digits
ODD = "+/=&\"'<%é"  # what addresses, JSON, HTML and forms write in other ways


def made(*, length: int = 40, odd: bool = False) -> str:
    """A secret that nothing else can hold."""
    letters = "".join(secrets.choice(ALPHABET) for _ in range(length))
    return letters + (ODD if odd else "")


def forms(secret: str) -> Iterator[bytes]:
    """How a part of a long one would look wherever it got to; nothing odd is in it, so most ways of writing keep it."""
    for mark in (secret[:MARK], secret[MARK : 2 * MARK]):
        raw = mark.encode()
        yield from (raw, raw[::-1], raw.hex().encode(), raw.hex().upper().encode())
        yield "".join(f"%{byte:02X}" for byte in raw).encode()
        yield from _in_base64(raw)


def _in_base64(raw: bytes) -> Iterator[bytes]:
    """Wherever it begins in what is encoded, three at a time; without the letters that its neighbours also make."""
    for before in range(3):
        whole = base64.b64encode(b"\0" * before + raw)
        first, end = (before * 8 + 5) // 6, (before + len(raw)) * 8 // 6
        yield whole[first:end]


@dataclass
class Search:
    """`secrets` by what they are; `allowed`: where one of them is handed to its owner, by its name."""

    secrets: dict[str, str] = field(default_factory=dict)
    allowed: dict[str, tuple[str, ...]] = field(default_factory=dict)
    said: list[tuple[str, bytes]] = field(default_factory=list)

    def make(self, name: str, *, length: int = 40, odd: bool = False) -> str:
        return self.knows(name, made(length=length, odd=odd))

    def knows(self, name: str, secret: str, *, handed_over_in: tuple[str, ...] = ()) -> str:
        self.secrets[name] = secret
        self.allowed[name] = handed_over_in
        return secret

    def hears(self, place: str, *what: str | bytes) -> None:
        self.said += [(place, one.encode() if isinstance(one, str) else one) for one in what]

    def found(self) -> list[str]:
        """What stands where it must not, as a sentence for each."""
        return sorted({line for name, secret in self.secrets.items() for line in self._found(name, secret)})

    def _found(self, name: str, secret: str) -> Iterator[str]:
        is_short = len(secret) < SHORT
        written = [secret.encode()] if is_short else list(forms(secret))
        alone = re.compile(rb"(?<![0-9A-Za-z])" + re.escape(secret.encode()) + rb"(?![0-9A-Za-z])")
        for place, data in self.said:
            for form in written:
                if form in data and not (is_short and not alone.search(data)) and not self._is_allowed(name, place):
                    at = data.index(form)
                    yield f"{name} in {place}: …{data[max(0, at - 40) : at]!r}"

    def _is_allowed(self, name: str, place: str) -> bool:
        return place.startswith(self.allowed[name] or "\0")
