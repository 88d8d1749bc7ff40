"""Text that wants to be more than text: scripts, disguises, breakouts, and loads that want to hold a processor."""

import itertools
import re
import sys
from types import FrameType

import pytest

from conversations import markup
from conversations.markup import formulas, highlighting, limits, parser, sanitiser, writer
from conversations.markup.blocks import Block, Open, Scanner
from conversations.markup.characters import fit
from tests.markup_oracle import DEEPEST, Hostile, check, visible

RAW = [
    "<script>alert(1)</script>",
    "<ScRiPt/src=//x.example>",
    "<script\x0c>alert(1)</script>",
    "<<script>alert(1)//<</script>",
    "<img src=x onerror=alert(1)>",
    "<img/src='x'onerror=alert(1)//",
    "<img src=x:x onerror\x0b=alert(1)>",
    "<svg onload=alert(1)>",
    "<svg><script xlink:href=data:,alert(1)></script>",
    "<svg><style><img src=x onerror=alert(1)></style></svg>",
    "<math><mtext><table><mglyph><style><!--</style><img title='--&gt;&lt;img src=1 onerror=alert(1)&gt;'>",
    "<form><math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
    "<template><script>alert(1)</script></template>",
    "<iframe srcdoc='<script>alert(1)</script>'>",
    "<iframe src=javascript:alert(1)>",
    "<object data=data:text/html,x>",
    "<embed src=//x.example>",
    "<base href=//x.example/>",
    "<meta http-equiv=refresh content='0;url=//x.example'>",
    "<link rel=stylesheet href=//x.example>",
    "<style>@import '//x.example'</style>",
    "<body onload=alert(1)>",
    "<details open ontoggle=alert(1)>",
    "<input autofocus onfocus=alert(1)>",
    "<form action=//x.example><button>a</button></form>",
    "<a href=javascript:alert(1)>a</a>",
    "<a href='java&#x09;script:alert(1)'>a</a>",
    "<p id=composer name=text style='position:fixed;inset:0' data-message=1 hx-get=/x hx-on:click=alert(1)>",
    "<div sse-connect=/x hx-ext=sse hx-swap-oob=true>",
    "<x-element onclick=alert(1)>",
    "<!-- --!><img src=x onerror=alert(1)> -->",
    "<![CDATA[<img src=x onerror=alert(1)>]]>",
    "<?xml version='1.0'?><a/>",
    "<!DOCTYPE html>",
    "</p></div></article><script>alert(1)</script>",
    "</title><script>alert(1)</script>",
    "</textarea></style></script><script>alert(1)</script>",
    "--></script><script>alert(1)</script>",
    '"><script>alert(1)</script>',
    "'><img src=x onerror=alert(1)>",
    "`><script>alert(1)</script>",
    '" onmouseover=alert(1) x="',
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "&#60;img src=x onerror=alert(1)&#62;",
    "&#x3c;script&#x3e;",
    "&amp;lt;script&amp;gt;",
    "&NewLine;&Tab;&colon;&lpar;&rpar;&sol;&lt;&gt;",
    "\\<script\\>alert(1)\\</script\\>",
    "\uff1cscript\uff1ealert(1)\uff1c/script\uff1e",
    "\u202e<script>\u202c\u2066\u2069\u200b\ufeff",
    "\x00<scr\x00ipt>alert(1)</scr\x00ipt>",
    "\ud800\udfff<b>\udc00",
    "\ufffe\uffff\x7f\x80\x9f\x1b[31m",
    "{{7*7}}{% debug %}${7*7}#{7*7}<%= 7*7 %>",
    "data: x\r\n\r\nevent: final\r\ndata: <b>\n\nid: 1",
    "+ADw-script+AD4-alert(1)+ADw-/script+AD4-",
]

