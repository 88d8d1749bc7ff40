"""A text that is still being written: which blocks are finished, what stands for the open one, what that costs."""

from collections.abc import Iterable

import pytest

from conversations import markup
from conversations.markup import limits, rendering
from conversations.markup.blocks import Scanner
from tests.markup_oracle import check, visible


def fed(*pieces: str) -> markup.BlockRenderer:
    renderer = markup.BlockRenderer()
    for piece in pieces:
        renderer.feed(piece)
    return renderer


def streamed(pieces: Iterable[str]) -> str:
    renderer = markup.BlockRenderer()
    html = ""
    for piece in pieces:
        renderer.feed(piece)
        html += renderer.take_blocks()
    return html + renderer.finish()


def text_of(html: str) -> str:
    return visible(html).strip()


def test_a_block_is_taken_once_as_soon_as_the_next_one_begins() -> None:
    renderer = fed("first\n\nsec")
    assert renderer.take_blocks() == ""  # the unfinished line could still be indented text, or nothing
    renderer.feed("ond\n")
    assert text_of(renderer.take_blocks()) == "first"
    assert renderer.take_blocks() == ""
    assert text_of(renderer.finish()) == "second"


@pytest.mark.parametrize(
    "text",
    [
        "# heading\n",
        "heading\n===\n",
        "***\n",
        "```\ncode\n```\n",
        "~~~ py\n~~~~  \n",
        "\\[\nx\n- y\n\\]\n",
        "$$\nx\n= y $$\n",
    ],
)
def test_what_cannot_go_on_is_finished_at_once(text: str) -> None:
    assert fed(text).take_blocks() == markup.render(text)


@pytest.mark.parametrize(
    "text",
    [
        "text\n",
        "text\n\n",
        "- item\n",
        "- item\n\n",
        "- item\n  - item\n* * *",
        "> quote\n",
        "    code\n\n\n",
        "|a|\n|-|\n|b|\n",
        "```\ncode\n\n# not a heading\n",
        "````\n```\n",
        "```\n    ```\n",
        "```\n``` x\n",
        "[a]: https://b.example\n",
    ],
)
def test_what_can_go_on_stays_open(text: str) -> None:
    assert fed(text).take_blocks() == ""


@pytest.mark.parametrize(
    ("before", "line"),
    [
        ("text\n", "# a\n"),
        ("text\n", "- a\n"),
        ("text\n", "> a\n"),
        ("text\n", "```\n"),
        ("text\n", "$$\n"),
        ("text\n", "\\[\n"),
        ("text\n", "[^1]: a\n"),
        ("[^1]: a\n", "[^2]: b\n"),
        ("text\n\n", "    a\n"),
        ("- a\n", "* b\n"),
        ("- a\n\n", "b\n"),
        ("1. a\n", "1) b\n"),
        ("> a\n\n", "> b\n"),
        ("> a\n", "- b\n"),
        ("    a\n", "b\n"),
        ("|a|\n|-|\n", "# b\n"),
    ],
)
def test_a_line_that_begins_another_block_finishes_the_open_one(before: str, line: str) -> None:
    renderer = fed(before, line)
    assert renderer.take_blocks().startswith(markup.render(before))


def test_a_line_that_is_not_complete_decides_nothing() -> None:
    """`#tag` goes on with the quote before it, although `#` alone would be a heading after it."""
    renderer = fed("> a\n#")
    assert renderer.take_blocks() == ""
    renderer.feed("tag\n")
    assert text_of(renderer.finish()) == "a\n#tag"


def test_the_line_ends_of_other_systems_may_be_cut_in_two() -> None:
    text = "# a\r\n\r\nb\r\nc\rd\r\n"
    assert streamed(text) == streamed([text]) == markup.render(text)


def test_the_tail_shows_the_open_block_with_its_unfinished_line() -> None:
    renderer = fed("done\n\n- one\n- *two* **thr")
    assert text_of(renderer.take_blocks()) == "done"
    assert renderer.tail() == markup.render("- one\n- *two* **thr")


def test_an_open_fence_is_shown_as_plain_code() -> None:
    renderer = fed("```python\nx = 1 < 2\ny =")
    start, end = '<div class="code"><pre dir="ltr" tabindex="0"><code class="language-python">', "</code></pre></div>\n"
    assert renderer.tail() == f"{start}x = 1 &lt; 2\ny ={end}"
    renderer.feed(" 3\n```\n")
    assert '<span class="m">' in renderer.take_blocks()
    assert renderer.tail() == ""


def test_the_beginning_of_the_end_of_a_fence_is_not_code() -> None:
    assert text_of(fed("a\n\n  ~~~\n  x\n   y\nz\n  ~~").tail()) == "x\n y\nz"
    assert text_of(fed("```\n~~").tail()) == "~~"


def test_empty_lines_before_a_fence_are_not_code() -> None:
    assert text_of(fed("# a\n\n\n```\nb\n").tail()) == "b"


def test_a_fence_that_was_not_noticed_at_once_holds_nothing_back() -> None:
    """Two spaces before it could be the inside of an item; the line that ends the list shows that they are not."""
    renderer = fed("10. a\n  ```\n  b\n  ```\n\n[c]: https://d.example\n\ne\n\nf\n")
    assert text_of(renderer.take_blocks()).split() == ["a", "b", "e"]


def test_a_fence_in_a_list_is_never_coloured_in_the_tail() -> None:
    renderer = fed("- ```python\n  x = 1\n  ```\n")
    assert "<span" not in renderer.tail()
    assert "<span" in renderer.finish()


def test_a_link_that_is_defined_later_works_in_the_whole_only() -> None:
    renderer = fed("[a]\n\nb\n\n[a]: https://b.example\n")
    assert check(renderer.finish()).links == []
    assert check(renderer.whole()).links == ["https://b.example"]


