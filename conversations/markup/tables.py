"""The tables of rendered HTML: links below them, and one of them as CSV. Pure functions, no I/O."""

import csv
import io
import re
from collections.abc import Iterable
from html import escape
from html.parser import HTMLParser

from conversations.markup import writer

_FORMULA = re.compile(r"[=+@-]")  # a spreadsheet would run a cell that begins so, whoever wrote it
_NUMBER = re.compile(r"[+-]?[\d\s.,]*\d\s?%?")


def with_links(html: str, addresses: Iterable[str], label: str) -> str:
    """A download link behind each table; without words in it, for it stands between what was written."""
    first, *others = html.split(writer.TABLE_CLOSE)
    parts = [first]
    for address, rest in zip(addresses, others, strict=False):
        words = escape(label)
        link = f'<a class="button csv" href="{escape(address)}" download title="{words}" aria-label="{words}"></a>\n'
        parts += [writer.TABLE_CLOSE, link, rest]
    return "".join(parts)


def as_csv(html: str, number: int) -> str | None:
    """The table of this number, counted from 0; None where there is none. No cell is a formula to a spreadsheet."""
    reader = _Reader()
    reader.feed(html)
    if not 0 <= number < len(reader.tables):
        return None
    file = io.StringIO()
    csv.writer(file, quoting=csv.QUOTE_ALL).writerows(map(_cell, row) for row in reader.tables[number])
    return file.getvalue()


def _cell(text: str) -> str:
    text = " ".join(text.split())
    return f"'{text}" if _FORMULA.match(text) and not _NUMBER.fullmatch(text) else text


class _Reader(HTMLParser):
    """Gathers the text of all cells. Tables are never in one another."""

    def __init__(self) -> None:
        super().__init__()
        self.tables: list[list[list[str]]] = []
        self._is_in_cell = False

    def handle_starttag(self, tag: str, attrs: object) -> None:
        match tag:
            case "table":
                self.tables.append([])
            case "tr":
                self.tables[-1].append([])
            case "td" | "th":
                self.tables[-1][-1].append("")
            case "br":
                self.handle_data(" ")
        self._is_in_cell = self._is_in_cell or tag in ("td", "th")

    def handle_endtag(self, tag: str) -> None:
        self._is_in_cell = self._is_in_cell and tag not in ("td", "th")

    def handle_data(self, data: str) -> None:
        if self._is_in_cell:
            self.tables[-1][-1][-1] += data
