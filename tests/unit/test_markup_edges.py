"""Markdown at its edges: marks within marks, what ends a block too early, and texts beyond the limits."""

import pytest

from conversations import markup
from conversations.markup import limits, links
from conversations.markup.blocks import Scanner
from tests.markup_oracle import check, visible


def test_a_bracket_in_a_formula_does_not_end_the_text_of_a_link() -> None:
    html = markup.render("[a $f]_1$ b](https://b.example)")
    assert check(html).links == ["https://b.example"]
    assert "a <math" in html
    assert "$" not in visible(html)


@pytest.mark.parametrize("text", ["$$\nx^2\n\ny\n$$", "- $$\n  x^2\n\n  y $$", "- $$\n  x^2\ny $$"])
def test_a_display_that_is_cut_in_two_is_none(text: str) -> None:
    html = markup.render(text)
    assert "<math" not in html
    assert visible(html).count("$$") == 2


def test_rows_need_a_display() -> None:
    assert "<mtr" in markup.render("$$a \\\\ b$$")
    for source in ("$a_1 \\\\ b$", "$a_1 & b$", r"$\begin{tikzcd} a \end{tikzcd}$"):
        assert markup.render(source) == markup.render("x").replace("x", f"<code>{markup.escaped(source)}</code>")


@pytest.mark.parametrize(
    "address",
    ["https://b\u200bc.example/", "https://b\u3000c.example/", "https://b\u00adc.example/", "https://\ue000.example"],
)
def test_no_host_has_letters_that_nobody_sees(address: str) -> None:
    assert links.canonical(address) == ""
    assert address not in check(markup.render(f"[a]({address})")).links


def test_an_escaped_bracket_belongs_to_the_address() -> None:
    assert check(markup.render("[a](https://b.example/c\\)d)")).links == ["https://b.example/c)d"]


NOTE = '<div class="footnote"><sup>[1]</sup>\n<p dir="auto">b</p>\n</div>\n'


def test_a_note_begins_where_its_colon_is() -> None:
    assert markup.render("[^1]: b") == NOTE
    assert markup.render("[^1] b") == '<p dir="auto">[^1] b</p>\n'
    assert markup.render("[^ ]: b") == '<p dir="auto">[^ ]: b</p>\n'


def test_a_note_ends_a_quote_unless_it_is_indented_like_code() -> None:
    assert markup.render("> a\n   [^1]: b").endswith(f"</blockquote>\n{NOTE}")
    assert markup.render("> a\n    [^1]: b") == '<blockquote>\n<p dir="auto">a\n[^1]: b</p>\n</blockquote>\n'


def test_the_text_of_a_link_holds_no_mark_of_a_note() -> None:
    assert "[c <sup>[1]</sup> d](" in markup.render("[^1]: b\n\n[c [^1] d](https://b.example)")
    assert ">c [^2] d</a>" in markup.render("[^1]: b\n\n[c [^2] d](https://b.example)")


def test_what_is_written_beyond_the_work_of_a_text_is_kept_to_its_last_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_WORK", 1_000)
    for rest in ("*" * 20_000 + "\n", "*a*\n" * 5_000, "*a*\n" * 3_999 + "*b*"):
        text = "*a*\n\n*b*\n\n" + "c\n\n" * 10 + rest
        scanner = Scanner()
        blocks = [*scanner.feed(text), *scanner.finish()]
        assert scanner.is_spent
        assert "".join(block.source for block in blocks).strip("\n") == text.strip("\n")
        shown = "".join(visible(markup.render(text)).split())
        assert shown == "a" + "".join(text.split()).removeprefix("*a*")


def test_a_block_without_room_and_all_after_it_are_shown_as_they_were_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "FREE_OUTPUT", 30)
    monkeypatch.setattr(limits, "MAX_GROWTH", 1)
    html = markup.render("*a*\n\n***\n\n*b* <\n\n***\n\n*c*")
    assert html == '<p dir="auto"><em>a</em></p>\n<hr>\n<br>\n*b* &lt;<br>\n<br>\n***<br>\n<br>\n*c*<br>\n'
    renderer = markup.BlockRenderer()
    renderer.feed("*a*\n\n*b*\n\n*c*\n")
    assert renderer.take_blocks().endswith("</p>\n*b*<br>\n<br>\n")
    assert renderer.tail() == '<div class="plain" dir="auto">*c*\n</div>\n'
