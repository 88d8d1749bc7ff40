"""Stored history made fit to send: cleaned, merged, alternating, within the limits. Pure functions, no format.

The result starts and ends with a user turn, its roles alternate, no text in it is blank, and every image is of a
type the model takes. Inside this module `None` among the parts of a turn marks a paragraph break: text on either
side is joined by a blank line, while text with nothing in between is joined as it stands.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import assert_never

from conversations.providers import images
from conversations.providers.base import MEGABYTE, Model, Quirks, encode
from conversations.providers.errors import Rejected
from conversations.providers.turns import ChatRequest, ImagePart, Part, Role, TextPart, Turn

BREAK = "\n\n"
_Pieces = tuple[Part | None, ...]

# What a dialect writes around content, rounded up: keys, quotes, a data URL's head, or the note that replaces an image.
_REQUEST_OVERHEAD, _TURN_OVERHEAD, _PART_OVERHEAD = 1024, 256, 256


@dataclass(frozen=True, slots=True)
class History:
    """`system` is stripped, "" for none. User turns hold at most one text, first; assistant turns keep their order."""

    system: str
    turns: tuple[Turn, ...]


@dataclass(frozen=True, slots=True)
class _Draft:
    role: Role
    pieces: _Pieces


def history(request: ChatRequest, model: Model, *, signatures: bool) -> History:
    """The turns of a request as `model` may see them; `signatures`: the dialect sends thought signatures back.

    Raises Rejected when the last turn that is left is not a user's.
    """
    drafts = [_draft(turn, model, signatures) for turn in request.turns if not turn.failed]
    merged = _alternating(draft for draft in drafts if _says_something(draft))
    system = clean(request.system).strip()
    limited = _within_limits(merged, system, model.quirks)
    turns = tuple(_arranged(draft, model.quirks) for draft in limited)
    if system and model.quirks.system_mode == "prepend":
        return History("", (_prepended(system, turns[0]), *turns[1:]))
    return History(system, turns)


def omits_pictures(request: ChatRequest, model: Model) -> bool:
    """Whether a note stands in the place of some picture of this request. Raises as `history` does."""
    given = _count_pictures(turn for turn in request.turns if not turn.failed)
    return given > 0 and _count_pictures(history(request, model, signatures=False).turns) < given


def _count_pictures(turns: Iterable[Turn]) -> int:
    return sum(isinstance(part, ImagePart) for turn in turns for part in turn.parts)


def clean(text: str) -> str:
    """Text without lone surrogates, which UTF-8 cannot carry; halves that form a pair become their character."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def omission(reason: str) -> str:
    """The note that stands in the text where an image was left out."""
    return f"[image omitted: {reason}]"


def _note(reason: str) -> _Pieces:
    return (None, TextPart(omission(reason)), None)


# One turn: clean text, images of a known type


def _draft(turn: Turn, model: Model, signatures: bool) -> _Draft:
    keep = signatures and turn.role == "assistant"
    return _Draft(turn.role, tuple(piece for part in turn.parts for piece in _vetted(part, model, keep)))


def _vetted(part: Part, model: Model, keep_signature: bool) -> _Pieces:
    signature = clean(part.signature) if keep_signature else ""
    match part:
        case TextPart():
            return (TextPart(clean(part.text), signature),)
        case ImagePart():
            found = images.media_type(part.data)
            reason = _unusable(part.data, found, model)
            return _note(reason) if reason else (ImagePart(found or "", part.data, signature),)
        case _:
            assert_never(part)


def _unusable(data: bytes, media_type: str | None, model: Model) -> str:
    """Why an image cannot be sent whatever else is sent; "" when it can."""
    if not model.sees_images:
        return "this model cannot see images"
    if media_type is None:
        return "not a known image format"
    if media_type not in model.quirks.image_types:
        return f"{media_type} is not supported"
    if len(data) > model.quirks.max_image_bytes:
        return f"larger than {model.quirks.max_image_bytes / MEGABYTE:g} MB"
    return ""


def _says_something(draft: _Draft) -> bool:
    return any(isinstance(piece, ImagePart) or (piece is not None and piece.text.strip()) for piece in draft.pieces)


# All turns: roles alternate, the user begins and ends


def _alternating(drafts: Iterable[_Draft]) -> list[_Draft]:
    merged = [_Draft(role, tuple(_with_breaks(same))) for role, same in groupby(drafts, key=lambda draft: draft.role)]
    if merged and merged[0].role == "assistant":
        del merged[0]
    if not merged or merged[-1].role != "user":
        raise Rejected("There is no user message to answer.")
    return merged


def _with_breaks(drafts: Iterable[_Draft]) -> Iterator[Part | None]:
    for draft in drafts:
        yield from draft.pieces
        yield None


