"""What fits into a window: weights of texts and pictures, and which messages stay."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations import providers
from conversations.providers.errors import TooLarge
from conversations.providers.turns import Parameters
from conversations.services import context
from conversations.services.context import Fill, Kept, Weighed, Window

SMALL = Window(size=2048, answer=512, fixed=32)
PROSE = "The quick brown fox jumps over the lazy dog and runs along the quiet river, where people often walk. "

# What the bundled model's own tokenizer counts.
COUNTED = {
    "prose": (PROSE * 10, 211),
    "German": ("Die Bürgermeisterin eröffnete gestern die neue Straßenbahnverbindung zum Hauptbahnhof. " * 8, 273),
    "Chinese": ("市长昨天为连接中央车站和大学的新有轨电车线路揭幕,该线路已讨论多年。" * 10, 610),
    "Japanese": ("市長は昨日、中央駅と大学を結ぶ新しい路面電車の路線を開通させました。" * 10, 650),
    "Korean": ("시장은 어제 중앙역과 대학교를 잇는 새로운 노면전차 노선을 개통했습니다. " * 10, 891),
    "Arabic": ("افتتحت رئيسة البلدية أمس خط الترام الجديد الذي يربط المحطة المركزية بالجامعة. " * 8, 551),
    "emoji": ("😀🎉👩‍👩‍👧 ❤️🔥 " * 20, 502),
    "digits": ("1234567890 3.14159 42,000,000 " * 20, 600),
    "a table": ("| city | people | year |\n|---|---|---|\n| Berlin | 3,769,000 | 2020 |\n" * 20, 740),
}


def conversation(*tokens: int, reported: dict[int, int] | None = None) -> Iterator[Weighed]:
    """Messages of these weights, oldest first, a person's and a model's in turn; `reported` by depth. Newest first."""
    said = [Weighed(depth, depth % 2 == 0, some, (reported or {}).get(depth)) for depth, some in enumerate(tokens)]
    return reversed(said)


def depths(kept: Kept) -> list[int]:
    return [one.depth for one in kept.messages][::-1]


@pytest.mark.parametrize("name", COUNTED)
def test_a_text_weighs_about_what_a_small_model_counts(name: str) -> None:
    text, counted = COUNTED[name]
    assert 0.65 * counted < context.tokens(text) < 1.35 * counted


def test_a_text_of_lone_surrogates_and_nothing_weigh_something_and_nothing() -> None:
    assert context.tokens("\ud83d\udfff") > 0
    assert context.tokens("") == 0


def test_no_weighed_text_is_larger_than_what_a_body_may_hold() -> None:
    assert context.tokens(" " * 640_000) >= 10_000


@pytest.mark.parametrize(("size", "tokens"), [((384, 384), 258), ((385, 100), 258), ((1536, 769), 1032)])
def test_a_picture_weighs_its_tiles(size: tuple[int, int], tokens: int) -> None:
    assert context.picture_tokens(*size) == tokens


@pytest.mark.parametrize(
    ("model", "max_tokens", "room"),
    [
        ("local/smollm2-135m-instruct", None, 512),
        ("local/smollm2-135m-instruct", 100, 100),
        ("local/smollm2-135m-instruct", 1500, 1024),
        ("local/smollm2-135m-instruct", 8192, 512),
        ("segmind/gemini-2-flash-image-generation", None, 8192),
        ("segmind/gemini-2-flash-image-generation", 30_000, 16_384),
        ("aimlapi/google/gemini-2.5-flash", 50_000, 50_000),
    ],
)
def test_room_for_the_answer_is_what_was_asked_for_or_a_share(model: str, max_tokens: int | None, room: int) -> None:
    found = providers.find(model)
    assert found
    window = Window.of(found[1], Parameters(max_tokens=max_tokens), "Be brief.")
    assert window
    assert window.answer == room


def test_a_model_of_unknown_size_has_no_window() -> None:
    found = providers.find("segmind/gemini-1.5-pro")
    assert found
    assert Window.of(replace(found[1], context_window=None), Parameters(), "") is None


CASES = {
    "all of it fits": ((100, 100, 100), None, [0, 1, 2], False),
    "the oldest goes": ((600, 600, 400, 200, 100), None, [2, 3, 4], True),
    "a person's message comes first": ((100, 1000, 100, 600, 500), None, [4], True),
    "the question alone is kept whatever else is there": ((100, 1900, 1500), None, [2], True),
    "a failed reply weighs nothing": ((400, 0, 400, 0, 300), None, [0, 1, 2, 3, 4], False),
    "the model counts more than estimated": ((300, 300, 300, 300, 100), {3: 1600}, [2, 3, 4], True),
    "the model counts less than estimated": ((600, 500, 600, 500, 100), {3: 800}, [0, 1, 2, 3, 4], False),
    "a senseless report is bounded": ((200, 200, 200, 200, 100), {3: 1_000_000}, [2, 3, 4], True),
}


@pytest.mark.parametrize("case", CASES)
def test_what_does_not_fit_is_left_out_oldest_first(case: str) -> None:
    tokens, reported, wanted, is_cut = CASES[case]
    kept = context.kept(conversation(*tokens, reported=reported), SMALL)
    assert (depths(kept), kept.is_cut) == (wanted, is_cut)


def test_a_report_counts_for_what_was_sent_then() -> None:
    """A reply that was sent only what stands from depth 2 on says nothing about the two messages before."""
    said = [*conversation(500, 500, 300, 300, 100)]
    said[1] = replace(said[1], reported=600, since=2)
    kept = context.kept(iter(said), SMALL)
    assert depths(kept) == [2, 3, 4]


def test_a_question_that_is_too_long_is_refused_before_it_is_sent() -> None:
    with pytest.raises(TooLarge):
        context.kept(conversation(10, 10, 2000), SMALL)
    with pytest.raises(TooLarge):
        context.kept(conversation(10, 10, 20), replace(SMALL, fixed=2000))


def test_a_long_conversation_is_not_read_to_its_beginning() -> None:
    unread = conversation(*[100] * 10_001)
    context.kept(unread, SMALL)
    assert sum(1 for _ in unread) > 9_900


weights = st.lists(st.integers(0, 900), min_size=1, max_size=30)


@given(weights, st.dictionaries(st.integers(0, 29).map(lambda half: 2 * half + 1), st.integers(1, 4000), max_size=3))
def test_whatever_was_said_the_newest_that_fits_is_kept_in_order(tokens: list[int], reports: dict[int, int]) -> None:
    said = list(conversation(*tokens, reported=reports))
    said = said if said[0].is_user else said[1:]
    if not said:
        return
    kept = context.kept(iter(said), SMALL)
    assert kept.messages == said[: len(kept.messages)]
    assert kept.messages[-1].is_user
    assert kept.is_cut == (len(kept.messages) < len(said))
    if len(kept.messages) > 1:
        least = context.LEAST if reports else 1
        assert least * (SMALL.fixed + sum(one.tokens for one in kept.messages)) <= SMALL.size - SMALL.answer


def test_more_caution_never_keeps_more() -> None:
    said = [*conversation(*[100] * 21)]
    plain = context.kept(iter(said), SMALL)
    careful = context.kept(iter(said), replace(SMALL, caution=2.0))
    assert len(careful.messages) < len(plain.messages) < len(said)


@pytest.mark.parametrize(("fill", "percent", "is_short"), [(Fill(757, 2048), 37, False), (Fill(9000, 2048), 100, True)])
def test_a_window_is_full_in_percent(fill: Fill, percent: int, is_short: bool) -> None:
    assert (fill.percent, fill.is_short) == (percent, is_short)
    assert Fill(fill.used, fill.size, is_cut=True).is_short