def test_a_link_that_was_defined_before_works_at_once() -> None:
    renderer = fed("[a]: https://b.example\n\n# c\n\n[a]")
    renderer.take_blocks()
    assert check(renderer.tail()).links == ["https://b.example"]
    assert check(renderer.finish()).links == ["https://b.example"]


def test_the_first_definition_of_a_link_counts() -> None:
    text = "[a]: https://b.example\n\n# c\n\n[a]: https://d.example\n\n[a]\n"
    assert check(streamed(text)).links == check(markup.render(text)).links == ["https://b.example"]


def test_links_known_to_a_block_do_not_depend_on_how_the_text_was_cut() -> None:
    text = "[a]\n\n# b\n\n[a]: https://b.example\n\n[a]\n"
    assert streamed(text) == streamed([text]) != markup.render(text)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("x\n\n> [a]: https://b.example/|c\n> -|-\n\n[a]: https://d.example\n\n[a]\n", "https://d.example"),
        ("10. x\n  # y\n\n[a]: https://b.example\n't'\n\n[a]\n", "https://b.example"),
        ("[a]: https://b.example\n[a]: https://c.example\n\n[a]\n", "https://b.example"),
    ],
    ids=["becomes the head of a table", "goes on with its title", "is the first of two"],
)
def test_a_definition_counts_only_when_no_line_can_change_it(text: str, address: str) -> None:
    assert streamed(text) == markup.render(text)
    assert check(streamed(text)).links[-1] == address
    assert "'t'" not in visible(streamed(text))


def test_everything_that_arrived_can_be_seen() -> None:
    words = [f"word{number}" for number in range(3_000)]
    renderer = markup.BlockRenderer()
    done = ""
    for number, word in enumerate(words):
        renderer.feed(word + ("\n\n" if number % 400 == 399 else " " if number % 7 else "\n"))
        done += renderer.take_blocks()
        if number % 50 == 0:
            assert visible(done + renderer.tail()).split() == words[: number + 1]


@pytest.mark.parametrize("unit", ["word *word* word\n", "- word\n", "| word | word |\n"])
def test_a_large_tail_is_made_anew_only_when_it_has_grown(unit: str) -> None:
    renderer = fed("|a|b|\n|-|-|\n" if unit[0] == "|" else "", unit * 1_000)
    before = renderer.tail()
    assert not renderer.tail_is_due
    renderer.feed("more\n")
    assert not renderer.tail_is_due
    assert renderer.tail().startswith(before)
    assert text_of(renderer.tail()).endswith("more")
    renderer.feed(unit * 100)
    assert renderer.tail_is_due
    assert not renderer.tail().startswith(before)


def test_a_small_tail_is_always_due() -> None:
    renderer = fed("word")
    assert renderer.tail()
    assert renderer.tail_is_due


def lines(unit: str, length: int = 50_000) -> str:
    return unit * (length // len(unit))


@pytest.mark.parametrize(
    "text",
    [
        "```python\n" + lines("x = 1\n") + "```\n",
        "```python\n" + lines("x = 1\n"),
        lines("the quick brown fox\n"),
        lines("the quick brown fox "),
        lines("- the quick brown fox\n"),
        lines("1. the quick\n   * brown fox\n\n   jumps\n"),
        lines("> the quick brown fox\n"),
        "| a | b |\n|---|---|\n" + lines("| the quick | brown fox |\n"),
        lines("# a\n\nthe quick brown fox\n\n- a\n- b\n\n```\nc\n```\n"),
        "a\n" + lines("2. looks like an item\n"),
        lines("[a]: https://b.example\n"),
        lines("    code\n\n"),
        "[^1]: a\n" + lines("    b\n\n"),
        lines("[^1]: a\n"),
        "$$\n" + lines("- x\n# y\n"),
        lines("$$\n- x\n$$\n"),
    ],
)
def test_no_text_is_parsed_many_times_over(text: str) -> None:
    scanner = Scanner()
    for start in range(0, len(text), 45):
        for _ in scanner.feed(text[start : start + 45]):
            pass
    for _ in scanner.finish():
        pass
    assert scanner.parsed <= 4 * len(text) + 5_000


def test_a_text_beyond_the_limit_goes_on_as_it_was_written() -> None:
    text = "*a*\n\n" * (limits.MAX_WORK // 400)
    pieces = [text[start : start + 50_000] for start in range(0, len(text), 50_000)]
    html = streamed(pieces)
    assert html == markup.render(text)
    assert visible(html).split() == ["*a*" if "*" in word else "a" for word in visible(html).split()]
    assert visible(html).count("a") == text.count("a")
    renderer = fed(text, "*b*")
    assert text_of(renderer.tail()).endswith("*a*\n\n*b*")


def test_an_open_block_that_would_cost_much_is_shown_as_it_was_written() -> None:
    text = "*a* " * (limits.MAX_OPEN_WORK // 200)
    renderer = fed(text)
    assert text_of(renderer.tail()) == text.strip()
    assert text_of(renderer.finish()) == text.replace("*", "").strip()


def test_an_open_block_nested_too_deep_is_shown_as_it_was_written() -> None:
    assert text_of(fed("> " * 60 + "deep").tail()) == "> " * 60 + "deep"


def test_nothing_is_rendered_from_nothing() -> None:
    renderer = fed("", "")
    assert (renderer.take_blocks(), renderer.tail(), renderer.finish(), renderer.whole()) == ("", "", "", "")


def test_the_renderer_is_the_one_of_the_package() -> None:
    assert markup.BlockRenderer is rendering.BlockRenderer
