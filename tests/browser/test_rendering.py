"""What a model wrote, as it is shown: formulas, tables, code, notes; wide things, both directions, every theme."""

import pytest
from playwright.sync_api import Page, ViewportSize, expect

from tests.browser.assistive import complaints
from tests.browser.conftest import DESKTOP, PHONE, Open, last_reply, log_in, send
from tests.simulator import Simulator

FLASH = "aimlapi/google/gemini-2.5-flash"
LONG = " + ".join(f"a_{{{number}}}" for number in range(60))
ANSWER = rf"""Euler found $e^{{i\pi}} + 1 = 0$.[^1] It costs $5 and $10.

$$\left(\sum_{{k=1}}^{{9}} a_k\right)^2 =
\begin{{cases}} \frac{{1}}{{2}} & \text{{if }} x > 0 \\ 0 & \text{{otherwise}} \end{{cases}}$$

$${LONG}$$

In a line: ${LONG}$, and unknown: $\foo{{x}}$.

- [x] done
- [ ] open, ~~gone~~

| {" | ".join(f"wide column number {number}" for number in range(9))} |
|{"---|" * 9}
| {" | ".join("cell" for number in range(9))} |

```python
{"x = 1; " * 60}
```

صيغة $E = mc^2$ و `code()` هنا.

[^1]: Leonhard Euler, 1748.
"""
HEIGHTS = "(one) => [one.clientHeight, one.scrollHeight]"
UNSEEN = """(one) => one.firstElementChild.getBoundingClientRect().bottom - one.getBoundingClientRect().bottom"""


def answered(page: Page, simulator: Simulator) -> None:
    simulator.script(say=ANSWER.replace("\n", "\\n"))
    log_in(page)
    send(page, "Explain", model=FLASH)


def overflow(page: Page) -> int:
    """CSS pixels by which the transcript is wider than its place."""
    return int(
        page.evaluate(
            "Math.max(...['html', '#scroller'].map((name) => document.querySelector(name))"
            ".map((place) => place.scrollWidth - place.clientWidth))"
        )
    )


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_wide_things_scroll_inside_themselves(
    browse: Open, simulator: Simulator, scheme: str, size: dict[str, int]
) -> None:
    page = browse(size=size, color_scheme=scheme)
    answered(page, simulator)
    body = last_reply(page)
    expect(body.locator("math")).to_have_count(5)
    expect(body.get_by_text("It costs $5 and $10.")).to_be_visible()
    expect(body.get_by_role("img", name="not done")).to_be_visible()
    assert overflow(page) <= 0
    for scroller in (body.locator(".formula").nth(1), body.get_by_role("group", name="Table"), body.locator("pre")):
        scroller.focus()
        page.keyboard.press("ArrowRight")
        page.wait_for_function("(one) => one.scrollLeft > 0", arg=scroller.element_handle())
    assert complaints(page) == []


def test_brackets_grow_with_what_they_hold(browse: Open, simulator: Simulator) -> None:
    page = browse()
    answered(page, simulator)
    display = last_reply(page).locator(".formula").first
    page.evaluate("document.fonts.ready")
    bracket, letter = display.locator("mo", has_text="(").bounding_box(), display.locator("mn").last.bounding_box()
    assert bracket
    assert letter
    assert bracket["height"] > 2 * letter["height"]


def test_formulas_run_from_left_to_right_on_every_page(browse: Open, simulator: Simulator) -> None:
    page = browse()
    answered(page, simulator)
    last_reply(page)
    page.evaluate("document.documentElement.dir = 'rtl'")
    formula = last_reply(page).locator("math").first
    letters = [box["x"] for part in formula.locator("mi, mn").all() if (box := part.bounding_box())]
    assert letters == sorted(letters)
    list_ = last_reply(page).locator("ul")
    assert list_.evaluate("(one) => getComputedStyle(one).direction") == "ltr"
    assert overflow(page) <= 0


def test_formulas_are_there_without_javascript(browse: Open, simulator: Simulator) -> None:
    page = browse(javascript=False, size=PHONE)
    answered(page, simulator)
    expect(last_reply(page).locator("math")).to_have_count(5)
    expect(last_reply(page).locator("sup")).to_have_text(["[1]", "[1]"])


def test_everything_is_readable_in_forced_colours(browse: Open, simulator: Simulator) -> None:
    page = browse(forced_colors="active")
    answered(page, simulator)
    body = last_reply(page)
    expect(body.locator("pre span").first).to_be_visible()
    shown = {part.evaluate("(one) => getComputedStyle(one).color") for part in body.locator("pre span, math, p").all()}
    assert len(shown) == 1
    assert complaints(page) == []


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_a_huge_block_of_code_scrolls_inside_itself_and_shows_its_end_while_it_is_written(
    browse: Open, simulator: Simulator, size: ViewportSize
) -> None:
    lines = "\n".join(f"line = {number}" for number in range(600))
    page = browse(size=size)
    log_in(page)
    simulator.script(say=f"```python\n{lines}\n```\n\nThat is all.", hold=900)
    send(page, "Write much code", model=FLASH)
    code = page.locator("[data-body] pre")
    expect(code).to_contain_text("line = 280")
    assert code.evaluate(HEIGHTS)[0] < size["height"]
    assert code.evaluate(UNSEEN) <= 0
    assert simulator.wait_held()
    simulator.release()
    body = last_reply(page)
    expect(body.get_by_text("That is all.")).to_be_in_viewport()
    own, whole = code.evaluate(HEIGHTS)
    assert own < size["height"]
    assert whole > 8 * own
    assert complaints(page) == []
