"""Lines → finished top-level blocks, each as soon as no later line can change it, at a cost linear in the text. No I/O.

A block is finished when a complete line has begun the next one, or when it cannot go on (heading, rule, closed fence).
What happens depends on the sequence of lines alone, never on how the text was cut into pieces.
"""

import re
from collections import ChainMap, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from markdown_it.token import Token

from conversations.markup import delimiters, limits, notes
from conversations.markup.characters import fit
from conversations.markup.parser import Env, TooMuch, parse_blocks

References = dict[str, dict[str, Any]]

_PLAIN_BLOCK = 16_000  # characters of a block beyond the limits
_FREE_WASTE = 100_000  # units of work that may be spent in vain before it is measured against the whole
_BEGINS_BLOCK = re.compile(
    r"[ ]{0,3}(?:\#{1,6}[ \t\n] | \$\$ | \\\[ | \[\^ | > | `{3} | ~{3} | [-+*][ \t\n] | [0-9]{1,9}[.)][ \t\n]"
    r" | [-_*](?:[ \t]*[-_*]){2,}[ \t]*\n | (?:=+|-+)[ \t]*\n | [-:|][-:| \t]+\n)",
    re.VERBOSE,
)
_BULLET = re.compile(r"[-+*](?=[ \t\n])")
_NUMBER = re.compile(r"[0-9]{1,9}([.)])(?=[ \t\n])")


@dataclass(frozen=True, slots=True)
class Block:
    """A finished part of a text: its tokens (inlines not parsed yet) and its source, with the empty lines after it.

    Without tokens it holds only definitions or empty lines. `is_plain`: beyond the limits, to be shown as written.
    """

    source: str
    tokens: list[Token] = field(default_factory=list)
    is_plain: bool = False


