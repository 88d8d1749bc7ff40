"""What becomes of the pieces of a reply when it ends: parts, neighbours of a kind as one, with their HTML."""

from collections.abc import Callable, Sequence
from itertools import groupby
from typing import NamedTuple

from django.db import connection

from conversations.models import Part, rows
from conversations.models.message import Kind

Render = Callable[[str], tuple[str, int]]
"""Text -> its HTML and the version of the renderer that made it."""


class _Piece(NamedTuple):
    sequence: int
    kind: str
    text: str
    attachment: int | None
    signature: str


def fold(primary_key: int, render: Render | None, *, is_first_run: bool) -> list[Part]:
    """Turn the pieces of a reply that has ended into parts, behind those of its earlier runs; returns all its parts."""
    pieces = _take_pieces(primary_key)
    earlier = [] if is_first_run else list(Part.objects.filter(message=primary_key).order_by("position"))
    if not pieces:
        return earlier
    fresh: list[Part] = []
    for (kind, attachment), run in groupby(pieces, key=lambda piece: (piece.kind, piece.attachment)):
        fresh += _parts_of(kind, attachment, list(run))
    for position, part in enumerate(fresh, start=earlier[-1].position + 1 if earlier else 0):
        part.message_id, part.position = primary_key, position
    grown = _cache_html([*earlier, *fresh], render)
    if changed := [part for part in grown if part.pk]:
        Part.objects.bulk_update(changed, ["html", "markup_version"])
    for part in fresh:
        rows.insert(part)
    return [*earlier, *fresh]


def _take_pieces(primary_key: int) -> list[_Piece]:
    """Remove the pieces of a reply, and return them in their order."""
    with connection.cursor() as cursor:
        cursor.execute(_TAKE, [primary_key])
        return sorted(map(_Piece._make, cursor.fetchall()))


_TAKE = """
    DELETE FROM conversations_piece WHERE message_id = %s RETURNING sequence, kind, text, attachment_id, signature
"""


def _cache_html(parts: Sequence[Part], render: Render | None) -> list[Part]:
    """Texts with nothing but signatures or reasoning between them are one text: the first carries the HTML of all.

    Changes and returns the first parts of those texts that have new parts; without a renderer their HTML is forgotten.
    """
    grown: list[Part] = []
    for kind, run in groupby((part for part in parts if part.kind != Kind.REASONING), key=lambda part: part.kind):
        texts = list(run)
        if kind == Kind.TEXT and texts[-1].pk is None:
            first = texts[0]
            first.html, first.markup_version = render("".join(part.text for part in texts)) if render else ("", 0)
            grown.append(first)
    return grown


def _parts_of(kind: str, attachment: int | None, run: list[_Piece]) -> list[Part]:
    """One part for a run of pieces of a kind; a thought signature closes the text it came on."""
    if kind == Kind.IMAGE:
        return [Part(kind=kind, attachment_id=attachment, signature=piece.signature) for piece in run]
    parts, texts = [], []
    for piece in run:
        texts.append(piece.text)
        if piece.signature:
            parts.append(Part(kind=kind, text="".join(texts), signature=piece.signature))
            texts = []
    if texts:
        parts.append(Part(kind=kind, text="".join(texts)))
    return parts
