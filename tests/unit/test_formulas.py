"""Formulas and footnotes: what is one, what it means, and that what is not understood stays as it was written."""

import subprocess
import sys

import pytest

from conversations import markup
from conversations.markup import formula_commands as commands
from conversations.markup import formulas
from tests.markup_oracle import check, visible
from tests.unit.formulas import KNOWN, UNKNOWN, meaning


def shown(text: str) -> str:
    """The HTML of a text without the attributes that all elements of a kind have."""
    html = str(markup.render(text))
    check(html)
    for always in (' dir="auto"', ' dir="ltr"', ' role="group" aria-label="Formula"', ' tabindex="0"', "\n"):
        html = html.replace(always, "")
    return html


def test_the_corpus_is_large() -> None:
    assert len({source for source, _ in KNOWN}) >= 60
    assert len(set(UNKNOWN)) >= 60


@pytest.mark.parametrize(("source", "tree"), KNOWN)
def test_a_formula_means_what_was_written(source: str, tree: str) -> None:
    made = formulas.mathml(source, True)
    assert made is not None
    assert meaning(made) == tree
    check(f"<p>{made}</p>")


@pytest.mark.parametrize("source", UNKNOWN)
def test_what_is_not_understood_is_not_shown_as_a_formula(source: str) -> None:
    assert formulas.mathml(source, True) is None
    assert formulas.mathml(source, False) is None
    assert "<math" not in markup.render(f"$$\n{source}\n$$")


def test_every_command_on_the_list_is_understood() -> None:
    tails = ["", " x", "{x}", "{x}{y}", "(", " ( x \\right)"]
    heads = ["", "\\left( ", "\\sum", "a "]
    rows = {"hline", "hdashline"}
    for name in sorted(commands.COMMANDS - rows):
        tried = [formulas.mathml(f"{head}\\{name}{tail}", True) for head in heads for tail in tails]
        assert any(tried), name
    for name in sorted(commands.ENVIRONMENTS):
        columns = "{c}" if name in ("array", "subarray") else ""
        assert formulas.mathml(rf"\begin{{{name}}}{columns} a \end{{{name}}}", True), name


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("a $x$ b", "<p>a <math><mi>x</mi></math> b</p>"),
        (r"\(x\)", "<p><math><mi>x</mi></math></p>"),
        ("$`x`$", "<p><math><mi>x</mi></math></p>"),
        ("($x$), **$y$**", "<p>(<math><mi>x</mi></math>), <strong><math><mi>y</mi></math></strong></p>"),
        ("the $n$th", "<p>the <math><mi>n</mi></math>th</p>"),
        ("$*a*$ *b*", "<p><math><mo>∗</mo><mi>a</mi><mo>∗</mo></math> <em>b</em></p>"),
        ("$xy$", "<p><math><mi>x</mi><mi>y</mi></math></p>"),
        ("- $x$", "<ul><li><math><mi>x</mi></math></li></ul>"),
    ],
)
def test_a_formula_stands_in_a_line(text: str, html: str) -> None:
    assert (
        shown(text)
        .replace(' lspace="0" rspace="0"', "")
        .replace(' lspace="0"', "")
        .replace(' rspace="0"', "")
        .replace(' lspace="0.2222em"', "")
        .replace(' rspace="0.2222em"', "")
        == html
    )


DISPLAY = '<span class="formula"><math display="block"><mi>x</mi><mo>=</mo><mn>1</mn></math></span>'


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("$$x=1$$", f"<p>{DISPLAY}</p>"),
        ("$$\nx\n=1\n$$", f"<p>{DISPLAY}</p>"),
        ("\\[\nx=1\n\\]", f"<p>{DISPLAY}</p>"),
        (r"a \[x=1\] b", f"<p>a {DISPLAY} b</p>"),
        ("a $$x=1$$ b", f"<p>a {DISPLAY} b</p>"),
        ("a\n$$\nx=1\n$$\nb", f"<p>a</p><p>{DISPLAY}</p><p>b</p>"),
        ("$$\nx=1\n$$, and", f"<p>{DISPLAY}, and</p>"),
        ("> $$\n> x=1\n> $$", f"<blockquote><p>{DISPLAY}</p></blockquote>"),
        ("- a\n\n  $$\n  x=1\n  $$\n", f"<ul><li><p>a</p><p>{DISPLAY}</p></li></ul>"),
        ("```math\nx=1\n```", f"<p>{DISPLAY}</p>"),
    ],
)
def test_a_formula_stands_alone(text: str, html: str) -> None:
    assert shown(text) == html