ADDRESSES = [
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "javascript&colon;alert(1)",
    "javascript&#58;alert(1)",
    "javascript&#x3a;alert(1)",
    "&#106;avascript:alert(1)",
    "java&Tab;script:alert(1)",
    "java\\script:alert(1)",
    "javascript%3Aalert(1)",
    "\x01javascript:alert(1)",
    "\u200bjavascript:alert(1)",
    "\u00a0javascript:alert(1)",
    "javascript://b.example/%0aalert(1)",
    "vbscript:msgbox(1)",
    "livescript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "data:text/html;base64,PHNjcmlwdD4=",
    "data:image/svg+xml,<svg/onload=alert(1)>",
    "data:image/png;base64,AAAA",
    "blob:https://b.example/1",
    "file:///etc/passwd",
    "ftp://b.example",
    "feed:javascript:alert(1)",
    "view-source:javascript:alert(1)",
    "jar:https://b.example!/",
    "about:blank",
    "chrome://settings",
    "tel:112",
    "ws://b.example",
    "//b.example",
    "///b.example",
    "\\\\b.example",
    "/\\b.example",
    "/admin/",
    "?next=//b.example",
    "./x",
    "https:b.example",
    "https:/b.example",
    "https:///b.example",
    "https:\\\\b.example",
    "https://b.example\\@c.example",
    "https://b.example@c.example",
    "https://b.example:80@c.example",
    "https://b.example%00.c.example",
    "https://b.example%2f@c.example",
    "https://b.example%E3%80%82c.example",
    "https://b.example&#9;.c.example",
    "https://b.example&NewLine;",
    "https://[::1]@c.example",
    "https://[javascript:alert(1)]",
    "https://b.example:99999999/",
    "https://b.example:x/",
    "https://.example",
    "https://-/",
    'https://b.example/"onmouseover=alert(1)',
    "https://b.example/'onmouseover='alert(1)",
    "https://b.example/`onmouseover=alert(1)",
    "https://b.example/&quot;&gt;&lt;script&gt;",
    "https://b.example/<script>",
    '<https://b.example/"><script>alert(1)</script>',
    "https://b.example/\ud800\x00",
    "https://\u202eelpmaxe.b",
    "https://bücher。example",
    "https://" + "ü" * 1000 + ".example",
    "https://b.example/" + "a" * 5000,
    "mailto:a@b.example?bcc=c@d.example&body=%0d%0aTo:e",
    "mailto:javascript:alert(1)@b.example",
    "mailto:<script>@b.example",
    "mailto:a@b@c.example",
]

PLACES = [
    "[a]({0})",
    "![a]({0})",
    "[![a]({0})](https://l.example)",
    "[![a](https://i.example)]({0})",
    "<{0}>",
    "{0}",
    "[a]: {0}\n\n[a] ![a] [b][a]",
    "[google.com]({0} 'b')",
    "| [a]({0}) |\n|-|\n| <{0}> |",
]

FRAMES = [
    "{0}",
    "# {0}",
    "- {0}\n  - [ ] {0}",
    "> {0}",
    "`{0}`",
    "~~~\n{0}\n~~~",
    "~~~{0}\na\n~~~",
    "    {0}",
    "|{0}|\n|-|\n|{0}|",
    "[{0}](https://b.example)",
    "![{0}](https://b.example)",
    "[a](https://b.example '{0}')",
    '[a](https://b.example "{0}")',
    '[{0}]: https://b.example "{0}"\n\n[{0}]',
    "**{0}** *{0}* ~~{0}~~",
    "https://b.example/{0}",
    "${0}$ $`{0}`$ \\({0}\\) \\[{0}=1\\]",
    "$$\n{0}\n$$\n\n$$ {0} = 1 $$",
    "$\\text{{{0}}}$ $\\operatorname{{{0}}}$ $\\mathrm{{{0}}}_1$",
    "\\[\n\\begin{{array}}{{{0}}} \\tag{{{0}}} \\label{{{0}}} a \\end{{array}}\n\\]",
    "$$\\begin{{{0}}} x^2 \\end{{{0}}}$$ $\\hspace{{{0}}} x$",
    "```math\n\\text{{{0}}}\n```",
    "[^{0}]: {0}\n\n[^{0}]",
    "[^1]: {0}\n[^1]: {0}\n\na[^1]{0}",
]

