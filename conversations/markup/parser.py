"""Text → tokens: CommonMark with tables, strikethrough, task lists and bare web addresses, formulas and
notes; raw HTML is text. No I/O."""

import re
from collections.abc import Iterator, MutableMapping
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.helpers import parseLinkDestination, parseLinkLabel, parseLinkTitle
from markdown_it.parser_inline import ParserInline
from markdown_it.rules_block import StateBlock, fence, table
from markdown_it.rules_core import StateCore
from markdown_it.rules_core.text_join import text_join
from markdown_it.token import Token

from conversations.markup import delimiters, limits, links, notes

Env = MutableMapping[str, Any]

_SPARE_CELLS = 16
_ADDRESS_END = re.compile(r"\\[!-~]|[\x00-\x20\x7f()]")
_BARE = re.compile(r"(?<![a-z0-9])https?://[!#-;=?-Z\\_a-z~\u00c0-\u04ff]+", re.IGNORECASE)
_CLOSING = "?!.,:;*_~'\\"


class TooMuch(Exception):
    """Blocks are nested too deep, or the parser looked at their lines again and again."""


def parse_blocks(text: str, env: Env, work: int) -> list[Token]:
    """The blocks of a text whose lines end in "\n"; definitions of link targets are added to `env["references"]`.

    `work`: what the lines were estimated to cost. Raises TooMuch where the parser takes more (a quote looks at all
    lines that might continue its paragraph, even where it has none, and so do the quotes after it), and where it would
    leave out what is nested too deep.
    """
    tokens: list[Token] = []
    env["looks"] = limits.FREE_LOOKS + work // limits.LOOK
    _BLOCKS.block.parse(text, _BLOCKS, env, tokens)
    return tokens


def parse_inlines(tokens: list[Token], env: Env) -> None:
    """Fill the children of all inline tokens, and the numbers of notes. What is nested too deep becomes plain text."""
    inlines = [token for token in tokens if token.type == "inline"]
    for token in tokens:
        if token.type == "note_open":
            token.content = notes.mark(env.get("references", {}), token.meta["label"])
    for token in inlines:
        token.children = []
        _INLINES.inline.parse(token.content, _INLINES, env, token.children)
    text_join(StateCore("", _INLINES, env, inlines))
    for token in inlines:
        children = token.children or []
        is_deep = any(child.level >= limits.MAX_INLINE_NESTING for child in children)
        token.children = [_text(token.content)] if is_deep else list(_with_bare_links(children))


class _Markdown(MarkdownIt):
    """The library with our idea of an address."""

    def normalizeLink(self, url: str) -> str:
        return links.canonical(url)

    def validateLink(self, url: str) -> bool:
        return bool(url)

    def normalizeLinkText(self, link: str) -> str:
        return link


class _Helpers:
    """The library's, but the end of an address is looked for in C: it is tried anew at each `](`."""

    parseLinkLabel = staticmethod(parseLinkLabel)
    parseLinkTitle = staticmethod(parseLinkTitle)

    @staticmethod
    def parseLinkDestination(string: str, pos: int, maximum: int) -> Any:
        if not string.startswith("<", pos):
            maximum = _end_of_address(string, pos, min(maximum, pos + links.MAX_ADDRESS))
        return parseLinkDestination(string, pos, maximum)


def _end_of_address(string: str, pos: int, maximum: int) -> int:
    """Where an address without pointed brackets ends; `pos` itself where its round brackets do not match."""
    level = 0
    for match in _ADDRESS_END.finditer(string, pos, maximum):
        if match[0] == "(":
            level += 1
        elif match[0] == ")" and level:
            level -= 1
        elif match[0][0] != "\\":
            return pos if level else match.start()
    return pos if level else maximum


class _Inlines(ParserInline):
    """Parses the text of a picture once, but no pictures inside of it: each level would be parsed again."""

    def parse(self, src: str, md: MarkdownIt, env: Env, tokens: list[Token]) -> list[Token]:
        level = env.get("level", 0)
        if level > 1:
            tokens.append(_text(src))
            return tokens
        env["level"] = level + 1
        try:
            return super().parse(src, md, env, tokens)
        finally:
            env["level"] = level


