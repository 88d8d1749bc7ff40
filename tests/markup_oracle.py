"""A strict reader of the HTML that is made from hostile text: knows what may stand in it and refuses everything else.

It shares nothing with the code it judges. What it read is written out again and must be the same, letter for letter:
HTML that two parsers could read in two ways does not pass.
"""

import re
from html.parser import HTMLParser

TEXT_BLOCKS = {"p", "h1", "h2", "h3", "h4", "h5", "h6", "li"}
ELEMENTS = TEXT_BLOCKS | {"blockquote", "ul", "ol", "pre", "code", "hr", "br", "div", "span", "a", "em", "strong", "s"}
ELEMENTS |= {"table", "thead", "tbody", "tr", "th", "td", "sup"}
MATHS = {
    "mfrac",
    "mi",
    "mn",
    "mo",
    "mover",
    "mphantom",
    "mpadded",
    "mroot",
    "mrow",
    "mspace",
    "msqrt",
    "msub",
    "msubsup",
}
MATHS |= {"msup", "mtable", "mtd", "mtext", "mtr", "munder", "munderover"}
ELEMENTS |= MATHS | {"math"}
VOID = {"hr", "br"}
PLAIN_CLASSES = {
    "div": {"code", "table", "plain", "footnote"},
    "code": {"formula"},
    "mrow": {"boxed", "cancel", "overline", "underline"},
    "mtext": {"bold", "italic"},
    "mtd": {"left", "right", "flush-left", "flush-right", "wide", "line-left", "line-right", "line-top", "line-bottom"},
    "span": {
        "host",
        "task",
        "formula",
        "long",
        *["c", "k", "s", "se", "m", "nf", "nb", "nc", "nd", "nt", "na", "nv", "gd", "gi", "gh", "gp"],
    },
}
MATH_ATTRIBUTES = """
    accent accentunder displaystyle form linethickness lspace mathvariant maxsize minsize movablelimits rspace
    scriptlevel stretchy symmetric width
"""
FIXED = {
    "rel": ({"a"}, r"noopener noreferrer nofollow ugc"),
    "start": ({"ol"}, r"\d{1,9}"),
    "align": ({"th", "td"}, r"left|center|right"),
    "tabindex": ({"div", "pre", "span", "code"}, r"0"),
    "dir": (TEXT_BLOCKS | {"td", "th", "div"}, r"auto"),
    "pre dir": ({"pre"}, r"ltr"),
    "span dir": ({"span"}, r"ltr"),
    "math dir": ({"math"}, r"ltr"),
    "code dir": ({"code"}, r"ltr"),
    "display": ({"math"}, r"block"),
    "role": ({"div"}, r"group"),
    "span role": ({"span"}, r"group|img"),
    "aria-label": ({"div"}, r"Table"),
    "span aria-label": ({"span"}, r"Formula|done|not done"),
    **dict.fromkeys(MATH_ATTRIBUTES.split(), (MATHS, r"true|false|normal|infix|prefix|postfix|-?\d{0,2}(\.\d+)?(em)?")),
}
ADDRESS = re.compile(
    r"https?://(?:[a-z0-9][a-z0-9._-]*|\[[0-9a-f:.]+\])(?::\d{1,5})?(?:[/?#][^\x00-\x20\x7f-\U0010ffff\"<>\\^`{|}]*)?"
    r"|mailto:[^\x00-\x20\x7f-\U0010ffff\"<>\\^`{|}@:]+@[a-z0-9][a-z0-9._-]*(?:\?[^\x00-\x20\x7f-\U0010ffff\"<>\\^`{|}]*)?",
    re.IGNORECASE | re.ASCII,
)
DEEPEST = 80


class Hostile(AssertionError):
    """Something stands in the HTML that must not."""


def check(html: str) -> "Oracle":
    """Read HTML to its end; raises Hostile. The reader holds what was found: `text`, `links`, `elements`."""
    oracle = Oracle()
    oracle.feed(html)
    oracle.close()
    if oracle.stack:
        raise Hostile(f"not closed: {oracle.stack}")
    if "".join(oracle.written) != html:
        raise Hostile(f"ambiguous: {html!r} was read as {''.join(oracle.written)!r}")
    return oracle


def visible(html: str) -> str:
    """The text of the HTML as a person sees it."""
    return "".join(check(html).text)


class Oracle(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.stack: list[str] = []
        self.written: list[str] = []
        self.text: list[str] = []
        self.links: list[str] = []
        self.elements: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        is_misplaced = (tag in MATHS) != ("math" in self.stack) or (tag == "a" and "a" in self.stack)
        if tag not in ELEMENTS or is_misplaced:
            raise Hostile(f"<{tag}> in {self.stack}")
        names = [name for name, _ in attrs]
        if len(set(names)) < len(names) or (tag == "a" and set(names) - {"href"} != {"rel"}):
            raise Hostile(f"<{tag}> with {names}")
        for name, value in attrs:
            self._check_attribute(tag, name, value or "")
        self.elements.append(tag)
        self.written.append(f"<{tag}" + "".join(f' {name}="{_quoted(value or "")}"' for name, value in attrs) + ">")
        if tag not in VOID:
            self.stack.append(tag)
        if len(self.stack) > DEEPEST:
            raise Hostile("too deep")

    def _check_attribute(self, tag: str, name: str, value: str) -> None:
        match name:
            case "href":
                is_fine = tag == "a" and ADDRESS.fullmatch(value) is not None
                self.links.append(value)
            case "class":
                is_language = tag == "code" and re.fullmatch(r"language-[a-z-]{1,12}", value) is not None
                is_fine = is_language or set(value.split(" ")) <= PLAIN_CLASSES.get(tag, set())
            case _:
                tags, pattern = FIXED.get(f"{tag} {name}") or FIXED.get(name, (set(), ""))
                is_fine = tag in tags and re.fullmatch(pattern, value, re.ASCII) is not None
        if not is_fine:
            raise Hostile(f"<{tag} {name}={value!r}>")

    def handle_endtag(self, tag: str) -> None:
        if not self.stack or self.stack.pop() != tag:
            raise Hostile(f"</{tag}> does not match")
        self.written.append(f"</{tag}>")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        raise Hostile(f"<{tag}/>")

    def handle_data(self, data: str) -> None:
        if re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]", data):
            raise Hostile(f"control characters: {data!r}")
        self.text.append(data)
        self.written.append(_escaped(data))

    def handle_comment(self, data: str) -> None:
        raise Hostile(f"<!--{data}-->")

    def handle_decl(self, decl: str) -> None:
        raise Hostile(f"<!{decl}>")

    def handle_pi(self, data: str) -> None:
        raise Hostile(f"<?{data}>")

    def unknown_decl(self, data: str) -> None:
        raise Hostile(f"<![{data}]>")


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\u00a0", "&nbsp;")


def _quoted(value: str) -> str:
    return _escaped(value).replace('"', "&quot;")
