"""Tokens → HTML. Writes every element itself and copies nothing from the text but escaped characters. No I/O."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from markdown_it.common.utils import unescapeAll
from markdown_it.token import Token

from conversations.markup import links
from conversations.markup.characters import escaped
from conversations.markup.highlighting import language

Highlight = Callable[[str, str], str | None]
Convert = Callable[[str, bool], str | None]

TABLE_OPEN = '<div class="table" role="group" aria-label="Table" tabindex="0"><table>\n'
TABLE_CLOSE = "</table></div>\n"
LABELS = {
    "Table": ('<div class="table" role="group" aria-label="',),
    "Formula": tuple(f'<span class="{kind}" dir="ltr" role="group" aria-label="' for kind in ("formula", "long")),
    "done": ('<span class="task" role="img" aria-label="',),
    "not done": ('<span class="task" role="img" aria-label="',),
}
"""The words that the writer adds, for those who do not see the page, and what stands before them. No text can hold
that: its `<` are escaped."""
_FIXED = {
    "blockquote_open": "<blockquote>\n",
    "blockquote_close": "</blockquote>\n",
    "bullet_list_open": "<ul>\n",
    "bullet_list_close": "</ul>\n",
    "em_close": "</em>",
    "em_open": "<em>",
    "hardbreak": "<br>\n",
    "hr": "<hr>\n",
    "list_item_close": "</li>\n",
    "list_item_open": '<li dir="auto">',
    "note_close": "</div>\n",
    "ordered_list_close": "</ol>\n",
    "s_close": "</s>",
    "s_open": "<s>",
    "softbreak": "\n",
    "strong_close": "</strong>",
    "strong_open": "<strong>",
    "table_close": TABLE_CLOSE,
    "table_open": TABLE_OPEN,
    "tbody_close": "</tbody>\n",
    "tbody_open": "<tbody>\n",
    "td_close": "</td>\n",
    "th_close": "</th>\n",
    "thead_close": "</thead>\n",
    "thead_open": "<thead>\n",
    "tr_close": "</tr>\n",
    "tr_open": "<tr>\n",
}
_TICK: dict[bool | None, str] = {
    True: '<span class="task" role="img" aria-label="done">☑</span> ',
    False: '<span class="task" role="img" aria-label="not done">☐</span> ',
}
_FORMULA = '<span class="{kind}" dir="ltr" role="group" aria-label="Formula" tabindex="0">{inner}</span>'
_LONG_FORMULA = 40  # characters of LaTeX that may be wider than a phone
_SPARE_ROOM = 16 * 1024  # characters of HTML that formulas leave for the text after them


class TooLong(Exception):
    """The HTML would be longer than there is room for."""


@dataclass(slots=True)
class _Link:
    """The link that is being written: its text as people see it, and the pictures found in it."""

    address: str
    text: list[str] = field(default_factory=list)
    pictures: list[str] = field(default_factory=list)


def write(tokens: Sequence[Token], room: int, highlight: Highlight | None, convert: Convert) -> str:
    """The HTML of parsed blocks; raises TooLong beyond `room` characters. Without `highlight` code stays plain.

    `convert`: makes MathML of LaTeX, or None where the LaTeX is to be shown.
    """
    return _Writer(room, highlight, convert).written(tokens)


def code(text: str, name: str, highlighted: str | None) -> str:
    """A code block; `name` is a language of the highlighter or ""."""
    kind = f' class="language-{name}"' if name else ""
    inner = escaped(text) if highlighted is None else highlighted
    return f'<div class="code"><pre dir="ltr" tabindex="0"><code{kind}>{inner}</code></pre></div>\n'


def fence_language(token: Token) -> str:
    """The language of a code block as far as the highlighter knows it, else ""."""
    return language(unescapeAll(token.info))


def formula_source(text: str, is_display: bool) -> str:
    """A formula as it was written."""
    if is_display:
        return f'<code class="formula" dir="ltr" tabindex="0">{escaped(text)}</code>'
    return f"<code>{escaped(text)}</code>"


def plain(text: str) -> str:
    """Text as it was written, in a block of its own."""
    return f'<div class="plain" dir="auto">{escaped(text)}</div>\n'


def unwrapped(text: str) -> str:
    """Text as it was written, in as little HTML as possible."""
    return escaped(text).replace("\n", "<br>\n")


class _Writer:
    def __init__(self, room: int, highlight: Highlight | None, convert: Convert) -> None:
        self._parts: list[str] = []
        self._room = room
        self._highlight = highlight
        self._convert = convert
        self._links: list[_Link] = []

    def written(self, tokens: Sequence[Token]) -> str:
        before = None
        for token in tokens:
            self._block(token, *_item(before))
            before = token
        return "".join(self._parts)

    def _put(self, html: str) -> None:
        self._room -= len(html)
        if self._room < 0:
            raise TooLong
        self._parts.append(html)

    def _block(self, token: Token, is_first_of_item: bool, tick: str) -> None:
        if tick and token.type != "paragraph_open":
            self._put(tick)
        match token.type:
            case "inline":
                for child in token.children or ():
                    self._inline(child)
            case "paragraph_open" | "paragraph_close":
                self._paragraph(token, is_first_of_item, tick)
            case "heading_open":
                self._put(f'<{token.tag} dir="auto">')
            case "heading_close":
                self._put(f"</{token.tag}>\n")
            case "ordered_list_open":
                self._put(f'<ol start="{int(token.attrs["start"])}">\n' if "start" in token.attrs else "<ol>\n")
            case "td_open" | "th_open":
                self._put(_cell(token))
            case "fence" | "code_block":
                self._code(token)
            case "note_open":
                self._put(f'<div class="footnote"><sup>{escaped(token.content)}</sup>\n')
            case _:
                self._put(_FIXED[token.type])

    def _paragraph(self, token: Token, is_first_of_item: bool, tick: str) -> None:
        if token.nesting == -1:
            self._put("\n" if token.hidden else "</p>\n")
            return
        # The direction of a list item is that of its first text, which has to have none of its own for that.
        start = "" if token.hidden else "<p>" if is_first_of_item else '<p dir="auto">'
        self._put(start + tick)

    def _code(self, token: Token) -> None:
        if token.info.strip() == "math" and (shown := self._mathml(token.content, True)):
            self._put(f"<p>{shown}</p>\n")
            return
        name = fence_language(token)
        highlighted = self._highlight(token.content, name) if self._highlight and name else None
        self._put(code(token.content, name, highlighted))

    def _inline(self, token: Token) -> None:
        match token.type:
            case "text":
                self._text(token.content)
            case "code_inline":
                self._note(token.content)
                self._put(f"<code>{escaped(token.content)}</code>")
            case "formula":
                self._formula(token.content, token.markup, token.meta["is_display"])
            case "note":
                self._note(token.content)
                self._put(f"<sup>{escaped(token.content)}</sup>")
            case "link_open":
                self._open_link(str(token.attrs["href"]))
            case "link_close":
                self._close_link()
            case "image":
                self._picture(token)
            case _:
                self._note(" " if token.type == "softbreak" else "")
                self._put(_FIXED[token.type])

    def _formula(self, source: str, written: str, is_display: bool) -> None:
        self._note(written)
        self._put(self._mathml(source, is_display) or formula_source(written, is_display))

    def _mathml(self, source: str, is_display: bool) -> str | None:
        """The formula with what lets it scroll where it may be wider than the page; None where it is not known."""
        made = self._convert(source, is_display)
        if made is None or len(made) + _SPARE_ROOM > self._room:
            return None
        if not is_display and len(source) <= _LONG_FORMULA:
            return made
        return _FORMULA.format(kind="formula" if is_display else "long", inner=made)

    def _text(self, text: str) -> None:
        self._note(text)
        self._put(escaped(text))

    def _note(self, text: str) -> None:
        if self._links:
            self._links[0].text.append(text)

    def _open_link(self, address: str) -> None:
        self._links.append(_Link(address))
        if len(self._links) == 1 and links.host(address):
            self._put(_anchor(address))

    def _close_link(self) -> None:
        link = self._links.pop()
        if self._links:
            return
        if links.host(link.address):
            is_disguised = bool(link.pictures) or links.is_disguised("".join(link.text), link.address)
            self._put((_place(link.address) if is_disguised else "") + "</a>")
        for address in link.pictures:
            self._put(" ")
            self._stand_in("image", address)

    def _picture(self, token: Token) -> None:
        """A link in place of a picture: nothing is fetched because a text says so."""
        text = " ".join(_plain(token.children or ()).split()) or "image"
        address = str(token.attrs["src"])
        if self._links:
            self._links[0].pictures.append(address)
            self._text(text)
        else:
            self._stand_in(text, address)

    def _stand_in(self, text: str, address: str) -> None:
        shown = escaped(text)
        self._put(f"{_anchor(address)}{shown}{_place(address)}</a>" if links.host(address) else shown)


def _item(token: Token | None) -> tuple[bool, str]:
    """Whether the token opens a list item, and the box of a task."""
    if token is None or token.type != "list_item_open":
        return False, ""
    return True, _TICK.get(token.meta.get("checked"), "")


def _anchor(address: str) -> str:
    quoted = escaped(address).replace('"', "&quot;")
    return f'<a href="{quoted}" rel="noopener noreferrer nofollow ugc">'


def _place(address: str) -> str:
    return f' <span class="host" dir="ltr">({escaped(links.place(address))})</span>'


def _cell(token: Token) -> str:
    align = str(token.attrs.get("style", "")).removeprefix("text-align:")
    return f'<{token.tag} dir="auto" align="{align}">' if align else f'<{token.tag} dir="auto">'


def _plain(tokens: Sequence[Token]) -> str:
    return "".join(" " if token.type in ("softbreak", "hardbreak") else token.content for token in tokens)