def _counted(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """A display, a note or a fence. This rule is asked wherever a line may begin a block: it can tell how often and
    how deep that is."""
    state.env["looks"] -= 1
    if state.env["looks"] < 0 or state.level >= limits.MAX_NESTING:
        raise TooMuch
    begin = state.bMarks[start] + state.tShift[start]
    match state.src[begin : begin + 2]:
        case "$$" | "\\[":
            return delimiters.block(state, start, end, silent)
        case "[^":
            return notes.definition(state, start, end, silent)
        case _:
            return fence(state, start, end, silent)


def _table(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """A table, ended where most of its cells would be made up by the parser: 250 lines could be 62,500 cells."""
    if not silent and table(state, start, end, True):
        end = _end_of_written_rows(state, start, end)
    return table(state, start, end, silent)


def _end_of_written_rows(state: StateBlock, start: int, end: int) -> int:
    enders = state.md.block.ruler.getRules("blockquote")
    columns = state.src.count("|", state.bMarks[start], state.eMarks[start])
    spare = _SPARE_CELLS + columns
    for line in range(start + 2, end):
        written = state.src.count("|", state.bMarks[line], state.eMarks[line])
        spare += min(written, 2 * written - columns)
        if spare < 0 or state.isEmpty(line) or any(ender(state, line, end, True) for ender in enders):
            return line
    return end


def _with_bare_links(children: list[Token]) -> Iterator[Token]:
    """The same, with addresses in the text as links: also those in the text of a link, which the writer leaves out."""
    for child in children:
        if child.type == "text" and "://" in child.content:
            yield from _split_at_addresses(child.content)
        else:
            yield child


def _split_at_addresses(text: str) -> Iterator[Token]:
    done = 0
    for match in _BARE.finditer(text):
        shown = _without_closing_punctuation(match[0])
        address = links.canonical(shown)
        if address:
            yield _text(text[done : match.start()])
            yield Token("link_open", "a", 1, attrs={"href": address})
            yield _text(shown)
            yield Token("link_close", "a", -1)
            done = match.start() + len(shown)
    yield _text(text[done:])


def _without_closing_punctuation(address: str) -> str:
    """The address without what belongs to the sentence around it: full stops, quotes, a bracket opened before it."""
    spare = address.count(")") - address.count("(")
    end = len(address)
    while end and (address[end - 1] in _CLOSING or (address[end - 1] == ")" and spare > 0)):
        end -= 1
        spare -= address[end] == ")"
    return address[:end]


def _text(content: str) -> Token:
    return Token("text", "", 0, content=content)


def _library(nesting: int) -> MarkdownIt:
    markdown = _Markdown()
    markdown.inline = _Inlines()
    markdown.helpers = _Helpers  # type: ignore[assignment]
    markdown.configure("commonmark", {"html": False, "maxNesting": nesting, "tasklists": True})
    markdown.enable(["table", "strikethrough"]).disable(["html_block", "html_inline"])
    markdown.block.ruler.at("table", _table, {"alt": ["paragraph", "reference"]})
    markdown.block.ruler.at("fence", _counted, {"alt": ["paragraph", "reference", "blockquote", "list"]})
    markdown.inline.ruler.before("escape", "formula", delimiters.inline)
    markdown.inline.ruler.before("link", "note", notes.reference)
    for ruler in (markdown.block.ruler, markdown.inline.ruler, markdown.inline.ruler2):
        ruler.getRules("")  # a list of rules is made when it is first asked for, which threads may not do at once
    return markdown


# Two limits of nesting in two parsers: brackets may nest less deep than lists, because each level of them is scanned.
_BLOCKS = _library(limits.MAX_NESTING + 2)
_INLINES = _library(limits.MAX_LABEL_NESTING)