# Limits: the newest images stay


@dataclass(slots=True)
class _Allowance:
    """What may still be sent: a number of images, and bytes of the encoded body."""

    quirks: Quirks
    images: int
    room: int

    def refusal(self, image: ImagePart) -> str:
        """Why there is no place for this image, or "" after taking its place. One refused image ends the room."""
        size = _size(image)
        if self.images < 1:
            return f"only the newest {self.quirks.max_images} images are sent"
        if size > self.room:
            self.room = 0
            return "the request would be too large"
        self.images -= 1
        self.room -= size
        return ""


def _within_limits(drafts: Sequence[_Draft], system: str, quirks: Quirks) -> list[_Draft]:
    room = quirks.max_body_bytes - _REQUEST_OVERHEAD - _text_size(system) - _size_without_images(drafts, quirks)
    allowance = _Allowance(quirks, quirks.max_images, room)
    newest_first = [replace(draft, pieces=_allowed(draft.pieces, allowance)) for draft in reversed(drafts)]
    return newest_first[::-1]


def _allowed(pieces: _Pieces, allowance: _Allowance) -> _Pieces:
    newest_first: list[Part | None] = []
    for piece in reversed(pieces):
        reason = allowance.refusal(piece) if isinstance(piece, ImagePart) else ""
        newest_first.extend(_note(reason) if reason else (piece,))
    return tuple(reversed(newest_first))


def _size_without_images(drafts: Iterable[_Draft], quirks: Quirks) -> int:
    each_turn = _TURN_OVERHEAD + _text_size(quirks.image_only_text)
    return sum(each_turn + sum(_size_as_text(piece) for piece in draft.pieces) for draft in drafts)


def _size_as_text(piece: Part | None) -> int:
    if piece is None:
        return len(BREAK) * 2
    if isinstance(piece, ImagePart):
        return _PART_OVERHEAD
    return _PART_OVERHEAD + _text_size(piece.text) + _text_size(piece.signature)


def _size(image: ImagePart) -> int:
    return (len(image.data) + 2) // 3 * 4 + _text_size(image.signature)


def _text_size(text: str) -> int:
    return len(encode(text))


# The finished turn


def _arranged(draft: _Draft, quirks: Quirks) -> Turn:
    if draft.role == "assistant":
        return Turn("assistant", tuple(_in_order(draft.pieces)))
    pictures = tuple(piece for piece in draft.pieces if isinstance(piece, ImagePart))
    texts = _paragraphs(piece if isinstance(piece, TextPart) else None for piece in draft.pieces)
    stand_in = (TextPart(quirks.image_only_text),) if quirks.image_only_text else ()
    return Turn("user", (*(texts or stand_in), *pictures))


def _in_order(pieces: _Pieces) -> Iterator[Part]:
    for is_image, run in groupby(pieces, key=lambda piece: isinstance(piece, ImagePart)):
        if is_image:
            yield from (piece for piece in run if piece is not None)
        else:
            yield from _paragraphs(piece if isinstance(piece, TextPart) else None for piece in run)


def _paragraphs(pieces: Iterable[TextPart | None]) -> list[TextPart]:
    """Text parts with their breaks written out; fewest parts, but a signed part is never joined with another."""
    joined: list[TextPart] = []
    for is_break, run in groupby(pieces, key=lambda piece: piece is None):
        if not is_break:
            _append_paragraph(joined, _runs(piece for piece in run if piece is not None))
    return joined


def _runs(parts: Iterable[TextPart]) -> list[TextPart]:
    """Neighbours without a signature joined as they stand; blank ones without a signature left out."""
    runs: list[TextPart] = []
    for part in parts:
        if runs and not runs[-1].signature and not part.signature:
            runs[-1] = TextPart(runs[-1].text + part.text)
        else:
            runs.append(part)
    return [part for part in runs if part.signature or part.text.strip()]


def _append_paragraph(joined: list[TextPart], paragraph: list[TextPart]) -> None:
    if not joined or not paragraph:
        joined.extend(paragraph)
        return
    last, first = joined[-1], paragraph[0]
    if not last.signature and not first.signature:
        joined[-1] = TextPart(last.text + BREAK + first.text)
        joined.extend(paragraph[1:])
    elif not last.signature:
        joined[-1] = TextPart(last.text + BREAK)
        joined.extend(paragraph)
    else:
        joined.extend(paragraph if first.signature else [TextPart(BREAK + first.text), *paragraph[1:]])


def _prepended(system: str, turn: Turn) -> Turn:
    """A user turn whose text begins with the system text."""
    match turn.parts:
        case (TextPart() as first, *rest):
            return replace(turn, parts=(TextPart(system + BREAK + first.text), *rest))
        case _:
            return replace(turn, parts=(TextPart(system), *turn.parts))
