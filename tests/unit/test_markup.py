"""Markdown as people see it: what each construct becomes, where links lead, which code has colours."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.utils.safestring import SafeString
from pygments.lexers import PythonLexer

from conversations import markup
from conversations.markup import highlighting, links
from tests.markup_oracle import check, visible

REL = 'rel="noopener noreferrer nofollow ugc"'


def body(text: str) -> str:
    """The HTML of a text, without the attributes that all elements of a kind have."""
    html = str(markup.render(text))
    check(html)
    for always in (f" {REL}", ' dir="auto"', ' dir="ltr"', ' tabindex="0"', ' role="group" aria-label="Table"'):
        html = html.replace(always, "")
    return re.sub(r">\n+", ">", html).strip()


def code(inner: str, language: str = "") -> str:
    kind = f' class="language-{language}"' if language else ""
    return f'<div class="code"><pre><code{kind}>{inner}</code></pre></div>'


def place(host: str) -> str:
    return f' <span class="host">({host})</span>'


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("a\nb", "<p>a\nb</p>"),
        ("a  \nb\\\nc", "<p>a<br>b<br>c</p>"),
        ("# a #\n## b\n####### c", "<h1>a</h1><h2>b</h2><p>####### c</p>"),
        ("a\n===\nb\n---", "<h1>a</h1><h2>b</h2>"),
        ("*a* **b** _c_ __d__ ~~e~~", "<p><em>a</em> <strong>b</strong> <em>c</em> <strong>d</strong> <s>e</s></p>"),
        ("***a***", "<p><em><strong>a</strong></em></p>"),
        ("snake_case_name 2*3*4", "<p>snake_case_name 2<em>3</em>4</p>"),
        ("**bold*", "<p>*<em>bold</em></p>"),
        ("`a < b` ``c`d``", "<p><code>a &lt; b</code> <code>c`d</code></p>"),
        ("***\n- - -\n___", "<hr><hr><hr>"),
        ("> a\nb\n>\n> c", "<blockquote><p>a\nb</p><p>c</p></blockquote>"),
        ("> a\n\n> b", "<blockquote><p>a</p></blockquote><blockquote><p>b</p></blockquote>"),
        ("- a\n- b\n\n\nc", "<ul><li>a\n</li><li>b\n</li></ul><p>c</p>"),
        ("- a\n\n- b", "<ul><li><p>a</p></li><li><p>b</p></li></ul>"),
        ("- a\n* b", "<ul><li>a\n</li></ul><ul><li>b\n</li></ul>"),
        ("3. a\n4. b", '<ol start="3"><li>a\n</li><li>b\n</li></ol>'),
        ("a\n2. b", "<p>a\n2. b</p>"),
        ("- a\n  - b\n\n    c", "<ul><li>a\n<ul><li><p>b</p><p>c</p></li></ul></li></ul>"),
        ("1. a\n   ~~~\n   b\n2. c", "<ol><li>a\n" + code("b\n") + "</li><li>c\n</li></ol>"),
        ("    a\n\n    b\nc", code("a\n\nb\n") + "<p>c</p>"),
        ("```\n<b>\n```", code("&lt;b&gt;\n")),
        ("~~~ \na\n```\n~~~", code("a\n```\n")),
        ("```\nnot closed\n\n# a", code("not closed\n\n# a\n")),
        (" ```\n a\n  b\n ```", code("a\n b\n")),
        ("\\*a\\* &amp; &copy; &#35; &bogus;", "<p>*a* &amp; © # &amp;bogus;</p>"),
        ("a\r\nb\rc", "<p>a\nb\nc</p>"),
        ("a\x00b\x1bc\x85d\ud800e", "<p>a\ufffdb\ufffdc\ufffdd\ufffde</p>"),
        ("<b>a</b> <!-- c --> &lt;i&gt;", "<p>&lt;b&gt;a&lt;/b&gt; &lt;!-- c --&gt; &lt;i&gt;</p>"),
        ("<div>\n\n*a*\n\n</div>", "<p>&lt;div&gt;</p><p><em>a</em></p><p>&lt;/div&gt;</p>"),
        ("a\u2028b\u00a0c", "<p>a\u2028b&nbsp;c</p>"),
        ("", ""),
        (" \n\n\t\n", ""),
    ],
)
def test_markdown_becomes_html(text: str, html: str) -> None:
    assert body(text) == html


def test_a_text_has_the_direction_of_its_own_words() -> None:
    html = markup.render("# a\n\nb\n\n- c\n\n  d\n\n|e|\n|-|\n|f|\n")
    for start in ("<h1", "<p", "<li", "<p", "<th", "<td"):
        assert f'{start} dir="auto">' in html
    assert '<li dir="auto"><p>c</p>\n<p dir="auto">d</p>' in html  # the item takes the direction of its first text


def test_a_table_scrolls_by_keyboard_and_keeps_its_alignment() -> None:
    html = markup.render("a | b | c | d\n:-|:-:|-:|-\n1 | *2*\n")
    assert html.startswith('<div class="table" role="group" aria-label="Table" tabindex="0"><table>\n<thead>')
    assert body("a | b | c | d\n:-|:-:|-:|-\n1 | *2*\n") == (
        '<div class="table"><table><thead><tr><th align="left">a</th><th align="center">b</th><th align="right">c</th>'
        '<th>d</th></tr></thead><tbody><tr><td align="left">1</td><td align="center"><em>2</em></td>'
        '<td align="right"></td><td></td></tr></tbody></table></div>'
    )


TODO = '<span class="task" role="img" aria-label="not done">☐</span>'
DONE = '<span class="task" role="img" aria-label="done">☑</span>'


def test_tasks_are_drawn_as_text_that_says_how_they_stand() -> None:
    assert body("- [ ] a\n- [x] b\n- [y] c") == (f"<ul><li>{TODO} a\n</li><li>{DONE} b\n</li><li>[y] c\n</li></ul>")
    assert body("1. [X] a\n\n   b") == f"<ol><li><p>{DONE} a</p><p>b</p></li></ol>"
    assert body("- [ ] # a") == f"<ul><li>{TODO} <h1>a</h1></li></ul>"


def test_the_words_of_the_renderer_can_be_in_another_language() -> None:
    html = markup.render('- [x] aria-label="Table"\n- [ ] b\n\n|c|\n|-|\n\n$$x$$')
    words = {"Table": 'Ta"belle', "Formula": "Formel", "done": "erledigt", "not done": "offen"}
    german = markup.in_words(html, words)
    assert isinstance(german, SafeString)
    assert re.findall('<[^>]*aria-label="([^"]*)"', german) == ["erledigt", "offen", "Ta&quot;belle", "Formel"]
    assert 'aria-label="Table"' in german  # what the text says is left alone
    assert markup.in_words(html, {word: word for word in words}) == html


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("[a](https://b.example/c_d?e=f&g#h)", "https://b.example/c_d?e=f&g#h"),
        ("[a](<https://b.example/c>)", "https://b.example/c"),
        ("[a](https://b.example/c(d)e)", "https://b.example/c(d)e"),
        ("[a](https://b.example/c%20d 'title')", "https://b.example/c%20d"),
        ("[a](https://b.example/ü)", "https://b.example/%C3%BC"),
        ("[a](https://bücher.example/)", "https://xn--bcher-kva.example/"),
        ("[a](https://BÜCHER.example/)", "https://xn--bcher-kva.example/"),
        ("[a](https://ｂ.example/)", "https://b.example/"),
        ("[a](HTTPS://B.Example)", "HTTPS://B.Example"),
        ("[a](http://[::1]:8000/)", "http://[::1]:8000/"),
        ("[a](mailto:b@c.example)", "mailto:b@c.example"),
        ("[a]\n\n[a]: https://b.example 'title'", "https://b.example"),
        ("[c][a]\n\n[A]: https://b.example", "https://b.example"),
        ("<https://b.example/c>", "https://b.example/c"),
        ("<b@c.example>", "mailto:b@c.example"),
        ("https://b.example/c_d_e", "https://b.example/c_d_e"),
        ("(see https://b.example/c.)", "https://b.example/c"),
        ("https://b.example/c_(d))", "https://b.example/c_(d)"),
        ("**https://b.example**", "https://b.example"),
        ('"https://b.example/"', "https://b.example/"),
        ("在https://b.example/看。", "https://b.example/"),
    ],
)
def test_an_address_becomes_a_link(text: str, address: str) -> None:
    assert check(markup.render(text)).links == [address]


@pytest.mark.parametrize(
    "text",
    [
        "[a](javascript:alert(1))",
        "[a](/admin/)",
        "[a](//b.example)",
        "[a](ftp://b.example)",
        "[a](data:text/html,b)",
        "[a](https:b.example)",
        "[a](https:/b.example)",
        "[a](http://)",
        "[a](https://b@c.example)",
        "[a](https://b.example%2ec.example)",
        "[a](https://b.example:port/)",
        "[a](https://" + "b" * 2048 + ")",
        "[a](https://" + "üü.example." * 7 + ")",
        "[a](mailto:b)",
        "[a](mailto:b@c.example,d@e.example)",
        "<javascript:alert(1)>",
        "![a](data:image/png;base64,AA==)",
        "[a]\n\n[a]: javascript:alert(1)",
        "xhttps://b.example",
        "https://",
        "`https://b.example`",
    ],
)
def test_everything_else_stays_as_it_was_written(text: str) -> None:
    html = markup.render(text)
    assert check(html).links == []
    assert visible(html).split() == text.replace("`", "").split()


def test_a_link_into_the_page_leads_nowhere() -> None:
    assert body("[Summary](#summary)") == "<p>Summary</p>"
    assert body("[empty]()") == "<p>empty</p>"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("[google.com](https://evil.example)", "google.com (evil.example)"),
        ("[https://google.com/a](https://evil.example/google.com)", "https://google.com/a (evil.example)"),
        ("[go**ogle**.com](https://evil.example)", "google.com (evil.example)"),
        ("[`google.com`](https://evil.example)", "google.com (evil.example)"),
        ("[goo\u200bgle\u2024com](https://evil.example)", "goo\u200bgle\u2024com (evil.example)"),
        ("[google\u200b.com](https://evil.example)", "google\u200b.com (evil.example)"),
        ("[ｇｏｏｇｌｅ。com](https://evil.example)", "ｇｏｏｇｌｅ。com (evil.example)"),
        ("[gооgle.com](https://google.com)", "gооgle.com (google.com)"),  # two Cyrillic letters
        ("[me@bank.example](https://evil.example)", "me@bank.example (evil.example)"),
        ("[support@bank.example](mailto:a@evil.example)", "support@bank.example (a@evil.example)"),
        ("[192.168.0.1](https://evil.example)", "192.168.0.1 (evil.example)"),
        ("[http://localhost/](https://evil.example)", "http://localhost/ (evil.example)"),
        ("[a/google.com](https://evil.example)", "a/google.com (evil.example)"),
        ("[google.com](https://google.com.evil.example)", "google.com (google.com.evil.example)"),
        (
            "[x ![google.com](https://a.example/b)](https://evil.example)",
            "x google.com (evil.example) image (a.example)",
        ),
        ("https://bücher.example", "https://bücher.example (xn--bcher-kva.example)"),
    ],
)
def test_a_link_that_names_another_host_shows_where_it_leads(text: str, shown: str) -> None:
    html = markup.render(text)
    assert visible(html).strip() == shown
    assert '<span class="host" dir="ltr">(' in html


@pytest.mark.parametrize(
    "text",
    [
        "[the documentation](https://docs.example/)",
        "[docs.example](https://docs.example/page.html)",
        "[https://www.docs.example/page.html](http://docs.example/other.html)",
        "[version 1.2](https://docs.example/)",
        "[e.g. this](https://docs.example/)",
        "https://docs.example/page.html",
        "<https://docs.example:8080/page.html>",
        "[Docs.Example](https://docs.example/)",
    ],
)
def test_an_honest_link_is_left_alone(text: str) -> None:
    html = markup.render(text)
    assert check(html).links
    assert "host" not in html


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("![a cat](https://i.example/c.png)", '<a href="https://i.example/c.png">a cat' + place("i.example") + "</a>"),
        ("![*a* `b`](https://i.example/c.png)", '<a href="https://i.example/c.png">a b' + place("i.example") + "</a>"),
        ("![](https://i.example/c.png)", '<a href="https://i.example/c.png">image' + place("i.example") + "</a>"),
        ("![a]\n\n[a]: https://i.example", '<a href="https://i.example">a' + place("i.example") + "</a>"),
        ("![b][a]\n\n[a]: https://i.example", '<a href="https://i.example">b' + place("i.example") + "</a>"),
        (
            "[![a](https://i.example)](https://l.example)",
            f'<a href="https://l.example">a{place("l.example")}</a> '
            f'<a href="https://i.example">image{place("i.example")}</a>',
        ),
        (
            "![a ![b](https://j.example) c](https://i.example)",
            f'<a href="https://i.example">a b c{place("i.example")}</a>',
        ),
        ("![a](#b)", "a"),
    ],
)
def test_a_picture_is_never_loaded(text: str, html: str) -> None:
    assert body(text) == f"<p>{html}</p>"


@pytest.mark.parametrize(
    ("info", "language"),
    [
        ("python", "python"),
        ("py", "python"),
        ("Python title=x", "python"),
        ("c++", "cpp"),
        ("jsonc", "json"),
        ("{.python}", ""),
        ("klingon", ""),
        ('python" onclick=x', "python"),
        ("", ""),
    ],
)
def test_the_info_string_chooses_the_language(info: str, language: str) -> None:
    assert highlighting.language(info) == language
    assert (f'<code class="language-{language}">' if language else "<code>") in markup.render(f"~~~{info}\nx\n~~~")


def test_code_is_coloured_by_classes() -> None:
    html = body("```python\n@a\ndef f(x):\n    return '<%s>' % 1  # c\n```")
    for span in ('<span class="nd">@a', '<span class="k">def ', '<span class="nf">f', '<span class="c"># c'):
        assert span in html
    assert visible(html) == "@a\ndef f(x):\n    return '<%s>' % 1  # c\n"


LANGUAGES = {
    "bash": 'for f in *.txt; do echo "$f"; done',
    "c": "int main(void) { return 0; } // c",
    "cpp": "template <typename T> class A { T x = 1; };",
    "csharp": 'public class A { string s = "b"; }',
    "clojure": '(defn f [x] (str "a" x))',
    "css": "a { color: red; }",
    "dart": "void main() { print('a'); }",
    "diff": "- a\n+ b\n",
    "dockerfile": "FROM python:3.11\nRUN echo a\n",
    "elixir": 'defmodule A do\n  def f, do: "b"\nend',
    "erlang": "f(X) -> X + 1.",
    "fortran": "program a\n  print *, 'b'\nend program a",
    "go": "func main() { x := 1 }",
    "graphql": "type A { b: String! }",
    "groovy": "def f(x) { return 'a' }",
    "haskell": "module A where\nf :: Int -> Int\nf x = x + 1",
    "html": '<p class="a">b</p>',
    "java": "public class A { int x = 1; }",
    "javascript": "const f = (x) => `a${x}`;",
    "json": '{"a": [1, true, null]}',
    "julia": "function f(x)\n  return 1\nend",
    "kotlin": 'fun main() { val s = "a" }',
    "latex": "\\section{a} % b",
    "lua": "local x = 1 -- a",
    "makefile": "all: a\n\techo b\n",
    "markdown": "# a\n\n**b** `c`\n",
    "matlab": "x = 1; % a",
    "objective-c": "@interface A : NSObject\n@end",
    "perl": 'my $x = "a"; # b',
    "php": "<?php echo 'a'; // b",
    "powershell": 'Get-Item -Path "a" # b',
    "protobuf": "message A { string b = 1; }",
    "python": "def f(x):\n    return 'a'  # b",
    "r": "f <- function(x) 1 # a",
    "ruby": "def f(x)\n  'a'\nend",
    "rust": "fn main() { let x = 1; }",
    "scala": 'object A { val s = "a" }',
    "scss": "$a: red;\n.b { color: $a; }",
    "sql": "SELECT a FROM b WHERE c = 'd'",
    "swift": 'func f() -> String { return "a" }',
    "terraform": 'resource "a" "b" { c = 1 }',
    "toml": 'a = "b"\n[c]\n',
    "typescript": "interface A { b: string }",
    "vue": "<template><p>{{ a }}</p></template>",
    "xml": '<?xml version="1.0"?><a b="c"/>',
    "yaml": "a: 1\nb: 'c'\n",
    "zig": "const x: u8 = 1;",
}
"""The most used languages by the names that models give them, with a little of each."""


def test_the_most_used_languages_have_colours() -> None:
    assert len(LANGUAGES) >= 30
    for name, sample in LANGUAGES.items():
        html = markup.render(f"```{name}\n{sample}\n```\n")
        assert '<span class="' in html, name
        assert visible(html).strip() == sample.strip()


class Clock:
    """Seconds of CPU that pass by calls alone."""

    def __init__(self, step: float) -> None:
        self.now = 0.0
        self.step = step

    def __call__(self) -> float:
        self.now += self.step
        return self.now


def test_colouring_gives_up_when_its_time_is_over() -> None:
    code = "x = 1\n" * 100
    assert highlighting.Highlighter(Clock(highlighting.MAX_SECONDS / 1000)).html(code, "python")
    assert highlighting.Highlighter(Clock(highlighting.MAX_SECONDS / 100)).html(code, "python") is None


def test_the_time_for_colouring_is_one_for_all_blocks_of_a_text() -> None:
    code = "x = 1\n" * 100
    highlighter = highlighting.Highlighter(Clock(highlighting.MAX_SECONDS / 1000))
    made = [highlighter.html(code, "python") for _ in range(10)]
    assert made[0]
    assert made[-1] is None


@pytest.mark.parametrize(
    ("code", "is_coloured"),
    [
        ("x = 1\n" * (highlighting.MAX_CODE // 6), True),
        ("x = 1\n" * (highlighting.MAX_CODE // 6 + 1), False),
        ("x" * highlighting.MAX_LINE, True),
        ("x" * (highlighting.MAX_LINE + 1), False),
    ],
    ids=["longest", "too long", "longest line", "too long a line"],
)
def test_large_code_stays_plain(code: str, is_coloured: bool) -> None:
    assert (highlighting.Highlighter(Clock(0)).html(code, "python") is not None) == is_coloured


def test_the_code_of_a_text_is_coloured_up_to_a_limit() -> None:
    highlighter = highlighting.Highlighter(Clock(0))
    code = "x = 1\n" * (highlighting.MAX_CODE // 6)
    made = [highlighter.html(code, "python") for _ in range(highlighting.MAX_CODE_IN_ALL // highlighting.MAX_CODE + 1)]
    assert all(made[:-1])
    assert made[-1] is None


def test_colours_that_would_make_code_many_times_longer_are_left_out() -> None:
    assert highlighting.Highlighter(Clock(0)).html("1+" * 5_000, "python") is None


def failing(self: PythonLexer, text: str) -> Iterator[object]:
    raise ValueError


def forgetful(self: PythonLexer, text: str) -> Iterator[object]:
    yield from list(self.get_tokens_unprocessed(text))[:0]


@pytest.mark.parametrize("lexer", [failing, forgetful])
def test_code_stays_plain_where_a_lexer_fails(lexer: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PythonLexer, "get_tokens", lexer)
    assert body("```py\nif x < 1: pass\n```") == code("if x &lt; 1: pass\n", "python")


def test_every_language_has_a_lexer() -> None:
    for name in sorted(highlighting.LANGUAGES):
        assert highlighting.Highlighter(Clock(0)).html("a = 1\n", name) is not None, name


def test_plain_text_keeps_its_lines() -> None:
    html = markup.plain("<b>\r\n\"a\" & 'b'\x00\n *c*")
    assert html == "&lt;b&gt;\n&quot;a&quot; &amp; &#x27;b&#x27;\ufffd\n *c*"
    assert isinstance(html, SafeString)


def test_only_whole_renderings_are_marked_as_safe() -> None:
    assert isinstance(markup.render("a"), SafeString)
    assert isinstance(markup.trusted("<p>a</p>"), SafeString)
    assert not isinstance(markup.escaped("<"), SafeString)
    assert markup.escaped("<a b='c'>") == "&lt;a b=&#x27;c&#x27;&gt;"


def test_the_host_is_the_same_for_every_reader() -> None:
    assert links.host("https://Docs.Example.:443/a@b") == "docs.example"
    for address in (
        "https://a.example\\@b.example",
        "https://a.example\t.b",
        "https://a.example@b.example",
        "a.example",
    ):
        assert links.host(address) == ""


STATIC = Path(__file__).parents[2] / "static" / "css"


def colours(*names: str) -> dict[str, list[str]]:
    """The custom properties of style sheets: name → [light, dark]."""
    css = "".join((STATIC / name).read_text() for name in names)
    return {name: [light, dark] for name, light, dark in re.findall(r"(--[\w-]+): light-dark\((#\w+), (#\w+)\)", css)}


def luminance(colour: str) -> float:
    digits = colour[1:] if len(colour) == 7 else "".join(2 * digit for digit in colour[1:])
    parts = [int(digits[place : place + 2], 16) / 255 for place in (0, 2, 4)]
    red, green, blue = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_contrast_is_computed_as_the_guidelines_say() -> None:
    assert contrast("#fff", "#000000") == pytest.approx(21)
    assert contrast("#767676", "#fff") == pytest.approx(4.54, abs=0.01)


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_every_kind_of_code_is_readable_on_its_ground(theme: int) -> None:
    known = colours("tokens.css", "chat.css")
    css = (STATIC / "chat.css").read_text()
    used = {
        kind: name
        for selectors, name in re.findall(r"([^{}]+)\{\s*color: var\((--[\w-]+)\)", css)
        for kind in re.findall(r"\.code \.(\w+)", selectors)
    }
    assert set(used) | {"gh"} == highlighting.CLASSES  # headings have the colour of text
    assert "background: var(--surface)" in css
    ground = known["--surface"][theme]
    low = {kind: name for kind, name in used.items() if contrast(known[name][theme], ground) < 4.5}
    assert not low
    assert contrast(known["--text"][theme], ground) >= 4.5