BROKEN = [
    '[a](https://b.example "',
    "[a](<https://b.example",
    "[[a](https://b.example)](https://c.example)",
    "[a <https://c.example> b](https://b.example)",
    "[a https://c.example b](https://b.example)",
    "[a [b](https://c.example) d][e]\n\n[e]: https://f.example",
    "![[a](https://b.example)](https://c.example)",
    "[![![a](https://b.example)](https://c.example)](https://d.example)",
    "[a](https://b.example)(javascript:alert(1))",
    "[a]\n(javascript:alert(1))",
    "*[a*](https://b.example)*",
    "**a *b** c*",
    "`a``b```c",
    "<https://b.example",
    "<a@b.example",
    "&#0; &#x0; &#xD800; &#x110000; &#99999999; &#x80; &#128; &nbsp; &zwnj;",
    "|a|\n|-|\n|`|`|",
    "|a\\|b|\n|-|\n|\\||",
    "- > - > 1. ```\n- > ~~~",
    "~~~`\n```~\n~~~",
    "\\" * 9 + "[a](https://b.example)",
    "[" * 60 + "a" + "](https://b.example)" * 60,
    "*" * 99 + "a" + "*" * 99,
    "> " * 60 + "deep",
    "- " * 60 + "deep",
    "1. " * 60 + "deep",
    "".join("  " * level + "- a\n" for level in range(60)),
    "*a **b " * 60 + "c" + "** *" * 60,
    "~~a *b " * 60 + "c" + "* ~~" * 60,
]

FORMULAS = [
    r"\href{javascript:alert(1)}{x}",
    r"\url{javascript:alert(1)}",
    r"\class{code}{x}",
    r"\style{position:fixed;inset:0}{x}",
    r"\cssId{composer}{x}",
    r"\htmlData{hx-get=/x}{x}",
    r"\htmlId{composer}{x}",
    r"\includegraphics[width=9em]{//x.example}",
    r"\unicode{x3c}script\unicode{x3e}",
    r"\char60 script\char62",
    r"\begin{html}<script>\end{html}",
    r"\special{html:<script>}",
    r"\input{/etc/passwd}",
    r"\write18{id}",
    r"\catcode`\%=0",
    r"\def\frac#1#2{<script>}\frac12",
    r"\newcommand{\x}{\x\x}\x",
    r"\let\text\href \text{javascript:alert(1)}{x}",
    r"\require{action}\toggle{x}{y}\endtoggle",
    r"\color{red;background:url(//x.example)}x",
    r"\colorbox{red}{x}",
    r"\mathchoice{x}{y}{z}{w}",
    r"\rule{99em}{99em}",
    r"\hspace{-99em}x",
    r"\raise99em{x}",
    r"\text{</mtext></math><script>alert(1)</script>}",
    r"\text{<mglyph><style><!--</style><img title='--><img src=1 onerror=alert(1)>'>}",
    r"\text{&lt;img src=x onerror=alert(1)&gt;}",
    r"\operatorname{<annotation-xml encoding='text/html'><script>}",
    r"\mathbf{<maction actiontype='statusline#//x.example'>}",
    r"\textbf{<b>}",
    r"\textit{</i></mtext>}",
    r"\tag{<script>}x",
    r"\tag{$x$}x",
    r"\label{<script>}x",
    r"x \\[99em] y",
    r"\begin{array}{c@{<script>}c}a&b\end{array}",
    r"\begin{array}{*{99999}{c}}a\end{array}",
    r"\left<script>\right>",
    r"\bcancel{x}\xcancel{y}",
    "{" * 500 + "}" * 500,
    "\\sqrt" * 300 + "x",
    "\\frac x" * 280 + "y",
    "x^{" * 300 + "}" * 300,
    "\\left(" * 200 + "\\right)" * 200,
    r"\begin{matrix}" * 60 + r"\end{matrix}" * 60,
    "\\hat " * 399 + "x",
    "\\not" * 400 + "=",
    "'" * 900 + "x",
    "x" * 1_999,
    "\u202ex\u202c",
    "\x00x^2",
    "x\ud800^2",
    "\ufe0fx\u200b^2",
    "=" + "&" * 100,
    "\\\\" * 200 + "=",
    r"\limits_x^y",
    r"\middle|=",
    r"\over\over",
    r"\text{\text{\text{x}}}",
]

