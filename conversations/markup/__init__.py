"""Hostile text → safe HTML, whole and block by block. No I/O; the only place that marks strings as safe.

limits.py        what a text may cost
blocks.py        lines → finished blocks, each as soon as it is finished
parser.py        text → tokens: CommonMark, tables, task lists, bare addresses, formulas, notes; raw HTML is text
characters.py    what a page may hold
links.py         what may be a link, and where it leads
delimiters.py    where formulas are
notes.py         footnotes
formulas.py      LaTeX → MathML
highlighting.py  code → spans
writer.py        tokens → HTML
sanitiser.py     the allow-list, always the last step
rendering.py     all of it in order
tables.py        tables of what was rendered, as CSV and with links to it
"""

from collections.abc import Iterable, Mapping
from html import escape

from django.utils.safestring import SafeString, mark_safe

from conversations.markup import rendering, tables, writer
from conversations.markup.characters import fit
from conversations.markup.rendering import BlockRenderer

__all__ = ["VERSION", "BlockRenderer", "escaped", "in_words", "plain", "render", "table", "trusted", "with_links"]

VERSION = 3
"""Raised by every change that makes other HTML from the same text: HTML kept by another version is not used."""


def render(text: str) -> SafeString:
    """A whole Markdown text as HTML: at most 10 × the text + 64 KiB long, elements at most 80 deep."""
    return mark_safe(rendering.html(text))  # noqa: S308


def plain(text: str) -> SafeString:
    """A text as it was written, escaped; line ends stay (to be shown with `white-space: pre-wrap`)."""
    return mark_safe(escaped(text))  # noqa: S308


def escaped(text: str) -> str:
    """A piece of a text that may stand between elements or in an attribute."""
    return escape(fit(text))


def trusted(html: str) -> SafeString:
    """HTML that `render`, or a template of ours, made and that was kept since."""
    return mark_safe(html)  # noqa: S308


def in_words(html: SafeString, words: Mapping[str, str]) -> SafeString:
    """What `render` made, with its own few words (writer.LABELS) in another language."""
    made = str(html)
    for word, other in words.items():
        for start in writer.LABELS[word] if word != other else ():
            made = made.replace(f'{start}{word}"', f'{start}{escape(other)}"')
    return mark_safe(made)  # noqa: S308


def with_links(html: SafeString, addresses: Iterable[str], label: str) -> SafeString:
    """What `render` made, with a download link behind each table."""
    return mark_safe(tables.with_links(html, addresses, label))  # noqa: S308


def table(text: str, number: int) -> str | None:
    """One table of a Markdown text as CSV, counted from 0; None where there is none."""
    return tables.as_csv(rendering.html(text), number)
