r"""Where a formula begins and ends in a text: `$…$`, `$$…$$`, `\(…\)`, `\[…\]`. Rules for the parser, no I/O.

Prices, variables of a shell and escaped brackets are no formulas: in doubt a text stays as it was written.
"""

import re

from markdown_it.rules_block import StateBlock
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token

from conversations.markup.formulas import MAX_SOURCE

CLOSING = {"$$": "$$", "\\[": "\\]", "\\(": "\\)"}

# As Pandoc has it: no space inside of the dollars, no digit behind the last one.
_DOLLARS = re.compile(rf"\$(?P<tick>`?)(?![\s$])((?:[^$\\`]|\\[^`]){{1,{MAX_SOURCE}}})(?<!\s)(?P=tick)\$(?![0-9$])")
_WORD = re.compile(r"\s[^\W\d_]{2,}[,.;:]?(?:\s|$)|^[^\W\d_]{2,}[,.;:]?\s")
_LONG_WORD = re.compile(r"\s[^\W\d_]{3,}[,.;:]?(?:\s|$)|^[^\W\d_]{3,}[,.;:]?\s")
_PROPER = re.compile(r"\\[a-zA-Z]|[\^_=]")
_OPERATOR = re.compile(r"[+*/<>|-]")
_NUMBERS = re.compile(r"[\d\s.,]*\s[\d\s.,]*")


def inline(state: StateInline, silent: bool) -> bool:
    """A formula in a line of text; `$$` and `\\[` make a display of it there, too."""
    found = _found(state.src, state.pos, state.posMax)
    if found is None:
        return False
    source, end, is_display = found
    if not silent:
        token = state.push("formula", "math", 0)
        token.content = source
        token.markup = state.src[state.pos : end]
        token.meta = {"is_display": is_display}
    state.pos = end
    return True


def block(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """A display over several lines, none of them empty: what looks like a list or a heading there is none.

    It becomes a paragraph, with `markup` "$$" or "\\[" and whether it `is_closed`; so does one that has no end.
    """
    pos = state.bMarks[start] + state.tShift[start]
    opening = state.src[pos : pos + 2]
    if state.is_code_block(start) or not _may_open(state.src[pos + 2 : state.eMarks[start]], CLOSING[opening]):
        return False
    if not silent:
        _push(state, start, *_last_line(state, start, end, CLOSING[opening]), opening)
    return True


def is_open(token: Token | None) -> bool:
    """Whether the token begins a display whose end has not come yet."""
    return token is not None and token.type == "paragraph_open" and token.meta.get("is_closed") is False


def ends(line: str, token: Token | None) -> bool:
    """Whether the line is the last one of the open display that begins with the token."""
    return token is not None and CLOSING[token.markup] in line


def is_closed(token: Token) -> bool:
    return token.meta.get("is_closed") is True


def _may_open(rest: str, closing: str) -> bool:
    return closing not in rest and not rest.startswith("$")


def _last_line(state: StateBlock, start: int, end: int, closing: str) -> tuple[int, bool]:
    """The line after the display, and whether it was closed."""
    for line in range(start + 1, end):
        if state.isEmpty(line) or state.sCount[line] < state.blkIndent:
            return line, False
        if closing in state.src[state.bMarks[line] : state.eMarks[line]]:
            return line + 1, True
    return end, False


def _push(state: StateBlock, start: int, end: int, is_closed: bool, opening: str) -> None:
    state.line = end
    opener = state.push("paragraph_open", "p", 1)
    opener.map = [start, end]
    opener.markup = opening
    opener.meta = {"is_closed": is_closed}
    content = state.push("inline", "", 0)
    content.map = [start, end]
    content.content = state.getLines(start, end, state.blkIndent, False).strip()
    content.children = []
    state.push("paragraph_close", "p", -1)


def _found(text: str, pos: int, maximum: int) -> tuple[str, int, bool] | None:
    """The formula that begins here: its source, where it ends, whether it is a display."""
    opening = text[pos : pos + 2]
    if opening in CLOSING:
        end = text.find(CLOSING[opening], pos + 2, min(maximum, pos + MAX_SOURCE))
        source = text[pos + 2 : end]
        is_fine = end >= 0 and _stands_alone(text, pos, end + 2) and _is_formula(source, opening)
        return (source, end + 2, opening != "\\(") if is_fine else None
    if opening[:1] != "$" or text[pos - 1 : pos].isalnum() or text[pos - 1 : pos] == "$":
        return None
    match = _DOLLARS.match(text, pos, maximum)
    if match is None or not _is_formula(match[2], "$"):
        return None
    is_glued = text[match.end() : match.end() + 1].isalpha()  # `$n$th`, but not `$HOME/$USER`
    return (match[2], match.end(), False) if len(match[2]) == 1 or not is_glued else None


def _stands_alone(text: str, start: int, end: int) -> bool:
    """Whether dollars are exactly two on both sides."""
    return text[start] != "$" or "$" not in (text[start - 1 : start], text[start + 2], text[end : end + 1])


def _is_formula(source: str, opening: str) -> bool:
    """Whether this is more likely mathematics than prose between two prices or in escaped brackets."""
    if not source.strip() or _NUMBERS.fullmatch(source):
        return False
    if _PROPER.search(source):
        return True
    if _OPERATOR.search(source):
        return not _LONG_WORD.search(source)
    return (opening != "\\[" or "\n" in source) and not _WORD.search(source)