CORPUS = [
    *RAW,
    *(frame.format(formula) for frame, formula in itertools.product(["${0}$", "$$\n{0}\n$$", "a \\({0}\\)"], FORMULAS)),
    *(frame.format(raw) for frame, raw in itertools.product(FRAMES, RAW)),
    *(place.format(address) for place, address in itertools.product(PLACES, ADDRESSES)),
    *BROKEN,
    "\n\n".join(RAW),
    "\n".join(RAW),
    " ".join(ADDRESSES),
]


def test_the_corpus_is_large() -> None:
    assert len(set(CORPUS)) > 2_000
    assert len(set(FORMULAS)) >= 60


@pytest.mark.parametrize("start", range(0, len(CORPUS), 100))
def test_hostile_text_is_only_text(start: int) -> None:
    for text in CORPUS[start : start + 100]:
        check(markup.render(text))
        check(markup.plain(text).replace("&quot;", '"').replace("&#x27;", "'").replace("\u00a0", "&nbsp;"))


@pytest.mark.parametrize("start", range(0, len(CORPUS), 100))
def test_hostile_text_is_only_text_while_it_arrives(start: int) -> None:
    for text in CORPUS[start : start + 100]:
        renderer = markup.BlockRenderer()
        for place in range(0, len(text), 9):
            renderer.feed(text[place : place + 9])
            check(renderer.take_blocks())
            check(renderer.tail())
        check(renderer.finish())


@pytest.mark.parametrize("start", range(0, len(CORPUS), 200))
def test_the_sanitiser_has_nothing_left_to_do(start: int) -> None:
    """Two locks on one door: the writer alone already writes only what the sanitiser lets pass."""
    for text in CORPUS[start : start + 200]:
        scanner = Scanner()
        for block in [*scanner.feed(text), *scanner.finish()]:
            html = written(block, scanner)
            assert sanitiser.clean(html) == html


def written(block: Block, scanner: Scanner) -> str:
    if block.is_plain:
        return writer.plain(block.source)
    parser.parse_inlines(block.tokens, {"references": scanner.references})
    return writer.write(block.tokens, 10**9, highlighting.Highlighter().html, formulas.Converter().mathml)


@pytest.mark.parametrize("raw", RAW)
def test_raw_html_can_be_read(raw: str) -> None:
    """What looks like an element is shown, not swallowed."""
    shown = visible(markup.render(f"~~~\n{raw}\n~~~"))
    assert shown == fit(raw) + "\n\n"


def test_the_sanitiser_alone_stops_everything() -> None:
    for raw in RAW:
        check(sanitiser.clean(fit(raw)))
    for address in ADDRESSES:
        kept = re.findall('href="([^"]*)', sanitiser.clean(f'<a href="{fit(address)}">a</a>'))
        assert all(re.match("(?:https?|mailto):", each) for each in kept)


@pytest.mark.parametrize(
    "html",
    [
        "<script>",
        "<p>",
        "<p></div>",
        "<p onclick=a></p>",
        '<p style="a"></p>',
        '<p class="code"></p>',
        '<p dir="rtl"></p>',
        '<span class="code"></span>',
        '<code class="language-x y"></code>',
        '<a href="javascript:a" rel="noopener noreferrer nofollow ugc">a</a>',
        '<a href="https://b.example">a</a>',
        '<a href="https://b@c.example" rel="noopener noreferrer nofollow ugc">a</a>',
        '<a href="https://b.example" rel="noopener noreferrer nofollow ugc" target="_blank">a</a>',
        "<em>" * 81 + "</em>" * 81,
        "<!-- a -->",
        "<br/>",
        "a < b",
        "a & b",
        "<P></P>",
        "a\x00",
    ],
)
def test_the_reader_of_this_suite_refuses(html: str) -> None:
    with pytest.raises(Hostile):
        check(html)


