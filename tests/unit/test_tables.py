"""Tables of rendered text: links behind them, and one of them for a spreadsheet, in which nothing runs."""

import pytest

from conversations import markup

TWO = "|a|b|\n|-|-|\n|1<2|**x** y|\n\nbetween\n\n|c|\n|-|\n"


def cell(text: str) -> str:
    """What a spreadsheet gets of a cell with this text."""
    made = markup.table(f"|h|\n|-|\n|{text}|\n", 0)
    assert made is not None
    return made.removeprefix('"h"\r\n').removesuffix("\r\n")[1:-1]


def test_each_table_has_its_number_and_others_are_none() -> None:
    assert markup.table(TWO, 0) == '"a","b"\r\n"1<2","x y"\r\n'
    assert markup.table(TWO, 1) == '"c"\r\n'
    assert [markup.table(TWO, number) for number in (-1, 2)] == [None, None]
    assert markup.table("no table", 0) is None


@pytest.mark.parametrize("text", ["=1+1", "+cmd", "-x", "@SUM(1)", "-1+1", "+1 and more"])
def test_what_a_spreadsheet_would_run_is_text(text: str) -> None:
    assert cell(text) == f"'{text}"


@pytest.mark.parametrize("text", ["-3", "+1.5", "-3 %", "-3%", "+1,234.50", "x=1", "a - b", "1", ""])
def test_numbers_and_words_stay_what_they_are(text: str) -> None:
    assert cell(text) == text


def test_lines_of_a_cell_become_one() -> None:
    assert cell("a&nbsp;&nbsp;b `c`") == "a b c"
    assert markup.tables.as_csv("<table><tr><th>a<br>b</th>c<td>d</td></tr></table>", 0) == '"a b","d"\r\n'


def test_a_link_stands_behind_each_table_that_has_an_address() -> None:
    html = markup.render(TWO)
    linked = markup.with_links(html, ['/t/1/?a=1&b="', "/t/2/"], "Save <it>")
    first = '<a class="button csv" href="/t/1/?a=1&amp;b=&quot;" download title="Save &lt;it&gt;" aria-label='
    assert linked.count('</table></div>\n<a class="button csv" href="') == 2
    assert f"</table></div>\n{first}" in linked
    assert linked.index(first) < linked.index("between") < linked.index('href="/t/2/"')
    assert markup.with_links(markup.render("no table"), ["/t/1/"], "Save") == markup.render("no table")