def test_lines_of_a_display_are_no_lists_or_headings() -> None:
    html = markup.render("$$\na\n+ b\n- c\n# d\n$$\n")
    assert "<li" not in html
    assert "<h1" not in html


@pytest.mark.parametrize(
    "text",
    [
        "It costs $5 and $10.",
        "between $5-$10, or $5 – $10",
        "$5, $10, and $20",
        "**$5** and **$10**",
        "($5) or ($10)",
        "US$5 to US$6 and A$7",
        "$100k to $200k",
        "a $20/month plan or a $200/year plan",
        "$5 for you, 10$ for me",
        "$5 in total; we paid 10$",
        "$1,000 is more than $ 900",
        "5$ and 6$",
        "$ x $",
        "$x + 1 $ y",
        "in A$x$",
        "$5/month and 10$",
        "$5, 10$",
        "echo $HOME and $PATH, $HOME/$USER, $A:$B",
        "$1$2",
        r"\$x\$",
        "the dollar $ alone",
        "$$ or $$$",
        "rated $$ or $$ by guides",
        r"\[not a link\](https)",
        r"\[x\] and \[1\]",
        r"\(see below\)",
        "$x",
        "x$",
        "$$",
        "$$$$",
        "$$x",
        r"\(x",
        "a $\n\nb$",
    ],
)
def test_prices_variables_and_brackets_are_no_formulas(text: str) -> None:
    html = markup.render(text)
    assert "<math" not in html
    assert visible(html).replace("\n", "") == text.replace("**", "").replace("\n", "").replace("\\", "")


def test_code_is_no_formula() -> None:
    assert shown("`$x$` $a `b$` c") == "<p><code>$x$</code> $a <code>b$</code> c</p>"
    assert "<math" not in markup.render("    $x$\n\n~~~\n$$x$$\n~~~")


def test_the_source_is_shown_where_a_formula_is_not_understood() -> None:
    assert shown(r"a $\foo{x}$ b") == r"<p>a <code>$\foo{x}$</code> b</p>"
    assert shown("$$\n\\foo{x}\n$$") == r'<p><code class="formula">$$\foo{x}$$</code></p>'
    assert visible(markup.render("```math\n\\foo\n```")).strip() == "\\foo"


def test_displays_scroll_by_keyboard_and_so_do_long_formulas() -> None:
    scroller = 'dir="ltr" role="group" aria-label="Formula" tabindex="0"'
    assert f'<span class="formula" {scroller}><math dir="ltr" display="block">' in markup.render("$$x$$")
    assert f'<span class="long" {scroller}><math dir="ltr">' in markup.render("$" + "x+" * 30 + "y$")


@pytest.mark.parametrize(
    "source",
    [
        "x" * (formulas.MAX_SOURCE + 1),
        "{" * (formulas.MAX_NESTING + 1) + "x" + "}" * (formulas.MAX_NESTING + 1),
        r"\left(" * (formulas.MAX_NESTING + 1) + r"\right)" * (formulas.MAX_NESTING + 1),
        r"\sqrt x" * (formulas.MAX_BARE + 1),
        r"\sqrt " * formulas.MAX_DEPTH + "x",
    ],
    ids=["length", "groups", "brackets", "commands", "elements"],
)
def test_a_formula_beyond_the_bounds_is_not_tried(source: str) -> None:
    assert formulas.mathml(source, True) is None


