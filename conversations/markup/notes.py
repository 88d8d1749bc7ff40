"""Footnotes: `[^label]` in the text, `[^label]: …` where the note stands. Rules for the parser, no I/O.

Notes stay where they were written and are numbered in their order; a mark is a number in brackets, not a link: links
need ids, and no text may choose an id of a page that shows many texts.
"""

import re
from typing import Any

from markdown_it.rules_block import StateBlock
from markdown_it.rules_inline import StateInline

INDENT = 4
_LABEL = re.compile(r"\[\^([^\s\[\]^`]{1,40})\]")
_KEY = "\n"  # before the label of a note among the labels of links, none of which holds an end of line


def key(label: str) -> str:
    """Under which name a note is kept among the link targets of a text."""
    return _KEY + label.upper()


def is_key(name: str) -> bool:
    return name.startswith(_KEY)


def mark(references: dict[str, Any], label: str) -> str:
    """What stands for a note in the text: its number, or its label while it has none."""
    return f"[{references.get(key(label), {}).get('number', label)}]"


def definition(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """A note with all that is indented below it; at the top level only."""
    if state.sCount[start] - state.blkIndent >= INDENT:
        return False
    begin = state.bMarks[start] + state.tShift[start]
    label = _LABEL.match(state.src, begin, state.eMarks[start])
    if label is None or state.src[label.end() : label.end() + 1] != ":":
        return False
    if silent:
        return state.level == 0 or state.sCount[start] < state.blkIndent
    if state.level:
        return False
    references = state.env.setdefault("references", {})
    if key(label[1]) not in references:
        references[key(label[1])] = {"title": "", "href": "", "map": [start, start + 1]}
    _push(state, start, end, label)
    return True


def reference(state: StateInline, silent: bool) -> bool:
    """The mark of a note that is defined somewhere in the text; else it is only text."""
    label = _LABEL.match(state.src, state.pos, state.posMax) if state.src[state.pos] == "[" else None
    references = state.env.get("references", {})
    if label is None or key(label[1]) not in references:
        return False
    if not silent:
        token = state.push("note", "sup", 0)
        token.content = mark(references, label[1])
    state.pos = label.end()
    return True


def _push(state: StateBlock, start: int, end: int, label: re.Match[str]) -> None:
    """The note's own blocks, as the library does it for the items of a list."""
    opener = state.push("note_open", "div", 1)
    opener.map = [start, start + 1]
    opener.meta = {"label": label[1]}
    before = state.bMarks[start], state.tShift[start], state.sCount[start], state.parentType
    after = label.end() + 1
    while after < state.eMarks[start] and state.src[after] in " \t":
        after += 1
    state.bMarks[start], state.tShift[start] = after, 0
    state.sCount[start] = INDENT
    state.blkIndent += INDENT
    state.parentType = "reference"
    state.line = start
    state.md.block.tokenize(state, start, end)
    state.blkIndent -= INDENT
    state.bMarks[start], state.tShift[start], state.sCount[start], state.parentType = before
    state.line = max(state.line, start + 1)
    opener.map[1] = state.line
    state.push("note_close", "div", -1)
