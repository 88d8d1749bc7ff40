"""The numbered wire cases that concern requests: what is sent, and what never is."""

import json
from dataclasses import replace
from typing import Any

import pytest

from conversations.providers.turns import ImagePart, TextPart, Turn

from .forms import FORMS, SIGNATURES, A, B, C, D, Form, Said, assistant, image, image_bytes, user

every_form = pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)

BLANKS = ("", " ", "\n\t", "\u00a0\u3000")


def texts_of(body: Any) -> list[str]:
    """Every value under a `text` key, or string content, anywhere in a body."""
    if isinstance(body, list):
        return [text for item in body for text in texts_of(item)]
    if not isinstance(body, dict):
        return []
    here = [value for key, value in body.items() if key in ("text", "content") and isinstance(value, str)]
    return here + [text for value in body.values() for text in texts_of(value)]


@every_form
@pytest.mark.parametrize("blank", BLANKS, ids=repr)
def test_case_21_blank_text_is_never_sent(form: Form, blank: str) -> None:
    turns = (
        user(blank),
        user("One", blank, image(b"1")),
        assistant(blank),
        assistant(blank, image(b"2"), blank),
        user(blank, image(b"3"), blank),
        assistant(blank),
        user(blank, "Two", blank),
    )
    body = form.body(*turns, system=blank)
    said = form.read(body)
    assert all(text.strip() for text in texts_of(body))
    assert [message.role for message in said] == ["user", "assistant", "user"]
    assert sum(len(message.pictures) for message in said) == 3
    assert "One" in said[0].texts[0]
    assert "Two" in said[2].texts[0]


@every_form
def test_case_22_two_user_turns_in_a_row_are_merged(form: Form) -> None:
    said = form.read(form.body(user("One", image(b"1")), user("Two", image(b"2"))))
    pictures = (("image/png", image_bytes("image/png", b"1")), ("image/png", image_bytes("image/png", b"2")))
    assert said == [Said("user", ("One\n\nTwo",), pictures)]


@every_form
def test_case_22_user_turns_around_a_failed_reply_are_merged(form: Form) -> None:
    said = form.read(form.body(user("One"), assistant("Sorr", failed=True), user("Two")))
    assert said == [Said("user", ("One\n\nTwo",))]


@every_form
@pytest.mark.parametrize("real", ["image/png", "image/jpeg", "image/webp"])
@pytest.mark.parametrize("label", ["image/jpg", "png", "image/gif", "image/svg+xml", "", "text/html"])
def test_case_23_the_bytes_decide_the_type_whatever_the_label_says(form: Form, real: str, label: str) -> None:
    mislabelled = ImagePart(label, image_bytes(real, b"..."))
    expected = ((real, image_bytes(real, b"...")),)
    said = form.read(form.body(user("Look", mislabelled), assistant(mislabelled), user("Again")))
    assert said[0] == Said("user", ("Look",), expected)
    assert (said[1].pictures or said[2].pictures) == expected


@pytest.mark.parametrize("label", ["image/gif", "image/png"])
def test_case_23_gif_passes_where_the_schema_names_it(label: str) -> None:
    said = C.read(C.body(user("Look", image(media_type="image/gif", label=label))))
    assert said == [Said("user", ("Look",), (("image/gif", SIGNATURES["image/gif"]),))]


@pytest.mark.parametrize("form", [A, B, D], ids=lambda form: form.name)
@pytest.mark.parametrize("label", ["image/gif", "image/png"])
def test_case_23_gif_is_left_out_with_a_note_elsewhere(form: Form, label: str) -> None:
    said = form.read(form.body(user("Look", image(media_type="image/gif", label=label))))
    assert said == [Said("user", ("Look\n\n[image omitted: image/gif is not supported]",))]


DRAWN = (
    user("Draw a red square"),
    assistant("Here", image(b"red", signature="c2ln")),
    user("Make it blue"),
)
RED = ("image/png", image_bytes("image/png", b"red"))


@pytest.mark.parametrize("form", [B, D], ids=lambda form: form.name)
def test_case_24_a_drawn_picture_goes_back_in_the_models_own_content(form: Form) -> None:
    contents = form.body(*DRAWN)["messages"]["contents"]
    assert [content["role"] for content in contents] == ["user", "model", "user"]
    assert contents[1]["parts"] == [
        {"text": "Here"},
        {"inlineData": {"mimeType": "image/png", "data": "iVBORw0KGgpyZWQ="}, "thoughtSignature": "c2ln"},
    ]
    assert contents[2]["parts"] == [{"text": "Make it blue"}]


@pytest.mark.parametrize("form", [A, C], ids=lambda form: form.name)
def test_case_24_chat_completions_get_a_drawn_picture_in_the_next_user_turn(form: Form) -> None:
    messages = form.body(*DRAWN)["messages"]
    assert messages[1] == {"role": "assistant", "content": "Here"}
    kinds = [part["type"] for part in messages[2]["content"]]
    assert kinds == ["text", "text", "image_url"]
    assert messages[2]["content"][0]["text"] == "Make it blue"
    assert "assistant's earlier output" in messages[2]["content"][1]["text"]
    assert form.read(form.body(*DRAWN))[2].pictures == (RED,)


def test_case_24_the_second_edit_carries_both_pictures_each_in_its_place() -> None:
    again = (*DRAWN, assistant(image(b"blue")), user("Darker"))
    said = B.read(B.body(*again))
    assert [len(message.pictures) for message in said] == [0, 1, 0, 1, 0]
    said = C.read(C.body(*again))
    assert [len(message.pictures) for message in said] == [0, 0, 1, 0, 1]
    assert said[3] == Said("assistant", ("[image]",))


@pytest.mark.parametrize(
    ("first", "parts"),
    [
        (user("Draw a cat"), [{"text": "You are a painter.\n\nDraw a cat"}]),
        (
            user(image(b"red")),
            [
                {"text": "You are a painter."},
                {"inlineData": {"mimeType": "image/png", "data": "iVBORw0KGgpyZWQ="}},
            ],
        ),
    ],
    ids=["text", "picture alone"],
)
def test_case_25_the_resend_puts_the_system_text_before_the_first_user_text(first: Turn, parts: Any) -> None:
    turns = (first, assistant(TextPart("A cat")), user("Bigger"))
    refused = B.body(*turns, system="You are a painter.")
    resent = replace(B, model=B.model.with_prepended_system()).body(*turns, system="You are a painter.")
    assert refused["messages"]["system_instruction"] == {"parts": {"text": "You are a painter."}}
    assert "system_instruction" not in resent["messages"]
    assert resent["messages"]["contents"][0] == {"role": "user", "parts": parts}
    assert resent["messages"]["contents"][1:] == refused["messages"]["contents"][1:]
    assert json.dumps(resent).count("You are a painter.") == 1
