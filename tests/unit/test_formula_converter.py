"""Whatever the converter of formulas does, which is foreign code: a page gets known elements, or the source."""

from collections.abc import Callable, Iterator

import math_core
import pytest

from conversations import markup
from conversations.markup import formulas
from tests.markup_oracle import visible

Answer = Callable[[str], str]


@pytest.fixture
def converter(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Answer], None]]:
    """Puts another converter in the place of the foreign one."""

    def put(answer: Answer) -> None:
        class Converter:
            def __init__(self, **settings: object) -> None:
                pass

            def convert_with_local_state(self, source: str, displaystyle: bool) -> str:
                return answer(source)

        forget()
        monkeypatch.setattr(math_core, "LatexToMathML", Converter)

    def forget() -> None:
        formulas._converter.cache_clear()
        formulas.mathml.cache_clear()

    yield put
    forget()


class Panic(BaseException):
    """What foreign code raises where it breaks; no Exception."""


def fails(error: BaseException) -> Answer:
    def answer(source: str) -> str:
        raise error

    return answer


@pytest.mark.parametrize("error", [ValueError("no"), Panic("broken")])
def test_where_the_converter_breaks_the_source_is_shown(
    converter: Callable[[Answer], None], error: BaseException
) -> None:
    converter(fails(error))
    assert markup.render("a $x^2$ b") == '<p dir="auto">a <code>$x^2$</code> b</p>\n'


@pytest.mark.parametrize("error", [KeyboardInterrupt(), SystemExit(), GeneratorExit()])
def test_who_ends_the_program_is_not_held_up(converter: Callable[[Answer], None], error: BaseException) -> None:
    converter(fails(error))
    with pytest.raises(type(error)):
        markup.render("a $x^2$ b")


GOOD = {
    "<math><mi>x</mi></math>": "<mi>x</mi>",
    '<math display="block"><mi>x</mi></math>': "<mi>x</mi>",
    '<math><mspace width="1em"/></math>': '<mspace width="1em"></mspace>',
    '<math><mtd style="text-align: left; padding-left:1em;">x</mtd></math>': '<mtd class="left wide">x</mtd>',
    '<math><mtd style="justify-items: end">x</mtd></math>': "<mtd>x</mtd>",
    '<math><menclose notation="updiagonalstrike">x</menclose></math>': '<mrow class="cancel">x</mrow>',
    "<math><mtext><b>x</b></mtext></math>": '<mtext class="bold">x</mtext>',
    "<math><mo>&amp;lt;</mo></math>": "<mo>&amp;lt;</mo>",
    "<math>" + "<mrow>" * 23 + "x" + "</mrow>" * 23 + "</math>": "<mrow>" * 23 + "x" + "</mrow>" * 23,
}


@pytest.mark.parametrize(("made", "inner"), GOOD.items())
def test_what_is_known_is_written_anew(converter: Callable[[Answer], None], made: str, inner: str) -> None:
    converter(lambda source: made)
    assert markup.render("$x^2$") == f'<p dir="auto"><math dir="ltr">{inner}</math></p>\n'


@pytest.mark.parametrize(
    "made",
    [
        "<math><script>alert(1)</script></math>",
        "<math><mi>x</mi><",
        "<math><mi>x</mi>",
        "<math>x</math></mi>",
        "<math><mi>x</math>",
        "<math>x</math><math>y</math>",
        "<math><math>x</math></math>",
        "<math><!-- x --></math>",
        "<math><MI>x</MI></math>",
        '<math><mi onclick="x">x</mi></math>',
        '<math><mi class="code">x</mi></math>',
        '<math><mi style="position: fixed">x</mi></math>',
        '<math><mspace width="99999em"/></math>',
        '<math><menclose notation="other">x</menclose></math>',
        "<math>" + "<mrow>" * 24 + "x" + "</mrow>" * 24 + "</math>",
    ],
)
def test_what_is_not_known_is_refused_as_a_whole(converter: Callable[[Answer], None], made: str) -> None:
    converter(lambda source: made)
    html = markup.render("$x^2$")
    assert "<math" not in html
    assert visible(html).strip() == "$x^2$"
