"""Picture files that no row names: stored by a process that was killed before it could commit the row.

They are looked for page by page, in the order of their names. Whatever is younger than a day is left alone, and so is
what bears no name of ours.
"""

import re
import time
from collections.abc import Iterator

from django.core.files.storage import default_storage

from conversations.services import attachments

AFTER = 24 * 3600  # seconds for which a file need not be named
PAGE = 500  # files that are looked at in one go
NAME = re.compile(r"([0-9a-f]{2})/\1[0-9a-f]{62}(\.thumbnail)?\.(png|jpg|webp)")


def sweep(after: str = "", *, pages: int) -> tuple[int, str]:
    """Look at some pages of files behind this name; returns how many went, and where to go on, "" at the end."""
    removed = 0
    for _ in range(pages):
        strays, after = look(after)
        if strays:
            removed += len(attachments.remove_unnamed(strays))
        if not after:
            break
    return removed, after


def every() -> Iterator[str]:
    """All of them that are to be found at the moment; nothing is removed."""
    strays, after = look("")
    yield from strays
    while after:
        strays, after = look(after)
        yield from strays


def look(after: str) -> tuple[list[str], str]:
    """The strays of one page behind this name, and the last name of the page; "" where nothing came behind it."""
    page: list[tuple[str, float]] = default_storage.listed(after, PAGE)  # type: ignore[attr-defined] # both of ours can
    past = time.time() - AFTER
    old = [name for name, changed in page if changed < past and NAME.fullmatch(name)]
    return attachments.unnamed(old) if old else [], page[-1][0] if page else ""
