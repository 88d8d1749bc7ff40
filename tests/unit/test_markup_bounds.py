"""What a text may cost and how long its parts may be: each bound to the character, for texts are made to find gaps."""

import pytest

from conversations import markup
from conversations.markup import formulas, limits, links, sanitiser
from conversations.markup.blocks import Scanner
from conversations.markup.highlighting import Highlighter
from tests.markup_oracle import check


def test_the_bounds_of_a_text() -> None:
    assert (limits.MAX_WORK, limits.MAX_OPEN_WORK) == (5_000_000, 500_000)
    assert (limits.MAX_NESTING, limits.MAX_INLINE_NESTING, limits.MAX_LABEL_NESTING) == (20, 20, 8)
    assert (limits.MAX_GROWTH, limits.FREE_OUTPUT) == (10, 48 * 1024)
    assert (limits.BLOCK, limits.LOOK, limits.FREE_LOOKS) == (400, 30, 500)


@pytest.mark.parametrize(
    ("line", "level", "units", "depth"),
    [
        ("abc\n", 0, 120 + 4, 0),
        ("abc\n", 3, 120 + 3 * 40 + 4, 0),
        ("- a\n", 0, 120 + 40 + 150 + 30 + 3, 1),
        ("- a\n", 1, 120 + 40 + 150 + 30 + 3, 1),
        ("    a\n", 0, 120 + 2 * 40 + 6, 2),
        ("\ta\n", 0, 120 + 2 * 40 + 3, 2),
        (">" * 25 + "\n", 0, 120 + 20 * 40 + 25 * (150 + 30) + 1, 20),
        ("http://a\n", 0, 120 + 200 + 30 + 8, 0),
        ("http://ü://\n", 0, 120 + 2 * 6_000 + 2 * 30 + 10, 0),
        *((f"x{char}\n", 0, 120 + 30 + 2, 0) for char in "!#$%+-:=>@^{}"),
        *((f"x{char}\n", 0, 120 + 100 + 2, 0) for char in "[]*_~`<&\\"),
        ("x|\n", 0, 120 + 150 + 2, 0),
    ],
)
def test_what_a_line_may_cost(line: str, level: int, units: int, depth: int) -> None:
    assert limits.work(line, level) == (units, depth)


def test_a_line_of_code_costs_little_and_something() -> None:
    scanner = Scanner()
    assert list(scanner.feed("~~~\n")) == []
    before = scanner.open_work()
    assert list(scanner.feed("*" * 80 + "\n")) == []
    assert scanner.open_work() - before == 81 // 8 + 20


def test_how_long_a_formula_may_be() -> None:
    assert formulas.mathml("x" * 2_000, False) is not None
    assert formulas.mathml("x" * 2_001, False) is None
    converter = formulas.Converter()
    assert all(converter.mathml("x" * 2_000, False) for _ in range(30))
    assert converter.mathml("x", False) is None


def test_how_deep_a_formula_may_be() -> None:
    assert formulas.mathml("{" * 12 + "x" + "}" * 12, False) is not None
    assert formulas.mathml("{" * 13 + "x" + "}" * 13, False) is None
    assert formulas.mathml(r"\sqrt x " * 32, False) is not None
    assert formulas.mathml(r"\sqrt x " * 33, False) is None


def test_which_formulas_of_a_line_scroll() -> None:
    assert '<span class="long"' not in markup.render("$" + "x+" * 19 + "xy$")
    assert '<span class="long"' in markup.render("$" + "x+" * 20 + "x$")


def test_how_much_code_has_colours() -> None:
    line = "x" * 1_999 + "\n"
    assert Highlighter(lambda: 0.0).html(line * 25, "text") is not None
    assert Highlighter(lambda: 0.0).html(line * 25 + "x", "text") is None
    assert Highlighter(lambda: 0.0).html("x" * 2_000, "text") is not None
    assert Highlighter(lambda: 0.0).html("x" * 2_001, "text") is None
    highlighter = Highlighter(lambda: 0.0)
    assert all(highlighter.html(line * 25, "text") for _ in range(3))
    assert highlighter.html("x", "text") is None


def test_how_long_an_address_may_be() -> None:
    address = "https://b.example/" + "c" * 2_030
    assert check(markup.render(f"[a]({address})")).links == [address]
    assert links.canonical(address + "c") == ""
    assert links.canonical("https://" + "ü" * 20 + "." + "ä" * 43 + "/").startswith("https://xn--")
    assert links.canonical("https://" + "ü" * 20 + "." + "ä" * 44 + "/") == ""


def test_what_is_beyond_the_work_of_a_text_comes_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_WORK", 0)
    long, short = "x" * 16_000 + "\n", "y" * 15_999 + "\n"
    scanner = Scanner()
    assert [block.source for block in scanner.feed(long + long + short)] == [long, long]
    assert [block.source for block in scanner.finish()] == [short]


def test_a_large_tail_is_due_again_when_it_has_grown_by_a_part() -> None:
    renderer = markup.BlockRenderer()
    renderer.feed("x" * 4_000)
    renderer.tail()
    assert renderer.tail_is_due
    for more in ("y", "y" * 128):
        renderer.feed(more)
        assert not renderer.tail_is_due
    renderer.feed("y")
    assert renderer.tail_is_due


@pytest.mark.parametrize(
    ("text", "is_shown"),
    [("page.x", False), ("v2.15", False), ("163.com", True), ("a.b.io", True), ("a..io", False)],
)
def test_which_words_of_a_link_name_another_place(text: str, is_shown: bool) -> None:
    assert ("(evil.example)" in markup.render(f"[{text}](https://evil.example)")) == is_shown


def test_the_sanitiser_takes_formulas_out_that_hold_html() -> None:
    pure = '<math dir="ltr"><mi>x</mi></math>'
    assert sanitiser.clean(f"a {pure} b") == f"a {pure} b"
    assert sanitiser.clean(f"a <math><mtext><s>x</s></mtext></math> {pure} b") == f"a  {pure} b"