def repeated(unit: str, length: int) -> str:
    return (unit * (length // len(unit) + 1))[:length]


LOADS = {
    "brackets": "[",
    "bracketed words": "[a ",
    "picture marks": "![",
    "brackets over lines": "![===\n",
    "links that are not closed": "[a](" + "x" * 60,
    "titles that are not closed": '[a](b "',
    "pictures in pictures": ("![" + "*a*" * 20) * 6 + "](http://a)" * 6 + "\n\n",
    "emphasis": "*a **b _c ",
    "closed emphasis": "**a** _b_ ",
    "marks in turn": "*_",
    "tildes": "~~a",
    "backticks": "`a``b```c",
    "angles": "<a",
    "addresses": "<http://a>",
    "bare addresses": "http://a ",
    "brackets behind an address": "http://a.b/" + ")" * 50,
    "entities": "&amp;&",
    "backslashes": "\\",
    "lines": "a\n",
    "paragraphs": "a\n\n",
    "headings": "#\n",
    "underlines": "a\n=\n",
    "rules": "***\n",
    "items": "- a\n* b\n",
    "deep items": "- - - - - - - - - a\n",
    "deep quotes": ">" * 19 + "a\n",
    "quotes of code": ">      a\nb\n",
    "lazy lines": ">>> a\n2. b\n",
    "fences": "```\n```\n",
    "definitions": "[a]: b 'x\n",
    "used definitions": "[a]: http://b\n[a] ",
    "tables": "|a|b|\n|-|-|\n# c\n",
    "short rows": "|a|b|c|d|\n|-|-|-|-|\na\nb\nc\n",
    "rows": "|a|b|\n|-|-|\n|c|\n|d|e|\n",
    "pipes": "|",
    "spaces": "a" + " " * 30,
    "tabs": "-\t-\ta\n",
    "carriage returns": "a\r",
    "dollars": "$",
    "prices": "$5 and ",
    "formulas": "$x$ ",
    "formulas with commands": "$\\alpha_1^2$ ",
    "brackets of formulas": "\\(a ",
    "double dollars": "$$ a ",
    "displays": "$$\nx\n$$\n",
    "open displays": "$$\nx\n\n",
    "notes": "[^1]: a\n",
    "deep notes": "[^1]: > - a\n",
    "many notes": "[^1]: a\n\n    b\n\n",
    "marks of notes": "[^1] ",
}
PREFIXED = {
    "lazy lines of a deep quote": (">" * 19 + "a\n", "a\n"),
    "lazy lines of a deep list": ("- " * 9 + "a\n", "=a\n"),
    "lines that look like items": ("a\n", "2. x\n"),
    "a definition used": ("[a]: http://" + "x" * 2000 + "\n\n", "[a] "),
    "a title over lines": ("[a]: b '", "x\n"),
    "a wide table": ("|a" * 250 + "\n" + "|-" * 250 + "\n", "a\n"),
    "code": ("```python\n", "x = [1]\n"),
    "a used note": ("[^1]: a\n\n", "[^1] "),
    "an open display": ("$$\n", "- x\n"),
    "a long formula": ("$", "x_1+"),
}


def load(name: str, length: int) -> str:
    start, unit = PREFIXED.get(name, ("", LOADS.get(name, "")))
    return start + repeated(unit, length)


def calls(text: str) -> int:
    """How many functions run to render a text: work that is the same on every machine."""
    count = 0

    def one(frame: FrameType, event: str, argument: object) -> None:
        nonlocal count
        count += event == "call"

    sys.setprofile(one)
    try:
        markup.render(text)
    finally:
        sys.setprofile(None)
    return count


@pytest.mark.parametrize("name", [*LOADS, *PREFIXED])
def test_the_work_for_a_load_grows_with_its_length_and_no_faster(name: str) -> None:
    small, large = load(name, 1_500), load(name, 6_000)
    markup.render(small)
    work = calls(large)
    assert work < 4.5 * calls(small) + 5_000
    assert work < 250 * len(large)


@pytest.mark.parametrize("name", [*LOADS, *sorted(PREFIXED.keys() - {"code"})])
def test_the_work_for_a_load_was_foreseen(name: str) -> None:
    """A unit is about one function call. (Code is not parsed; its colours have a limit of their own.)"""
    text = load(name, 3_000)
    open_text = Open()
    for line in fit(text).splitlines(keepends=True):
        open_text.add(line, *open_text.cost(line))
    assert calls(text) < 1.5 * open_text.work + 10_000


@pytest.mark.parametrize("name", [*LOADS, *PREFIXED])
def test_the_html_of_a_load_is_bounded(name: str) -> None:
    text = load(name, 30_000)
    html = markup.render(text)
    check(html)
    assert len(html) <= 10 * len(text) + 64 * 1024


@pytest.mark.parametrize("name", ["brackets", "lines", "deep items", "bare addresses"])
def test_a_text_of_a_megabyte_is_mostly_shown_as_it_was_written(name: str) -> None:
    text = load(name, 2**20)
    scanner = Scanner()
    blocks = [*scanner.feed(text), *scanner.finish()]
    assert "".join(block.source for block in blocks) == fit(text if text.endswith("\n") else text + "\n")
    assert scanner.is_spent
    assert scanner.parsed < len(text)
    html = markup.render(text)
    assert visible(html).split("\n")[-3] in text.split("\n")[-2:]
    assert len(html) <= 10 * len(text) + 64 * 1024


def test_prose_of_a_megabyte_is_formatted_to_its_end() -> None:
    text = repeated("The quick brown fox jumps over the lazy dog. " * 20 + "\n\n", 2**20 - 10) + "\n\n**end**"
    assert markup.render(text).endswith('<p dir="auto"><strong>end</strong></p>\n')


def test_what_comes_after_the_limit_is_not_lost() -> None:
    text = "*a*\n" * (limits.MAX_WORK // 200) + "the end < here"
    assert visible(markup.render(text)).endswith("the end < here\n\n")


def test_a_block_nested_too_deep_is_shown_as_it_was_written() -> None:
    for unit in ("> ", "- ", "1. "):
        html = markup.render(unit * 60 + "deep\n\n*after*")
        assert html == f'<div class="plain" dir="auto">{unit.replace(">", "&gt;") * 60}deep\n</div>\n' \
            '<p dir="auto"><em>after</em></p>\n'  # fmt: skip


def test_nesting_within_the_limit_is_kept() -> None:
    html = markup.render(">" * (limits.MAX_NESTING - 1) + "a")
    assert check(html).elements.count("blockquote") == limits.MAX_NESTING - 1 < DEEPEST


def test_emphasis_nested_too_deep_is_shown_as_it_was_written() -> None:
    text = "*a __b " * 30 + "c" + "__*" * 30
    assert visible(markup.render(text)) == text + "\n"


def test_the_parser_stops_where_quotes_look_at_the_same_lines_again_and_again() -> None:
    text = ">      a\n" + "b\n>      a\n" * 2_000
    with pytest.raises(parser.TooMuch):
        parser.parse_blocks(text, {}, sum(limits.work(line, 0)[0] for line in text.splitlines(keepends=True)))
    html = markup.render(text + "\nb\n\n*after*")
    assert html.startswith('<div class="plain"')
    assert html.endswith('<p dir="auto"><em>after</em></p>\n')


def test_a_table_ends_where_its_cells_would_have_to_be_made_up() -> None:
    columns = 200
    text = "|a" * columns + "\n" + "|-" * columns + "\n" + "b\n" * 500
    cells = markup.render(text).count("<td")
    assert 0 < cells < 3 * columns


def test_a_long_address_used_often_does_not_flood_the_page() -> None:
    text = "[a]: http://" + "x" * 2000 + "\n\n" + "[a]\n\n" * 2_000
    html = markup.render(text)
    check(html)
    assert len(html) <= 10 * len(text) + 64 * 1024
    assert html.endswith("[a]<br>\n<br>\n")
