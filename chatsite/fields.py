"""Forms as browsers send them where no file was chosen: their fields, read in one go.

The composer can take pictures, so its form always comes as multipart/form-data (RFC 7578). Django reads such a body
piece by piece, as if it were large: a third of the calls that a send's request took. What is in any way unusual is left
to it.
"""

import re
from collections.abc import Mapping
from typing import Any, TypeAlias

from django.conf import settings
from django.core.handlers.asgi import ASGIRequest
from django.http import QueryDict
from django.utils.datastructures import MultiValueDict

Files: TypeAlias = "MultiValueDict[str, Any]"

SMALL = 1 << 16  # bytes
BOUNDARY = re.compile(r"[0-9A-Za-z'()+_,./:=?-]{1,70}")
# A text, or the place of a file where none was chosen, which Django takes for a text.
HEAD = re.compile(
    rb'\r\nContent-Disposition: form-data; name="([\w-]+)"(?:; filename=""\r\nContent-Type: application/octet-stream)?'
)


class Request(ASGIRequest):
    """A request whose small forms are read at once."""

    def parse_file_upload(
        self, META: Mapping[str, Any], post_data: Any
    ) -> "tuple[QueryDict, MultiValueDict[str, Any]]":
        if self.encoding is None and int(META.get("CONTENT_LENGTH") or SMALL) < SMALL:
            texts = read(self.body, (self.content_params or {}).get("boundary", ""))
            if texts is not None:
                return _as_post(texts), MultiValueDict()
            post_data = self._stream
        return super().parse_file_upload(META, post_data)


def read(body: bytes, boundary: str) -> list[tuple[str, str]] | None:
    """Names and texts in their order; None where the body is not whole, or holds anything else."""
    if not BOUNDARY.fullmatch(boundary):
        return None
    before, *parts = (b"\r\n" + body).split(b"\r\n--" + boundary.encode())
    after = parts.pop() if parts else b""
    if before or after not in (b"--", b"--\r\n") or len(parts) > settings.DATA_UPLOAD_MAX_NUMBER_FIELDS:
        return None
    texts: list[tuple[str, str]] = []
    for part in parts:
        head, end_of_head, text = part.partition(b"\r\n\r\n")
        found = HEAD.fullmatch(head)
        if not (found and end_of_head):
            return None
        texts.append((found[1].decode(), text.decode(errors="replace")))
    return texts


def _as_post(texts: list[tuple[str, str]]) -> QueryDict:
    post, lists = QueryDict(mutable=True), dict[str, list[str]]()
    for name, text in texts:
        lists.setdefault(name, []).append(text)
    for name, found in lists.items():
        post.setlist(name, found)
    post._mutable = False  # as Django's own
    return post
