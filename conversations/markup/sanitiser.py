"""The last step of all HTML from text: an allow-list of elements, attributes, classes and schemes (nh3)."""

import re

import nh3

from conversations.markup import formulas
from conversations.markup.highlighting import CLASSES, LANGUAGES

TABLE_LABEL = "Table"
FORMULA_LABEL = "Formula"
TASK_LABELS = {"done", "not done"}

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
    "sup",
}
TAGS |= {"table", "thead", "tbody", "tr", "th", "td"} | formulas.TAGS
ATTRIBUTES = {"a": {"href"}, "ol": {"start"}} | {tag: set(formulas.ATTRIBUTES) for tag in formulas.TAGS - {"math"}}
VALUES = {
    **{tag: {"dir": {"auto"}} for tag in HEADINGS | {"p", "li"}},
    **{tag: {"dir": {"auto"}, "align": {"left", "center", "right"}} for tag in ("td", "th")},
    "div": {"dir": {"auto"}, "role": {"group"}, "aria-label": {TABLE_LABEL}, "tabindex": {"0"}},
    "pre": {"dir": {"ltr"}, "tabindex": {"0"}},
    "span": {
        "dir": {"ltr"},
        "role": {"group", "img"},
        "aria-label": {FORMULA_LABEL, *TASK_LABELS},
        "tabindex": {"0"},
    },
    "code": {"dir": {"ltr"}, "tabindex": {"0"}},
    "math": {"dir": {"ltr"}, "display": {"block"}},
}
CLASS_NAMES = {
    "code": {*(f"language-{name}" for name in LANGUAGES), "formula"},
    "div": {"code", "footnote", "plain", "table"},
    "span": {*CLASSES, "formula", "host", "long", "task"},
    **{tag: set(names) for tag, names in formulas.CLASSES.items()},
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


_FORMULA = re.compile(r"<math[ >].*?</math>", re.DOTALL)
_TAG = re.compile(r"</?([a-z0-9]+)")


def clean(html: str) -> str:
    """The same HTML without anything that is not on the list, and without formulas that hold HTML."""
    made = _CLEANER.clean(html)
    return _FORMULA.sub(_pure, made) if "<math" in made else made


def _pure(formula: re.Match[str]) -> str:
    return formula[0] if formulas.TAGS.issuperset(_TAG.findall(formula[0])) else ""
