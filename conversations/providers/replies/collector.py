"""What one reply has brought so far, whatever its shape: events to hand out, and how it ends. No I/O.

Readers tell the collector what they find; nothing here knows a wire format. A failure is kept, not raised, so that
no event in front of it is lost.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from conversations.providers.errors import (
    Blocked,
    BrokenStream,
    EmptyReply,
    NoImage,
    ProviderError,
    TooLarge,
    UnexpectedReply,
)
from conversations.providers.events import Event, Finished, ImageDelta, Omitted, ReasoningDelta, TextDelta
from conversations.providers.replies import outcomes
from conversations.providers.replies.censor import Censor
from conversations.providers.replies.pictures import Picture
from conversations.providers.replies.prose import Characters, PictureCutter, Piece, clean
from conversations.providers.replies.tally import Tally

MEBIBYTE = 1 << 20
LONGEST_SIGNATURE = MEBIBYTE
LONGEST_WORD = 60
MOST_OMISSIONS = 20
TOO_MANY = "more pictures than can be taken"


@dataclass(frozen=True, slots=True)
class Caps:
    """Limits of one reply. `body`: bytes of a whole body or of one event of a stream; `text`: bytes as UTF-8."""

    body: int = 32 * MEBIBYTE
    text: int = MEBIBYTE
    images: int = 8


DEFAULT_CAPS = Caps()


class Collector:
    """Gathers events in the order of the wire; `flush` and then `close` when nothing more can come."""

    def __init__(self, tally: Tally, caps: Caps, censor: Censor) -> None:
        self.tally, self.caps, self._censor = tally, caps, censor
        self.shape = ""
        self.failure: ProviderError | None = None
        self.finish = ""
        self.is_refused = False
        self.is_ended = False  # the reply has said that nothing more follows
        self.has_spoken = False  # a delta brought text, so a whole message after it only repeats it
        self.has_answer = False
        self.has_reasoning = False
        self.contents = 0  # how many events brought something to show
        self.readable = 0  # values that made sense
        self.unreadable = ""  # what the first of the others was
        self._blocked = ""
        self._block_message = ""
        self._events: list[Event] = []
        self._characters, self._cutter, self._thoughts = Characters(), PictureCutter(), Characters()
        self._text_left = caps.text
        self._images_left = caps.images
        self._omitted: set[str] = set()

    @property
    def held(self) -> int:
        """Characters of text held back."""
        return self._cutter.held

    def take(self) -> list[Event]:
        """The events since the last call."""
        events, self._events = self._events, []
        return events

    # What a reply can bring

    def text(self, text: str, signature: str = "") -> None:
        """Text of the answer. A signature belongs to exactly this text, so nothing is held back over its borders."""
        if signature:
            self._flush_prose()
        before = len(self._events)
        self._say(self._cutter.feed(self._characters.feed(text)))
        if signature:
            self._flush_prose()
            self._sign(before, signature)
        if self._cutter.held > self.caps.body:
            self.fail(TooLarge("a picture inside the text is too large"))

    def reasoning(self, text: str) -> None:
        """Text of the visible reasoning."""
        self._think(self._thoughts.feed(text))

    def picture(self, picture: Picture) -> None:
        """A picture, or the note that stands for one."""
        self._flush_prose()
        self._show(picture)

    def finished(self, word: str) -> None:
        """A finish reason; the last one that says anything counts."""
        if outcomes.is_said(word):
            self.finish = self._censor(word)[:LONGEST_WORD]

    def blocked(self, word: str, message: str = "") -> None:
        """The prompt was refused."""
        if outcomes.is_said(word):
            self._blocked, self._block_message = self._censor(word)[:LONGEST_WORD], self._censor(message)

    def not_read(self, what: str) -> None:
        """Something that nobody can read; it matters only where nothing else comes."""
        self.unreadable = self.unreadable or what

    def fail(self, error: ProviderError) -> None:
        """The reply is an error, or has become one; the first error counts."""
        if self.failure is None:
            self.failure = error

    # The end

    @property
    def is_over(self) -> bool:
        """Whether nothing that could still come matters."""
        return self.failure is not None or self.is_ended

    @property
    def is_complete(self) -> bool:
        """Whether the reply has come to an end of its own, be it a bad one."""
        return bool(self.is_over or self.finish or self._blocked)

    def flush(self) -> None:
        """Give out what was held back."""
        self._flush_prose()
        self._think(self._thoughts.flush())

    def close(self) -> Finished:
        """The verdict. Raises the ProviderError that this reply amounts to."""
        if self.failure:
            raise self.failure
        if self._blocked and not self.has_answer:
            raise Blocked(self._block_message or self._blocked)
        if self.has_answer:
            return self._answered()
        raise self._empty()

    def _answered(self) -> Finished:
        if not self.is_complete:
            raise BrokenStream("the reply ended in the middle")
        if self._blocked or self.is_refused:
            return Finished("filtered", self._blocked or self.finish)
        reason = outcomes.reason(self.finish) if self.finish else "complete"
        if reason != "other":
            return Finished(reason, self.finish)
        if self.shape.startswith("gemini"):
            raise UnexpectedReply(f"finish reason {self.finish}")
        return Finished("complete", self.finish)

    def _empty(self) -> ProviderError:
        if self.has_reasoning and not self.is_complete:
            return BrokenStream("the reply ended before the answer began")
        reason = outcomes.reason(self.finish) if self.finish else "complete"
        if reason == "truncated":
            return EmptyReply(f"the token limit was used up before the answer began ({self.finish})", token_limit=True)
        if reason == "filtered":
            return Blocked(self.finish)
        if reason == "no_image":
            return NoImage(self.finish)
        if reason == "other":
            return UnexpectedReply(f"finish reason {self.finish}")
        if self.unreadable and not self.readable:
            return UnexpectedReply(self.unreadable)
        return EmptyReply(self.finish)

    # Events

    def _flush_prose(self) -> None:
        self._say(self._cutter.feed(self._characters.flush()))
        self._say(self._cutter.flush())

    def _say(self, pieces: Iterable[Piece]) -> None:
        for piece in pieces:
            if isinstance(piece, str):
                self._add_text(piece)
            else:
                self._show(piece)

    def _add_text(self, text: str) -> None:
        if text := self._within_cap(text):
            self._events.append(TextDelta(text))
            self.contents += 1
            self.has_answer = self.has_answer or not text.isspace()

    def _think(self, text: str) -> None:
        if text := self._within_cap(text):
            self._events.append(ReasoningDelta(text))
            self.contents += 1
            self.has_reasoning = True

    def _within_cap(self, text: str) -> str:
        encoded = text.encode()
        if len(encoded) > self._text_left:
            text = encoded[: self._text_left].decode(errors="ignore")
            self._text_left = 0
            self.fail(TooLarge("the reply has more text than can be taken"))
        self._text_left -= min(len(encoded), self._text_left)
        return text

    def _show(self, picture: Picture) -> None:
        self.has_answer = True
        if isinstance(picture, Omitted):
            self._omit(clean(picture.what))
        elif self._images_left:
            self._images_left -= 1
            self._events.append(picture)
            self.contents += 1
        else:
            self._omit(TOO_MANY)

    def _omit(self, what: str) -> None:
        """Say once that something was left out."""
        if what not in self._omitted and len(self._omitted) < MOST_OMISSIONS:
            self._omitted.add(what)
            self._events.append(Omitted(what))
            self.contents += 1

    def _sign(self, before: int, signature: str) -> None:
        """Put a signature on the last event of its text; a part may hold nothing else, and it must be kept still."""
        if len(signature) > LONGEST_SIGNATURE:
            return
        signature = clean(signature)
        match self._events[before:]:
            case [*_, TextDelta() | ImageDelta() as last]:
                self._events[-1] = replace(last, signature=signature)
            case _:
                self._events.append(TextDelta("", signature))
