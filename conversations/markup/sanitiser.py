"""The last step of all HTML from text: an allow-list of elements, attributes, classes and schemes (nh3)."""

import nh3

from conversations.markup.highlighting import CLASSES, LANGUAGES

TABLE_LABEL = "Table"

HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
TAGS = HEADINGS | {
    "p",
    "blockquote",
    "ul",
    "ol",
    "li",
    "pre",
    "code",
    "hr",
    "br",
    "div",
    "span",
    "a",
    "em",
    "strong",
    "s",
}
TAGS |= {"table", "thead", "tbody", "tr", "th", "td"}
ATTRIBUTES = {"a": {"href"}, "ol": {"start"}}
VALUES = {
    **{tag: {"dir": {"auto"}} for tag in HEADINGS | {"p", "li"}},
    **{tag: {"dir": {"auto"}, "align": {"left", "center", "right"}} for tag in ("td", "th")},
    "div": {"dir": {"auto"}, "role": {"group"}, "aria-label": {TABLE_LABEL}, "tabindex": {"0"}},
    "pre": {"dir": {"ltr"}, "tabindex": {"0"}},
    "span": {"dir": {"ltr"}},
}
CLASS_NAMES = {
    "code": {f"language-{name}" for name in LANGUAGES},
    "div": {"code", "plain", "table"},
    "span": {*CLASSES, "host", "task"},
}
SCHEMES = {"http", "https", "mailto"}
REL = "noopener noreferrer nofollow ugc"

_CLEANER = nh3.Cleaner(
    tags=TAGS,
    attributes=ATTRIBUTES,
    tag_attribute_values=VALUES,
    allowed_classes=CLASS_NAMES,
    url_schemes=SCHEMES,
    url_relative="deny",
    link_rel=REL,
)


def clean(html: str) -> str:
    """The same HTML without anything that is not on the list."""
    return _CLEANER.clean(html)