def test_a_formula_within_the_bounds_is_shown() -> None:
    assert formulas.mathml("x" * formulas.MAX_SOURCE, True)
    assert formulas.mathml("{" * formulas.MAX_NESTING + "x" + "}" * formulas.MAX_NESTING, True)
    assert formulas.mathml(r"\sqrt " * (formulas.MAX_DEPTH - 2) + "x", True)


def test_the_formulas_of_a_text_have_a_bound_together() -> None:
    converter = formulas.Converter()
    made = [converter.mathml("x" * 1_000, False) for _ in range(formulas.MAX_SOURCE_IN_ALL // 1_000 + 1)]
    assert all(made[:-1])
    assert made[-1] is None


def test_many_formulas_leave_room_for_the_text_after_them() -> None:
    text = ("$$\n" + "x^2" * 650 + "\n$$\n\n") * (formulas.MAX_SOURCE_IN_ALL // 1_960)
    html = markup.render(text + "**end**")
    assert html.endswith('<p dir="auto"><strong>end</strong></p>\n')
    assert len(html) <= 10 * len(text) + 64 * 1024


def test_the_converter_is_loaded_with_the_first_formula() -> None:
    program = (
        "import sys; from conversations.markup import rendering; rendering.html('a $5 *b*');"
        "print('math_core' in sys.modules); rendering.html('$x$'); print('math_core' in sys.modules)"
    )
    told = subprocess.run([sys.executable, "-c", program], check=True, timeout=60, stdout=subprocess.PIPE, text=True)
    assert told.stdout.split() == ["False", "True"]


def test_an_open_display_is_shown_as_it_was_written_until_it_closes() -> None:
    renderer = markup.BlockRenderer()
    renderer.feed("$$\n\\begin{cases} a_1 \\\\\n- b_2")
    assert visible(renderer.tail()).strip() == "$$\n\\begin{cases} a_1 \\\\\n- b_2"
    assert '<code class="formula"' in renderer.tail()
    renderer.feed(" \\end{cases}\n$$\n")
    assert "<math" in renderer.take_blocks()


def test_an_open_formula_in_a_line_is_text_until_it_closes() -> None:
    renderer = markup.BlockRenderer()
    renderer.feed("so $x^2 + y")
    assert visible(renderer.tail()).strip() == "so $x^2 + y"
    renderer.feed("^2$ is")
    assert "<math" in renderer.tail()


def test_footnotes_stay_where_they_are_and_are_numbered_in_their_order() -> None:
    text = "One[^b], two[^a], none[^c].\n\n[^b]: *first*\n[^a]: second\n\n    with more\n\nEnd[^B].\n"
    assert shown(text) == (
        "<p>One<sup>[1]</sup>, two<sup>[2]</sup>, none[^c].</p>"
        '<div class="footnote"><sup>[1]</sup><p><em>first</em></p></div>'
        '<div class="footnote"><sup>[2]</sup><p>second</p><p>with more</p></div>'
        "<p>End<sup>[1]</sup>.</p>"
    )


def test_a_footnote_brings_no_id_and_no_link() -> None:
    oracle = check(markup.render("a[^x]\n\n[^x]: see https://b.example\n"))
    assert oracle.links == ["https://b.example"]


def test_the_first_definition_of_a_footnote_counts() -> None:
    html = shown("[^1]: a\n\n[^2]: b\n\n[^1]: c\n\nd[^1][^2]")
    assert html.count("<sup>[1]</sup>") == 3
    assert html.endswith("<p>d<sup>[1]</sup><sup>[2]</sup></p>")


def test_a_footnote_in_a_quote_or_list_is_text() -> None:
    assert "<sup>" not in markup.render("> [^1]: a\n\n- [^2]: b\n\nc[^1][^2]")


def test_a_footnote_that_was_defined_before_works_while_the_text_arrives() -> None:
    renderer = markup.BlockRenderer()
    renderer.feed("[^x]: note\n\ntext[^x]\nand")
    assert "[1]" in visible(renderer.take_blocks())
    assert visible(renderer.tail()).strip() == "text[1]\nand"
