"""Any history of text and pictures keeps all of its text, order and pictures in every request form."""

import re
from dataclasses import dataclass
from itertools import groupby

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conversations.providers.errors import Rejected, TooLarge
from conversations.providers.turns import ChatRequest, ImagePart, Parameters, Part, TextPart, Turn
from tests.wire.forms import FORMS, Form, Said, assert_valid, image_bytes

# No deadline: how long one example takes says something about the machine only.
unhurried = settings(deadline=None)
every_form = pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)

characters = st.one_of(
    st.characters(codec="utf-8"), st.sampled_from([" ", "\n", "\0", "\u2028", "\ufeff", "\ud83d", "\ude42", "\udfff"])
)
texts = st.text(characters, max_size=12)
signatures = st.sampled_from(["", "", "c2ln", "bG9uZ2Vy", "\ud800"])
labels = st.sampled_from(["image/png", "image/jpg", "image/svg+xml", ""])
types = st.sampled_from(["image/png", "image/jpeg", "image/webp"])
tails = st.binary(max_size=9)
pictures = st.builds(
    lambda label, kind, tail, signature: ImagePart(label, image_bytes(kind, tail), signature),
    labels, types, tails, signatures,
)  # fmt: skip
parts: st.SearchStrategy[Part] = st.one_of(st.builds(TextPart, texts, signatures), pictures)
turns = st.builds(
    lambda role, some, failed: Turn(role, tuple(some), failed and role == "assistant"),
    st.sampled_from(["user", "assistant"]), st.lists(parts, max_size=4), st.booleans(),
)  # fmt: skip
questions = st.builds(lambda text: Turn("user", (TextPart(f"Q{text}"),)), texts)
parameters = st.builds(
    Parameters,
    temperature=st.none() | st.floats(0, 2),
    max_tokens=st.none() | st.integers(1, 100_000),
)
requests = st.builds(
    lambda first, middle, last, system, chosen: ChatRequest((first, *middle, last), system, chosen),
    questions, st.lists(turns, max_size=6), questions, texts, parameters,
)  # fmt: skip


@dataclass(frozen=True)
class Expected:
    """What one message must say: its non-blank texts, all of its text without white space, its pictures' bytes."""

    role: str
    texts: list[str]
    letters: str
    pictures: list[bytes]


def letters(text: str) -> str:
    return "".join(text.split())


def readable(text: str) -> str:
    """Text as UTF-8 can carry it: what is no character becomes the replacement character."""
    joined = re.sub(
        "[\ud800-\udbff][\udc00-\udfff]", lambda pair: pair[0].encode("utf-16", "surrogatepass").decode("utf-16"), text
    )
    return re.sub("[\ud800-\udfff]", "\ufffd", joined)


def says_something(turn: Turn) -> bool:
    return any(isinstance(part, ImagePart) or readable(part.text).strip() for part in turn.parts)


def expected(request: ChatRequest) -> list[Expected]:
    """The turns that count, neighbours of one role taken together."""
    spoken = [turn for turn in request.turns if not turn.failed and says_something(turn)]
    return [_expected(role, list(same)) for role, same in groupby(spoken, key=lambda turn: turn.role)]


def _expected(role: str, same: list[Turn]) -> Expected:
    found = [part for turn in same for part in turn.parts]
    words = [readable(part.text) for part in found if isinstance(part, TextPart)]
    shown = [part.data for part in found if isinstance(part, ImagePart)]
    return Expected(role, [text for text in words if text.strip()], letters("".join(words)), shown)


def own_text(message: Said) -> str:
    """A message's text without what the format adds: the label of drawn pictures, the stand-in for one alone."""
    labels_out = [text for text in message.texts if not re.fullmatch(r"\(The first .* earlier output\.\)", text)]
    return "".join(text for text in labels_out if not (message.role == "assistant" and text == "[image]"))


