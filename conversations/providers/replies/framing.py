"""Where one piece of a stream ends and the next begins, over raw bytes: lines, server-sent events, a JSON array.

No I/O. Every byte is looked at once, however the input is cut. Nothing here knows what the pieces mean.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from conversations.providers.replies.loose_json import Unreadable, loads

END_MARK = "[DONE]"
_FIELDS = (b"data", b"event", b"error")
_LONGEST_NAME = max(map(len, _FIELDS))


@dataclass(slots=True)
class ServerEvent:
    """One event; `name` is "" where the server gives none."""

    name: str
    data: str

    def take(self) -> str:
        """The data, kept by nobody else from now on: it may be a picture of many megabytes."""
        data, self.data = self.data, ""
        return data


class Lines:
    """Splits bytes at CR, LF and CRLF only: 0x85, which ends a line in Latin-1, may be half of a letter."""

    def __init__(self) -> None:
        self._held = bytearray()
        self._after_cr = False

    @property
    def held(self) -> bytearray:
        """The line whose end has not come."""
        return self._held

    def feed(self, data: bytes) -> Iterator[bytearray]:
        """The lines that end in `data`, without their ends; the caller owns them."""
        if self._after_cr and data[:1] == b"\n":
            data = data[1:]
            self._after_cr = False
        if data:
            self._after_cr = data.endswith(b"\r")
        for line in data.splitlines(keepends=True):
            if not self._held and line.endswith((b"\r", b"\n")):
                yield bytearray(line.rstrip(b"\r\n"))  # nearly all lines come whole
                continue
            self._held += line
            if line.endswith((b"\r", b"\n")):
                yield self._line()

    def flush(self) -> Iterator[bytearray]:
        """The last line, where it lacks its end."""
        if self._held:
            yield self._line()

    def _line(self) -> bytearray:
        line, self._held = self._held, bytearray()
        while line.endswith((b"\r", b"\n")):
            del line[-1]
        return line


class Events:
    """The event stream of WHATWG's HTML, forgiving in one respect: data that came is never dropped for its framing.

    So events count without a blank line between them, at the very end also without a line end; llama.cpp's `error:`
    lines count as events of that name, and a bare JSON object on a line counts as data.
    """

    def __init__(self) -> None:
        self._lines = Lines()
        self._name = ""
        self._data: list[str] = []
        self._size = 0

    @property
    def pending(self) -> int:
        """Bytes of the unfinished event; comments do not count."""
        held = self._lines.held
        return self._size + (0 if held.startswith(b":") else len(held))

    @property
    def held(self) -> int:
        """Bytes kept in memory."""
        return self._size + len(self._lines.held)

    def feed(self, data: bytes) -> Iterator[ServerEvent]:
        """The events that end in `data`."""
        for line in self._lines.feed(data):
            if line.startswith(b"data:") and not self._data:
                self._add(_decoded(line, len(b"data:")))  # nearly all fields are the only one of their event
            else:
                yield from self._take(line)

    def flush(self) -> Iterator[ServerEvent]:
        """What was held back, at the end of the stream."""
        for line in self._lines.flush():
            yield from self._take(line)
        yield from self._dispatch()

    def _take(self, line: bytearray) -> Iterator[ServerEvent]:
        if not line:
            yield from self._dispatch()
        elif line.startswith(b"{"):
            yield ServerEvent("", _decoded(line, 0))
        else:
            name = bytes(line[: _LONGEST_NAME + 1].partition(b":")[0])
            yield from self._take_field(name, line)

    def _take_field(self, name: bytes, line: bytearray) -> Iterator[ServerEvent]:
        """One field; those with other names, comments among them, say nothing."""
        if name not in _FIELDS:
            return
        value = _decoded(line, len(name) + 1)
        if name == b"event":
            self._name = value
        elif name == b"error":
            yield from self._dispatch()
            yield ServerEvent("error", value)
        else:
            if self._starts_anew(value):
                yield from self._dispatch()
            self._add(value)

    def _add(self, value: str) -> None:
        self._data.append(value)
        self._size += len(value)

    def _starts_anew(self, value: str) -> bool:
        """Whether a data line begins another event although no blank line came before it."""
        if not self._data or not value.startswith(("{", END_MARK)) or not self._data[-1].rstrip().endswith("}"):
            return False
        try:
            loads("\n".join(self._data))
        except Unreadable:
            return False
        return True

    def _dispatch(self) -> Iterator[ServerEvent]:
        name, data = self._name, self._data
        self._name, self._data, self._size = "", [], 0
        if data:
            yield ServerEvent(name, data.pop() if len(data) == 1 else "\n".join(data))


def _decoded(line: bytearray, start: int) -> str:
    """A field's value. The line is used up: an event may be a picture of many megabytes, and one copy is enough."""
    del line[:start]
    if start and line.startswith(b" "):
        del line[:1]
    value = line.decode(errors="replace")
    line.clear()
    return value


_OUTSIDE = re.compile(rb'["\[\]{},]')
_INSIDE = re.compile(rb'["\\]')


class Elements:
    """The elements of one JSON array that arrives in pieces: Gemini's stream without `alt=sse`, pretty-printed."""

    def __init__(self) -> None:
        self._held = bytearray()
        self._depth = 0  # of brackets and braces; 1 is inside the array itself
        self._in_string = False
        self._after_backslash = False
        self.is_closed = False

    @property
    def held(self) -> int:
        """Bytes of the unfinished element."""
        return len(self._held)

    def feed(self, data: bytes) -> Iterator[str]:
        """The elements that end in `data`, as JSON. What follows the end of the array is ignored."""
        at = kept = 0
        while not self.is_closed:
            if self._after_backslash and at < len(data):
                self._after_backslash = False
                at += 1
            found = (_INSIDE if self._in_string else _OUTSIDE).search(data, at)
            if not found:
                self._held += data[kept:]
                return
            at = found.end()
            ends_element, is_part = self._turn(found[0])
            if ends_element:
                self._held += data[kept : at if is_part else found.start()]
                kept = at
                yield from self.flush()
            elif not is_part:
                kept = at

    def flush(self) -> Iterator[str]:
        """The element that was held back, where there is one."""
        held, self._held = self._held, bytearray()
        if held.strip():
            yield held.decode(errors="replace")

    def _turn(self, mark: bytes) -> tuple[bool, bool]:
        """Follow one character of structure: whether an element ends here, and whether the character is part of it."""
        if mark == b"\\":
            self._after_backslash = True
        elif mark == b'"':
            self._in_string = not self._in_string
        elif mark in b"[{":
            self._depth += 1
            return False, self._depth > 1
        elif mark in b"]}":
            self._depth -= 1
            self.is_closed = self._depth < 1
            return self._depth < 2, self._depth > 0
        else:
            return self._depth < 2, self._depth > 1
        return False, True
