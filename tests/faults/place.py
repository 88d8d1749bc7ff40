"""The reply that is damaged, as steps of a byte server, and the four places where it is."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.wire.byteserver import LAST_CHUNK, Script, Step, chunk, head

WORDS = tuple(f"wö{number} " for number in range(1, 13))
TEXT = "".join(WORDS)
BEFORE, EVENT, MIDDLE, END = "before the headers", "inside an event", "inside the text", "before the end"
PLACES = (BEFORE, EVENT, MIDDLE, END)


def event(value: Any) -> bytes:
    return f"data: {json.dumps(value, ensure_ascii=False)}\n\n".encode()


def delta(text: str) -> bytes:
    return event({"choices": [{"index": 0, "delta": {"content": text}}]})


HEAD = head(content_type="text/event-stream", Transfer_Encoding="chunked")
DELTAS = tuple(delta(word) for word in WORDS)
USAGE = event({"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 12}})
STOP = event({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
DONE = b"data: [DONE]\n\n"
ENDING = (chunk(STOP), chunk(USAGE), chunk(DONE), LAST_CHUNK)
GOOD: tuple[Step, ...] = (HEAD, *map(chunk, DELTAS), *ENDING)
CUT_AT = 6  # deltas that are whole in front of a fault in the middle


@dataclass(frozen=True, slots=True)
class Place:
    """Where a reply is damaged: what has been sent by then, what would follow, and the text that is sure to be there.

    `content`: the bytes of the body sent so far, without their framing.
    """

    name: str
    sent: tuple[bytes, ...]
    rest: tuple[Step, ...]
    text: str
    content: bytes

    @property
    def is_in_body(self) -> bool:
        return bool(self.sent)

    def wrapped(self, data: bytes) -> bytes:
        """The bytes as they would be sent here: in a chunk, where there are chunks."""
        return chunk(data) if self.is_in_body else data


def _within(name: str, mark: bytes) -> Place:
    """In the middle of a delta, behind this mark."""
    torn = DELTAS[CUT_AT]
    at = torn.index(mark) + len(mark)
    whole = DELTAS[:CUT_AT]
    return Place(
        name,
        sent=(HEAD, *map(chunk, whole), chunk(torn[:at])),
        rest=(chunk(torn[at:]), *map(chunk, DELTAS[CUT_AT + 1 :]), *ENDING),
        text="".join(WORDS[:CUT_AT]),
        content=b"".join(whole) + torn[:at],
    )


ALL: tuple[Place, ...] = (
    Place(BEFORE, sent=(), rest=GOOD, text="", content=b""),
    _within(EVENT, b'"choices"'),
    _within(MIDDLE, "wö".encode()[:-1]),  # inside the two bytes of one letter
    Place(END, sent=(HEAD, *map(chunk, DELTAS)), rest=ENDING, text=TEXT, content=b"".join(DELTAS)),
)


@dataclass(frozen=True, slots=True)
class Fault:
    """A way to break. `is_heavy`: tried alone, with an eye on memory; `keeps`: the text so far is to be shown."""

    name: str
    script: Callable[[Place], Script]
    is_heavy: bool = False
    keeps: bool = True