def assert_in_order(wanted: list[str], text: str) -> None:
    position = 0
    for piece in wanted:
        found = text.find(piece, position)
        assert found >= 0, (piece, text[position:])
        position = found + len(piece)


@every_form
@unhurried
@given(request=requests)
def test_all_text_order_and_pictures_are_kept(form: Form, request: ChatRequest) -> None:
    said = form.read(form.prepare(request).body)
    wanted = expected(request)
    assert [message.role for message in said] == [turn.role for turn in wanted]
    for message, turn in zip(said, wanted, strict=True):
        assert_in_order(turn.texts, own_text(message))
        assert letters(own_text(message)) == turn.letters
    assert [data for message in said for _, data in message.pictures] == [
        data for turn in wanted for data in turn.pictures
    ]


@every_form
@unhurried
@given(request=requests)
def test_pictures_stay_with_their_turn_or_move_into_the_next_one(form: Form, request: ChatRequest) -> None:
    said = form.read(form.prepare(request).body)
    drawn: list[bytes] = []
    for message, turn in zip(said, expected(request), strict=True):
        moves_on = form.reads == "openai" and turn.role == "assistant"
        assert [data for _, data in message.pictures] == ([] if moves_on else drawn + turn.pictures)
        drawn = turn.pictures if moves_on else []


@every_form
@unhurried
@given(request=requests)
def test_every_body_is_valid_alternates_and_ends_with_the_user(form: Form, request: ChatRequest) -> None:
    prepared = form.prepare(request)
    assert_valid(form.schema, prepared.body)
    roles = [message.role for message in form.read(prepared.body)]
    assert roles == ["user" if place % 2 == 0 else "assistant" for place in range(len(roles))]
    assert len(roles) % 2 == 1
    prepared.content.decode("utf-8")
    assert not re.search("[\ud800-\udfff]", str(prepared.body))


@every_form
@unhurried
@given(some=st.lists(turns, max_size=6))
def test_any_turns_at_all_give_a_valid_body_or_a_refusal(form: Form, some: list[Turn]) -> None:
    request = ChatRequest(tuple(some))
    answerable = [turn.role for turn in request.turns if not turn.failed and says_something(turn)][-1:] == ["user"]
    if answerable:
        assert_valid(form.schema, form.prepare(request).body)
    else:
        with pytest.raises(Rejected):
            form.prepare(request)


@every_form
@unhurried
@given(request=requests)
def test_the_same_request_gives_the_same_bytes(form: Form, request: ChatRequest) -> None:
    copy = ChatRequest(
        tuple(Turn(turn.role, tuple(turn.parts), turn.failed) for turn in request.turns),
        request.system,
        request.parameters,
    )
    assert form.prepare(request).content == form.prepare(copy).content


@every_form
@unhurried
@given(request=requests, max_images=st.integers(0, 4), max_body_bytes=st.integers(200, 12_000))
def test_limits_keep_the_newest_pictures_and_all_text(
    form: Form, request: ChatRequest, max_images: int, max_body_bytes: int
) -> None:
    limited = form.with_quirks(max_images=max_images, max_body_bytes=max_body_bytes)
    try:
        prepared = limited.prepare(request)
    except TooLarge:
        assert len(form.with_quirks(max_images=0).prepare(request).content) > max_body_bytes
        return
    assert len(prepared.content) <= max_body_bytes
    assert_valid(form.schema, prepared.body)
    _assert_newest(form.read(prepared.body), expected(request), max_images)


def _assert_newest(said: list[Said], wanted: list[Expected], max_images: int) -> None:
    every = [data for turn in wanted for data in turn.pictures]
    kept = [data for message in said for _, data in message.pictures]
    notes = sum(text.count("[image omitted: ") for message in said for text in message.texts)
    assert kept == every[len(every) - len(kept) :]
    assert len(kept) <= max_images
    assert notes == len(every) - len(kept)
    for message, turn in zip(said, wanted, strict=True):
        assert_in_order(turn.texts, own_text(message))
