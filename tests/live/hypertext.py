"""HTML as a tree, and the text that a person reads in it. Standard library only, no I/O."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = frozenset(["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"])
BLOCK = frozenset(
    [
        *("address", "article", "aside", "blockquote", "body", "dd", "details", "div", "dl", "dt", "fieldset"),
        *("figcaption", "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "html", "li"),
        *("main", "nav", "ol", "p", "pre", "section", "summary", "table", "tbody", "td", "tfoot", "th", "thead", "tr"),
        "ul",
    ]
)
UNSEEN = frozenset(["head", "script", "style", "template", "noscript", "svg", "datalist", "select", "textarea"])
WHITE = re.compile(r"[ \t\n\r\f]+")


@dataclass(slots=True, eq=False)
class Element:
    tag: str
    attributes: dict[str, str]
    children: list["Element | str"] = field(default_factory=list)

    def get(self, name: str, default: str = "") -> str:
        return self.attributes.get(name, default)

    def has(self, name: str) -> bool:
        return name in self.attributes

    def walk(self) -> Iterator["Element"]:
        """This element and everything under it, in the order of the document."""
        yield self
        for child in self.children:
            if isinstance(child, Element):
                yield from child.walk()

    def find_all(self, tag: str = "", /, attributes: Mapping[str, str | None] | None = None) -> list["Element"]:
        """Descendants with this tag ("" for any) and these attributes (None: present, whatever its value)."""
        return [found for found in self.walk() if found is not self and found.matches(tag, attributes or {})]

    def find(self, tag: str = "", /, attributes: Mapping[str, str | None] | None = None) -> "Element | None":
        return next(iter(self.find_all(tag, attributes)), None)

    def matches(self, tag: str, attributes: Mapping[str, str | None]) -> bool:
        if tag and self.tag != tag:
            return False
        return all(self.has(name) and value in (None, self.get(name)) for name, value in attributes.items())

    @property
    def text(self) -> str:
        return visible_text(self)


class _Builder(HTMLParser):
    """Grows the tree. A stray end tag is ignored; an end tag closes what was left open inside its element."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open = [Element("#document", {})]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = self._add(tag, attrs)
        if tag not in VOID:
            self.open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._add(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        depths = [depth for depth, element in enumerate(self.open) if element.tag == tag]
        if depths:
            del self.open[depths[-1] :]

    def handle_data(self, data: str) -> None:
        self.open[-1].children.append(data)

    def _add(self, tag: str, attrs: list[tuple[str, str | None]]) -> Element:
        element = Element(tag, {name: value or "" for name, value in attrs})
        self.open[-1].children.append(element)
        return element


def parse(html: str) -> Element:
    """The tree of a page or of a fragment, under one "#document" element."""
    builder = _Builder()
    builder.feed(html)
    builder.close()
    return builder.open[0]


def nothing(_element: Element) -> bool:
    return False


def visible_text(root: Element, *, leaving_out: Callable[[Element], bool] = nothing) -> str:
    """What a person reads: white space collapsed except in <pre>, a line for each block and each <br>."""
    lines: list[str] = [""]
    _collect(root, lines, leaving_out, verbatim=False)
    return "\n".join(line.rstrip(" ") for line in lines).strip("\n")


def _collect(node: Element, lines: list[str], leaving_out: Callable[[Element], bool], *, verbatim: bool) -> None:
    verbatim = verbatim or node.tag == "pre"
    if node.tag in BLOCK:
        _new_line(lines)
    for child in node.children:
        if isinstance(child, str):
            _write(child, lines, verbatim=verbatim)
        elif child.tag == "br":
            lines.append("")
        elif child.tag not in UNSEEN and not child.has("hidden") and not leaving_out(child):
            _collect(child, lines, leaving_out, verbatim=verbatim)
    if node.tag in BLOCK:
        _new_line(lines)


def _new_line(lines: list[str]) -> None:
    if lines[-1]:
        lines.append("")


def _write(text: str, lines: list[str], *, verbatim: bool) -> None:
    if verbatim:
        first, *more = text.split("\n")
        lines[-1] += first
        lines.extend(more)
        return
    text = WHITE.sub(" ", text)
    lines[-1] += text.lstrip(" ") if not lines[-1] or lines[-1].endswith(" ") else text