@dataclass(slots=True)
class Open:
    """The block that is still being written: its lines (with any before it that are in no block) and what it is.

    `first`: its first token as far as it is known, `start`: the line of that; `fence`: the same token while it is a
    fence that waits for its end.
    """

    lines: list[str] = field(default_factory=list)
    start: int = 0
    work: int = 0
    depth: int = 0
    was_parsed: bool = False
    first: Token | None = None
    fence: Token | None = None

    def cost(self, line: str) -> tuple[int, int]:
        """What another line may cost in units, and its depth; code in a fence is only copied."""
        return (len(line) // 8 + 20, 0) if self.fence else limits.work(line, self.depth)

    def add(self, line: str, work: int, depth: int) -> None:
        self.lines.append(line)
        self.work += work
        self.depth = max(self.depth, depth)

    def may_end_before(self, line: str, is_after_blank: bool) -> bool:
        """Whether this line could begin another block. A wrong no only makes the block end later."""
        if not self.was_parsed:
            return True
        kind = self.first.type if self.first else ""
        indent = len(line) - len(line.lstrip(" "))
        if kind == "code_block":
            return indent < 4
        if delimiters.is_open(self.first) and not is_after_blank:
            return delimiters.ends(line, self.first)
        if not is_after_blank and not _BEGINS_BLOCK.match(line):
            return False
        if self.first and kind in ("bullet_list_open", "ordered_list_open"):
            return indent < 2 and _item_marker(line[indent:]) != self.first.markup
        return is_after_blank or kind != "blockquote_open" or not line.startswith(">", indent)


class Scanner:
    """Takes a text in pieces, gives its blocks. `references`: link targets defined so far, for all blocks."""

    def __init__(self) -> None:
        self.references: References = {}
        self.open = Open()
        self.is_spent = False
        self.parsed = 0  # characters given to the parser, in all
        self._partial: list[str] = []
        self._notes = 0
        self._is_after_blank = False
        self._work = 0
        self._wasted = 0

    def feed(self, text: str) -> Iterator[Block]:
        """Yield the blocks that the new text finishes; `references` then holds what is defined up to each one's end."""
        complete, end, rest = text.rpartition("\n")
        if not end:
            self._partial.append(rest)
            return
        lines = fit("".join((*self._partial, complete, end))).split("\n")[:-1]
        self._partial = [rest]
        for number, line in enumerate(lines):
            if self.is_spent:
                yield from self._take_plain(lines[number:])
                return
            yield from self._take(line + "\n")

    def finish(self) -> Iterator[Block]:
        """Yield what is left: the text has ended."""
        if any(self._partial):
            yield from self.feed("\n")
        yield from self._split_plain() if self.is_spent else self._split(is_end=True)

    def open_text(self) -> str:
        """The text that is in no finished block, with the last line, which may still grow."""
        return "".join(self.open.lines) + self._last_line()

    def open_work(self) -> int:
        """What it may cost to render that, in units."""
        return self.open.work + self.open.cost(self._last_line())[0]

    def fenced(self, fence: Token) -> str:
        """The code in the open fence so far, without the beginning of a line that may become its end."""
        opener, *lines = self.open.lines[self.open.start :]
        last = self._last_line()
        if last.strip(" \t" + fence.markup[0]):
            lines.append(last)
        indent = len(opener) - len(opener.lstrip(" "))
        return "".join(line[:indent].lstrip(" ") + line[indent:] for line in lines)

    def _last_line(self) -> str:
        self._partial = ["".join(self._partial)]
        return fit(self._partial[0])

    def _take(self, line: str) -> Iterator[Block]:
        work, depth = self.open.cost(line)
        self._work += work
        if self._work > limits.MAX_WORK:
            yield from self._split(is_end=True)
            self.is_spent = True
            yield from self._take_plain([line[:-1]])
            return
        may_end = self._may_end(line)
        self.open.add(line, work, depth)
        self._is_after_blank = _is_blank(line)
        if may_end:
            yield from self._split()

    def _take_plain(self, lines: list[str]) -> Iterator[Block]:
        for line in lines:
            self.open.lines.append(line + "\n")
            self.open.work += len(line) + 1
            if self.open.work > _PLAIN_BLOCK:
                yield from self._split_plain()

    def _may_end(self, line: str) -> bool:
        if self.open.fence:
            return closes(line, self.open.fence)
        is_affordable = self._wasted + self.open.work <= _FREE_WASTE + self._work
        return is_affordable and not _is_blank(line) and self.open.may_end_before(line, self._is_after_blank)

    def _split(self, is_end: bool = False) -> Iterator[Block]:
        """Parse the open text; yield all blocks but the last, and that too where no line can change it any more."""
        lines = self.open.lines
        env: Env = {"references": ChainMap({}, self.references)} if self.references else {}
        text = "".join(lines)
        self.parsed += len(text)
        self._work += limits.BLOCK
        try:
            tokens = parse_blocks(text, env, self.open.work)
        except TooMuch:
            yield from self._split_plain()
            return
        starts = [index for index, token in enumerate(tokens) if token.level == 0 and token.nesting >= 0]
        begins = [_span(tokens[start])[0] for start in starts]
        last = tokens[starts[-1]] if starts else None
        if is_end or (last and _is_complete(last, lines)):
            begins.append(len(lines))
        self._keep(begins[-1] if len(begins) > 1 else 0, last)
        targets = _definitions(env)
        done = 0
        for start, stop, end in zip(starts, [*starts[1:], None], begins[1:], strict=False):
            self._define(targets, end)
            yield Block("".join(lines[done:end]), tokens[start:stop])
            done = end
        if is_end and done < len(lines):
            self._define(targets, len(lines))
            yield Block("".join(lines[done:]))

    def _split_plain(self) -> Iterator[Block]:
        lines, self.open = self.open.lines, Open()
        if lines:
            yield Block("".join(lines), is_plain=True)

    def _keep(self, begin: int, last: Token | None) -> None:
        """Leave open what starts with a line: the last block, or nothing."""
        before, self.open = self.open, Open()
        if begin == 0:
            self._wasted += before.work
        if begin == len(before.lines):
            return
        for line in before.lines[begin:]:
            self.open.add(line, *self.open.cost(line))
        self.open.was_parsed = True
        self.open.first = last
        self.open.start = _span(last)[0] - begin if last else 0
        is_open_fence = last is not None and last.type == "fence" and not _is_closed(last, before.lines)
        self.open.fence = last if is_open_fence else None

    def _define(self, targets: deque[tuple[str, dict[str, Any]]], end: int) -> None:
        """Take over the definitions that end before a line. Later ones must not be seen yet: whether they are known
        at this point depends on how the text was cut."""
        while targets and targets[0][1]["map"][1] <= end:
            label, target = targets.popleft()
            if notes.is_key(label):
                self._notes += 1
                target["number"] = self._notes
            self.references[label] = target


def closes(line: str, fence: Token) -> bool:
    """Whether a line inside a fence is the end of it."""
    bare = line.lstrip(" ")
    has_end = len(line) - len(bare) < 4 and bare.startswith(fence.markup)
    return has_end and not bare.rstrip(" \t\n").strip(fence.markup[0])


def _definitions(env: Env) -> deque[tuple[str, dict[str, Any]]]:
    """The link targets that were defined in this text, in its order."""
    found = env.get("references", {})
    return deque((found.maps[0] if isinstance(found, ChainMap) else found).items())


def _is_complete(last: Token, lines: list[str]) -> bool:
    """Whether the last block ends with the last line for good."""
    if _span(last)[1] < len(lines):
        return False
    return (
        last.type in ("heading_open", "hr")
        or delimiters.is_closed(last)
        or (last.type == "fence" and _is_closed(last, lines))
    )


def _is_closed(fence: Token, lines: list[str]) -> bool:
    begin, end = _span(fence)
    return end < len(lines) or (end - begin > 1 and closes(lines[-1], fence))


def _span(token: Token) -> tuple[int, int]:
    begin, end = token.map or (0, 0)
    return begin, end


def _item_marker(line: str) -> str:
    if bullet := _BULLET.match(line):
        return bullet[0]
    number = _NUMBER.match(line)
    return number[1] if number else ""


def _is_blank(line: str) -> bool:
    return not line.strip(" \t\n")
