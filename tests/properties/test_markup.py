"""Any text, cut anywhere: the same HTML, nothing hostile in between, nothing lost."""

import string

from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it.token import Token

from conversations import markup
from conversations.markup import sanitiser, writer
from conversations.markup.blocks import Scanner
from conversations.markup.characters import fit
from conversations.markup.formulas import Converter
from conversations.markup.highlighting import Highlighter
from conversations.markup.parser import Env, parse_blocks, parse_inlines
from tests.markup_oracle import check, visible

LINES = [
    "\n", "\n\n", "  \n", "\r\n", "a\n", "b c\n", "# h\n", "## \n", "===\n", "---\n", "- - -\n", "***\n",
    "- a\n", "- \n", "* a\n", "+ a\n", "1. a\n", "2) b\n", "  - b\n", "   1. c\n", "- [ ] t\n", "- [x] t\n",
    "- ```\n", "  x\n", "    code\n", "\tx\n", "> a\n", ">> b\n", "> - c\n", "> ```\n", ">\n", "```\n",
    "```py\n", " ```\n", "   ```\n", "````\n", "~~~\n", "~~~ x\n", "| a | b |\n", "|-|-|\n", "-|-\n", "a|b\n",
    ":-:\n", "[a]: https://b.example\n", "[a]: https://c.example 't'\n", "[b]:\n", "https://d.example\n",
    "'t'\n", '"t\n', "$$\n", " $$\n", "$$ x\n", "x $$\n", "$$a$$\n", "\\[\n", "\\]\n", "x \\] y\n", "- $$\n", "> $$\n",
    "  $$\n", "[^1]: n\n", "[^a]:\n", "    [^1]: m\n", "> [^1]: q\n", "- [^2]: r\n", "    note\n", "```math\n",
]  # fmt: skip
PIECES = [
    "a", "b ", " ", "\t", "\\", "*", "**", "_", "__", "~~", "`", "``", "<", ">", "&", "&amp;", "&#60;", "!",
    "[", "]", "(", ")", "[a]", "[b][a]", "![a]", "[c](https://d.example)", "![c](https://d.example)",
    "[google.com](https://d.example)", "](javascript:alert(1))", "](data:,a)", "<https://d.example>",
    "<javascript:a>", "https://d.example/e_f", "<script>", "</p>", "<!--", "onclick=", "style=", '"', "'", "|",
    "\x00", "\r", "\u2028", "\u202e", "\u00a0", "\ud800", "é", "字", "☑", "=", "-", "+", "1.", ":", "#",
    "x@y.example", "www.", "$", "$$", "$x$", "$x^2$", "$5", "\\(", "\\)", "\\[", "\\]", "\\frac{a}{b}",
    "\\begin{cases}", "\\end{cases}", "\\\\", "\\text{", "{", "}", "[^1]", "[^a]", "[^", "$`x`$",
]  # fmt: skip

markdown = st.lists(st.one_of(st.sampled_from(LINES), st.sampled_from(PIECES), st.text(max_size=5)), max_size=25).map(
    "".join
)


@st.composite
def cut(draw: st.DrawFn) -> tuple[str, list[str]]:
    """A text and its pieces in order."""
    text = draw(markdown)
    places = sorted(draw(st.lists(st.integers(0, len(text)), max_size=12)))
    return text, [text[start:end] for start, end in zip([0, *places], [*places, len(text)], strict=True)]


def streamed(pieces: list[str]) -> str:
    renderer = markup.BlockRenderer()
    html = ""
    for piece in pieces:
        renderer.feed(piece)
        html += renderer.take_blocks()
    return html + renderer.finish()


@settings(max_examples=300, deadline=None)
@given(cut())
def test_any_cutting_ends_in_the_html_of_the_whole(case: tuple[str, list[str]]) -> None:
    text, pieces = case
    html = streamed(pieces)
    assert html == streamed([text]) == streamed(list(text))
    if "]:" not in text:  # a link may only be defined after the block that uses it
        assert html == markup.render(text)


@settings(max_examples=300, deadline=None)
@given(cut())
def test_nothing_hostile_is_shown_at_any_moment(case: tuple[str, list[str]]) -> None:
    text, pieces = case
    renderer = markup.BlockRenderer()
    for piece in pieces:
        renderer.feed(piece)
        check(renderer.take_blocks())
        check(renderer.tail())
    check(renderer.finish())
    assert check(renderer.whole()).written == check(markup.render(text)).written


def meaning(token: Token) -> dict[str, object]:
    """All of a token but its line numbers."""
    return {name: value for name, value in token.as_dict().items() if name != "map"}


@settings(max_examples=400, deadline=None)
@given(markdown)
def test_blocks_found_line_by_line_are_those_of_the_whole_text(text: str) -> None:
    whole = fit(text if text.endswith(("\n", "\r")) else text + "\n")
    env: Env = {}
    expected = [meaning(token) for token in parse_blocks(whole, env, 10**9)]
    scanner = Scanner()
    blocks = [*scanner.feed(text), *scanner.finish()]
    assert [meaning(token) for block in blocks for token in block.tokens] == expected
    if text:
        assert "".join(block.source for block in blocks) == whole
    defined = {label: target["href"] for label, target in env.get("references", {}).items()}
    assert {label: target["href"] for label, target in scanner.references.items()} == defined


@settings(max_examples=300, deadline=None)
@given(markdown)
def test_the_sanitiser_has_nothing_left_to_do(text: str) -> None:
    scanner = Scanner()
    for block in [*scanner.feed(text), *scanner.finish()]:
        parse_inlines(block.tokens, {"references": scanner.references})
        html = writer.write(block.tokens, 10**9, Highlighter().html, Converter().mathml)
        assert sanitiser.clean(html) == html


@settings(max_examples=300, deadline=None)
@given(st.text() | markdown)
def test_escaped_text_is_only_text(text: str) -> None:
    for html in (markup.escaped(text), markup.plain(text)):
        assert not set(html) & set("<>\"'")
        as_written = html.replace("&quot;", '"').replace("&#x27;", "'").replace("\u00a0", "&nbsp;")
        assert visible(as_written) == fit(text)
    assert markup.escaped(text) == "".join(map(markup.escaped, text.replace("\r\n", "\n")))


words = st.text(string.ascii_lowercase, min_size=3, max_size=8).map(lambda word: f"{word}0")
placed = st.tuples(
    st.sampled_from([
        "{}\n", "{}\n\n", "# {}\n", "{}\n===\n", "- {}\n", "1. {}\n", "  - {}\n", "- [x] {}\n", "> {}\n",
        "> - {}\n", "    {}\n", "**{}**\n", "*{}\n", "`{}`\n", "`{}\n", "<{}>\n", "&{};\n",
        "[{}](https://b.example)\n", "[{}](javascript:a)\n", "![{}](https://b.example)\n", "[{}]\n",
        "```\n{}\n```\n", "~~~\n{}\n", "\n| {} | b |\n|---|---|\n| c | d |\n\n", "<script>{}</script>\n",
        "\t{}\n", "~~{}~~\n",
    ]),
    words,
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(st.lists(placed, max_size=12))
def test_no_word_is_lost(pairs: list[tuple[str, str]]) -> None:
    text = "".join(frame.format(word) for frame, word in pairs)
    shown = visible(markup.render(text))
    renderer = markup.BlockRenderer()
    renderer.feed(text)
    open_and_done = visible(renderer.take_blocks() + renderer.tail())
    for _, word in pairs:
        assert word in shown
        assert word in open_and_done
