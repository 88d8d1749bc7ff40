"""Passwords that are refused beside the common ones: of words that belong to this site, and of known breaches."""

import hashlib
import os
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

PRODUCT = ("chatsite",)
SHORTEST = 4  # letters; shorter words stand in too many others
NO_NAMES = {"localhost", "www"}
DIGITS = 40  # of SHA-1, in hexadecimal


class SiteWords:
    """Refuses what holds a word that whoever knows the site would try first."""

    def validate(self, password: str, user: Any = None) -> None:
        for word in words():
            if word in password.lower():
                raise ValidationError(
                    _("The password holds “%(word)s”, which somebody who guesses would try first. Leave it out."),
                    code="password_of_the_site",
                    params={"word": word},
                )

    def get_help_text(self) -> str:
        return _("Your password can’t hold the name of this site or of your organisation.")


def words() -> list[str]:
    """The product, the names in the site's own address, CHATSITE_PASSWORD_WORDS."""
    host = (urlsplit(settings.CHATSITE_URL).hostname or "").split(".")[:-1]
    names = [name for name in host if not name.isdigit()]
    found = [*PRODUCT, *names, *settings.CHATSITE_PASSWORD_WORDS]
    return sorted({word.lower() for word in found if len(word) >= SHORTEST} - NO_NAMES)


class Breached:
    """Refuses what stands in CHATSITE_BREACHED_PASSWORDS: SHA-1 in hexadecimal at the beginning of each line, in order.

    That is how the lists of haveibeenpwned.com come. Nothing is loaded, and nobody is asked: a search by halves reads
    some forty places of the file.
    """

    def validate(self, password: str, user: Any = None) -> None:
        path = settings.CHATSITE_BREACHED_PASSWORDS
        if path and holds(Path(path), hashlib.sha1(password.encode(), usedforsecurity=False).hexdigest()):
            raise ValidationError(
                _("This password is known from a theft at another site. Choose one that you use nowhere else."),
                code="password_breached",
            )

    def get_help_text(self) -> str:
        return ""


def holds(path: Path, digest: str) -> bool:
    wanted = digest.upper().encode()
    with path.open("rb") as file:
        low, high = 0, file.seek(0, os.SEEK_END)  # the line begins at `low` or behind it, and before `high`
        while low < high:
            middle = (low + high) // 2
            found, end = _line_from(file, middle)
            if found == wanted:
                return True
            if found and found < wanted:
                low = end
            else:
                high = middle
    return False


def _line_from(file: Any, position: int) -> tuple[bytes, int]:
    """The digest of the first line that begins at `position` or behind it, and where that line ends."""
    file.seek(max(position - 1, 0))
    if position:
        file.readline()
    digest = file.readline()[:DIGITS].upper()
    return digest, file.tell()
