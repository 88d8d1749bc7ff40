"""Each rule of turning a history into a request, as tables over all request forms."""

import hashlib
import json
from base64 import b64encode
from dataclasses import replace
from typing import Any

import pytest

from conversations import providers
from conversations.providers import images
from conversations.providers.base import Endpoint
from conversations.providers.errors import NotConfigured, Rejected, TooLarge
from conversations.providers.turns import ChatRequest, ImagePart, Parameters, TextPart, Turn

from .forms import A_WRAPPED, FORMS, KEY, SIGNATURES, A, B, C, D, Form, Said, assistant, image, image_bytes, user

every_form = pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
chat_forms = pytest.mark.parametrize("form", [A, C], ids=lambda form: form.name)
gemini_forms = pytest.mark.parametrize("form", [B, D, A_WRAPPED], ids=lambda form: form.name)

BLACK, WHITE, RED = b"black", b"white", b"red"


def png(tail: bytes) -> tuple[str, bytes]:
    return "image/png", image_bytes("image/png", tail)


def base64_of(tail: bytes) -> str:
    return b64encode(image_bytes("image/png", tail)).decode()


def url_part(tail: bytes) -> Any:
    return {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{base64_of(tail)}"}}


# The documented examples, to the byte


def test_segmind_openai_body_holds_messages_and_nothing_else() -> None:
    body = A.body(user("Name a prime."), assistant("Seven."), user("Another one?"), system="Answer briefly.")
    assert body == {
        "messages": [
            {"role": "system", "content": "Answer briefly."},
            {"role": "user", "content": "Name a prime."},
            {"role": "assistant", "content": "Seven."},
            {"role": "user", "content": "Another one?"},
        ]
    }


@gemini_forms
def test_segmind_gemini_body_wraps_contents_in_messages(form: Form) -> None:
    turns = (user("What is this?", image(RED)), assistant("A red square."), user("Make it blue."))
    assert form.body(*turns, system="Answer briefly.") == {
        "messages": {
            "system_instruction": {"parts": {"text": "Answer briefly."}},
            "contents": [
                {
                    "role": "user",
                    "parts": [
                        {"text": "What is this?"},
                        {"inlineData": {"mimeType": "image/png", "data": "iVBORw0KGgpyZWQ="}},
                    ],
                },
                {"role": "model", "parts": [{"text": "A red square."}]},
                {"role": "user", "parts": [{"text": "Make it blue."}]},
            ],
        }
    }


def test_aimlapi_body_names_the_model_a_limit_and_asks_for_a_stream_with_usage() -> None:
    assert C.body(user("Hello")) == {
        "model": "google/gemini-2.5-flash",
        "messages": [{"role": "user", "content": "Hello"}],
        "max_tokens": 8192,
        "stream": True,
        "stream_options": {"include_usage": True},
    }


def test_bytes_are_compact_utf8() -> None:
    request = ChatRequest((user("Grüße 🙂"),))
    assert A.prepare(request).content == '{"messages":[{"role":"user","content":"Grüße 🙂"}]}'.encode()


# Parameters


PARAMETERS = Parameters(temperature=0.5, max_tokens=100)


def test_segmind_openai_sends_parameters_only_when_configured() -> None:
    body = A.body(user("Hello"), parameters=PARAMETERS)
    assert {key: value for key, value in body.items() if key != "messages"} == {"temperature": 0.5, "max_tokens": 100}


@gemini_forms
def test_segmind_gemini_sends_a_generation_config_only_when_configured(form: Form) -> None:
    assert "generationConfig" not in form.body(user("Hello"))["messages"]
    config = form.body(user("Hello"), parameters=PARAMETERS)["messages"]["generationConfig"]
    assert config == {"temperature": 0.5, "maxOutputTokens": 100}


@gemini_forms
def test_one_configured_parameter_does_not_bring_the_other(form: Form) -> None:
    body = form.body(user("Hello"), parameters=Parameters(temperature=0.0))
    assert body["messages"]["generationConfig"] == {"temperature": 0.0}


def test_aimlapi_takes_the_configured_limit_and_temperature() -> None:
    body = C.body(user("Hello"), parameters=PARAMETERS)
    assert (body["max_tokens"], body["temperature"]) == (100, 0.5)


def test_whole_replies_are_not_asked_for_as_a_stream() -> None:
    whole = replace(C, model=replace(C.model, streams=False))
    assert not {"stream", "stream_options"} & set(whole.body(user("Hello")))


def test_a_configured_segmind_stream_brings_no_stream_options() -> None:
    streaming = replace(A, model=replace(A.model, streams=True))
    assert set(streaming.body(user("Hello"))) == {"messages", "stream"}


# System prompt


def system_of(form: Form, body: Any) -> str | None:
    if form.reads == "gemini":
        instruction = body["messages"].get("system_instruction")
        return str(instruction["parts"]["text"]) if instruction else None
    return next((str(message["content"]) for message in body["messages"] if message["role"] == "system"), None)


@every_form
@pytest.mark.parametrize(
    ("written", "sent"), [("", None), (" \n\t ", None), ("  Be kind.\n", "Be kind."), ("\ud800 ok", "\ufffd ok")]
)
def test_system_prompt_is_stripped_and_left_out_when_blank(form: Form, written: str, sent: str | None) -> None:
    assert system_of(form, form.body(user("Hello"), system=written)) == sent


@every_form
@pytest.mark.parametrize(
    ("first", "texts"),
    [
        (user("Hello"), ("Be kind.\n\nHello",)),
        (user(image(RED)), ("Be kind.",)),
        (user("Hi", image(RED)), ("Be kind.\n\nHi",)),
    ],
)
def test_prepended_system_text_stands_before_the_first_user_text(
    form: Form, first: Turn, texts: tuple[str, ...]
) -> None:
    prepending = replace(form, model=form.model.with_prepended_system())
    body = prepending.body(first, assistant("Yes?"), user("Go on"), system=" Be kind. ")
    said = prepending.read(body)
    assert system_of(form, body) is None
    assert [message.texts for message in said] == [texts, ("Yes?",), ("Go on",)]
    assert len(said[0].pictures) == sum(isinstance(part, ImagePart) for part in first.parts)


@every_form
def test_prepending_nothing_changes_nothing(form: Form) -> None:
    prepending = replace(form, model=form.model.with_prepended_system())
    assert prepending.body(user("Hello"), system=" ") == form.body(user("Hello"))


# Turns: dropped, merged, first and last


TURNS: dict[str, tuple[tuple[Turn, ...], list[tuple[str, str]]]] = {
    "failed replies are dropped, their question stays": (
        (user("One"), assistant("half an ans", failed=True), user("Two")),
        [("user", "One\n\nTwo")],
    ),
    "blank turns are dropped": (
        (user("One"), assistant(" \n"), user(""), user("Two")),
        [("user", "One\n\nTwo")],
    ),
    "turns without parts are dropped": (
        (user("One"), assistant(), user("Two")),
        [("user", "One\n\nTwo")],
    ),
    "replies in a row are merged": (
        (user("One"), assistant("Two"), assistant("Three"), user("Four")),
        [("user", "One"), ("assistant", "Two\n\nThree"), ("user", "Four")],
    ),
    "replies on either side of a blank turn are merged": (
        (user("One"), assistant("Two"), user(" "), assistant("Three"), user("Four")),
        [("user", "One"), ("assistant", "Two\n\nThree"), ("user", "Four")],
    ),
    "leading replies are dropped": (
        (assistant("Welcome!"), assistant("Ask me."), user("One")),
        [("user", "One")],
    ),
    "text is sent as written, spaces included": (
        (user("  One \n"), assistant("\tTwo "), user(" Three ")),
        [("user", "  One \n"), ("assistant", "\tTwo "), ("user", " Three ")],
    ),
    "pieces of one turn are joined as they stand": (
        (user("One", " ", "and", "\n\n", "a half"),),
        [("user", "One and\n\na half")],
    ),
    "blank pieces between turns leave no extra lines": (
        (user("One", "  "), user("\n"), user("Two")),
        [("user", "One  \n\nTwo")],
    ),
}


@every_form
@pytest.mark.parametrize(("turns", "expected"), TURNS.values(), ids=TURNS.keys())
def test_turns(form: Form, turns: tuple[Turn, ...], expected: list[tuple[str, str]]) -> None:
    said = form.read(form.body(*turns))
    assert [(message.role, "".join(message.texts)) for message in said] == expected


@every_form
@pytest.mark.parametrize(
    "turns",
    [(), (user(" "),), (assistant("Hi"),), (user("One"), assistant("Two")), (user("One"), assistant("Two"), user(""))],
    ids=["nothing", "blank only", "reply only", "reply last", "blank last"],
)
def test_a_request_without_a_user_turn_to_answer_is_refused(form: Form, turns: tuple[Turn, ...]) -> None:
    with pytest.raises(Rejected):
        form.prepare(ChatRequest(turns))


@every_form
@pytest.mark.parametrize(
    ("written", "sent"),
    [
        ("a\ud800b", "a\ufffdb"),
        ("\udc00", "\ufffd"),
        ("\ud83d\ude42", "🙂"),
        ("end\ud83d", "end\ufffd"),
        ("\ufeffx", "\ufeffx"),
    ],
)
def test_lone_surrogates_never_reach_the_wire(form: Form, written: str, sent: str) -> None:
    body = form.body(user(written), assistant(written), user("Go on"))
    assert [message.texts for message in form.read(body)[:2]] == [(sent,), (sent,)]


# Pictures


@every_form
def test_a_user_turn_has_its_text_first_then_its_pictures_in_order(form: Form) -> None:
    said = form.read(form.body(user(image(BLACK), "first", image(WHITE), "second")))
    assert said == [Said("user", ("first\n\nsecond",), (png(BLACK), png(WHITE)))]


@every_form
def test_merged_turns_keep_all_pictures_in_order(form: Form) -> None:
    said = form.read(form.body(user("a", image(BLACK)), user(image(WHITE)), user("b", image(RED))))
    assert said == [Said("user", ("a\n\nb",), (png(BLACK), png(WHITE), png(RED)))]


@every_form
def test_a_turn_of_pictures_alone_has_no_empty_text(form: Form) -> None:
    assert form.read(form.body(user(" ", image(RED)))) == [Said("user", (), (png(RED),))]


@every_form
def test_a_backend_that_demands_text_gets_some_beside_a_lone_picture(form: Form) -> None:
    demanding = form.with_quirks(image_only_text="Describe this image.")
    said = demanding.read(demanding.body(user(image(RED)), assistant("Red."), user("Sure?", image(BLACK))))
    assert [message.texts for message in said] == [("Describe this image.",), ("Red.",), ("Sure?",)]


@chat_forms
def test_text_only_messages_have_string_content_and_pictures_make_it_a_list(form: Form) -> None:
    body = form.body(user("Look", image(RED)), assistant("Red"), user("Thanks"))
    contents = [message["content"] for message in body["messages"]]
    assert contents == [[{"type": "text", "text": "Look"}, url_part(RED)], "Red", "Thanks"]


@gemini_forms
def test_a_models_parts_keep_their_order(form: Form) -> None:
    drawn = assistant("Before", image(RED), "between", image(BLACK), "after")
    parts = form.body(user("Draw"), drawn, user("Again"))["messages"]["contents"][1]["parts"]
    assert [part.get("text") or part["inlineData"]["data"] for part in parts] == [
        "Before",
        "iVBORw0KGgpyZWQ=",
        "between",
        "iVBORw0KGgpibGFjaw==",
        "after",
    ]


@chat_forms
@pytest.mark.parametrize(
    ("drawn", "content", "label"),
    [
        (assistant(image(RED)), "[image]", "(The first image attached here is the assistant's earlier output.)"),
        (
            assistant("Two:", image(RED), image(BLACK), "done"),
            "Two:\n\ndone",
            "(The first 2 images attached here are the assistant's earlier output.)",
        ),
    ],
    ids=["picture alone", "text around two pictures"],
)
def test_drawn_pictures_go_into_the_next_user_message(form: Form, drawn: Turn, content: str, label: str) -> None:
    said = form.read(form.body(user("Draw"), drawn, user("Now this one", image(WHITE)), assistant("ok"), user("more")))
    pictures = tuple(png(part.data[8:]) for part in drawn.parts if isinstance(part, ImagePart))
    assert said[1:] == [
        Said("assistant", (content,)),
        Said("user", ("Now this one", label), (*pictures, png(WHITE))),
        Said("assistant", ("ok",)),
        Said("user", ("more",)),
    ]


@chat_forms
def test_drawn_pictures_join_a_user_turn_of_pictures_alone(form: Form) -> None:
    said = form.read(form.body(user("Draw"), assistant(image(RED)), user(image(WHITE))))
    label = "(The first image attached here is the assistant's earlier output.)"
    assert said[2] == Said("user", (label,), (png(RED), png(WHITE)))


# Which pictures may go


@pytest.mark.parametrize("media_type", SIGNATURES)
def test_the_first_bytes_tell_the_type(media_type: str) -> None:
    assert images.media_type(image_bytes(media_type, b"...")) == media_type


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x89PNG",
        b"<svg/>",
        b"RIFF\x00\x00\x00\x00WAVE",
        b"FORM\x00\x00\x00\x00WEBP",
        b"\x00\x00\x00\x18ftypisom",
        b"GIF90a",
        b"iVBORw0KGgo=",
        b"BM",
    ],
)
def test_other_bytes_are_no_known_picture(data: bytes) -> None:
    assert images.media_type(data) is None


@every_form
@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "not a known image format"),
        (b"", "not a known image format"),
        (image_bytes("image/heic"), "image/heic is not supported"),
    ],
)
def test_an_unsupported_picture_leaves_a_note_in_its_turn(form: Form, data: bytes, reason: str) -> None:
    said = form.read(form.body(user("Look", ImagePart("image/png", data))))
    assert said == [Said("user", (f"Look\n\n[image omitted: {reason}]",))]


@every_form
def test_an_unsupported_picture_alone_still_makes_a_turn(form: Form) -> None:
    said = form.read(form.body(user("Hi"), assistant("Yes?"), user(ImagePart("image/png", b"?"))))
    assert said[2] == Said("user", ("[image omitted: not a known image format]",))


@every_form
def test_a_note_stands_where_the_picture_stood_in_a_reply(form: Form) -> None:
    drawn = assistant("Before", ImagePart("image/png", b"?"), "after")
    said = form.read(form.body(user("Draw"), drawn, user("Again")))
    assert said[1] == Said("assistant", ("Before\n\n[image omitted: not a known image format]\n\nafter",))


@every_form
def test_a_model_that_cannot_see_gets_notes_instead(form: Form) -> None:
    blind = replace(form, model=replace(form.model, sees_images=False))
    said = blind.read(blind.body(user("Look", image(RED)), assistant(image(RED)), user("So?")))
    note = "[image omitted: this model cannot see images]"
    assert said == [Said("user", (f"Look\n\n{note}",)), Said("assistant", (note,)), Said("user", ("So?",))]


# Limits


@every_form
def test_one_picture_may_be_as_large_as_the_limit_and_no_larger(form: Form) -> None:
    limit = len(image_bytes("image/png", b"x" * 100))
    small = form.with_quirks(max_image_bytes=limit)
    said = small.read(small.body(user(image(b"y" * 99), image(b"x" * 100), image(b"z" * 101))))
    assert [len(data) for _, data in said[0].pictures] == [limit - 1, limit]
    assert said[0].texts == ("[image omitted: larger than 0.000108 MB]",)


@every_form
def test_the_default_limits_are_7_and_18_megabytes_and_16_pictures(form: Form) -> None:
    quirks = form.model.quirks
    assert (quirks.max_image_bytes, quirks.max_body_bytes, quirks.max_images) == (7_000_000, 18_000_000, 16)
    said = form.read(form.body(user("big", image(b"x" * 7_000_000))))
    assert said == [Said("user", ("big\n\n[image omitted: larger than 7 MB]",))]


@every_form
@pytest.mark.parametrize("extra", [-1, 0, 1, 3])
def test_the_newest_pictures_are_kept_and_older_ones_become_notes(form: Form, extra: int) -> None:
    tails = [b"%d" % number for number in range(4 + extra)]
    turns = [turn for tail in tails for turn in (user(image(tail)), assistant("Seen"))]
    few = form.with_quirks(max_images=4)
    said = few.read(few.body(*turns, user("So?")))
    assert [picture for message in said for picture in message.pictures] == [png(tail) for tail in tails[-4:]]
    notes = [message.texts for message in said if message.role == "user"][: max(extra, 0)]
    assert notes == [("[image omitted: only the newest 4 images are sent]",)] * max(extra, 0)


@every_form
def test_pictures_a_reply_drew_count_and_are_left_out_with_a_note_there(form: Form) -> None:
    few = form.with_quirks(max_images=1)
    said = few.read(few.body(user("Draw"), assistant("Here", image(RED)), user("And", image(BLACK))))
    assert said[1] == Said("assistant", ("Here\n\n[image omitted: only the newest 1 images are sent]",))
    assert said[2] == Said("user", ("And",), (png(BLACK),))


@every_form
def test_a_dropped_reply_takes_no_place_from_the_pictures_that_are_sent(form: Form) -> None:
    few = form.with_quirks(max_images=1)
    said = few.read(few.body(user(image(BLACK)), assistant(image(RED), failed=True), user("So?")))
    assert said == [Said("user", ("So?",), (png(BLACK),))]


@every_form
def test_the_body_stays_within_its_limit_by_leaving_out_old_pictures(form: Form) -> None:
    turns = [turn for number in range(6) for turn in (user(image(b"%d" % number * 6000)), assistant("Seen"))]
    tight = form.with_quirks(max_body_bytes=40_000)
    prepared = tight.prepare(ChatRequest((*turns, user("So?"))))
    said = tight.read(prepared.body)
    assert [data[-1:] for message in said for _, data in message.pictures] == [b"2", b"3", b"4", b"5"]
    assert len(prepared.content) <= 40_000
    assert [message.texts for message in said[:3:2]] == [("[image omitted: the request would be too large]",)] * 2


@every_form
def test_a_small_old_picture_does_not_overtake_a_newer_one_that_found_no_room(form: Form) -> None:
    tight = form.with_quirks(max_body_bytes=40_000)
    said = tight.read(
        tight.body(user(image(b"s")), assistant("ok"), user(image(b"L" * 40_000)), assistant("ok"), user("?"))
    )
    assert [message.pictures for message in said] == [()] * 5


HEAVY: dict[str, tuple[str, tuple[Turn, ...]]] = {
    "a long system prompt": ("s" * 30_000, ()),
    "a long question": ("", (user("q" * 30_000), assistant("ok"))),
    "a text that JSON makes longer": ("", (user('"' * 15_000), assistant("ok"))),
    "long signatures of texts": ("", (user("q"), assistant(*(TextPart("t", "c2ln" * 750) for _ in range(10))))),
    "many signed pieces": ("", (user("q"), assistant(*(TextPart("t", "c2ln") for _ in range(600))))),
    "many turns": ("", (user("q"), assistant("a")) * 350),
}


@every_form
@pytest.mark.parametrize(("system", "before"), HEAVY.values(), ids=HEAVY.keys())
def test_whatever_is_long_takes_room_from_the_pictures(form: Form, system: str, before: tuple[Turn, ...]) -> None:
    shown = [turn for number in range(12) for turn in (user(image(b"%d" % number * 2000)), assistant("Seen"))]
    tight = form.with_quirks(max_body_bytes=48_000)
    request = ChatRequest((*before, *shown, user("So?")), system)
    prepared = tight.prepare(request)
    assert len(prepared.content) <= 48_000
    assert sum(len(message.pictures) for message in tight.read(prepared.body)) < 12


@gemini_forms
def test_long_signatures_of_pictures_take_room_from_older_pictures(form: Form) -> None:
    drawn = assistant(*(image(b"%d" % number, signature="c2ln" * 1000) for number in range(10)))
    tight = form.with_quirks(max_body_bytes=20_000)
    prepared = tight.prepare(ChatRequest((user("Draw"), drawn, user("Again"))))
    assert len(prepared.content) <= 20_000
    assert [data[-1:] for _, data in tight.read(prepared.body)[1].pictures] == [b"7", b"8", b"9"]


@every_form
@pytest.mark.parametrize("limit", [10_000, 30_000, 50_000])
def test_what_is_written_around_hundreds_of_tiny_pictures_counts_too(form: Form, limit: int) -> None:
    tight = form.with_quirks(max_images=1000, max_body_bytes=limit)
    roomy = form.with_quirks(max_images=0)
    request = ChatRequest((user(*(image() for _ in range(150))),))
    assert len(roomy.prepare(request).content) < 10_000
    assert len(tight.prepare(request).content) <= limit


@every_form
def test_three_pictures_of_the_largest_size_do_not_fit_but_a_newest_pair_does_not_vanish(form: Form) -> None:
    turns = (user(image(b"a" * 6_000_000)), user(image(b"b" * 6_000_000)), user(image(b"c" * 6_000_000)))
    prepared = form.prepare(ChatRequest(turns))
    assert [data[-1:] for _, data in form.read(prepared.body)[0].pictures] == [b"b", b"c"]
    assert len(prepared.content) <= 18_000_000


@every_form
def test_text_alone_may_fill_the_body_to_the_byte_and_not_beyond(form: Form) -> None:
    request = ChatRequest((user("ü" * 500),))
    exact = len(form.prepare(request).content)
    assert form.with_quirks(max_body_bytes=exact).prepare(request).body == form.prepare(request).body
    with pytest.raises(TooLarge):
        form.with_quirks(max_body_bytes=exact - 1).prepare(request)


# Thought signatures


@gemini_forms
def test_signatures_go_back_on_the_part_they_came_on(form: Form) -> None:
    drawn = assistant(TextPart("Here", "s1"), image(RED, signature="s2"), TextPart("", "s3"), "done")
    parts = form.body(user("Draw"), drawn, user("Again"))["messages"]["contents"][1]["parts"]
    assert parts == [
        {"text": "Here", "thoughtSignature": "s1"},
        {"inlineData": {"mimeType": "image/png", "data": "iVBORw0KGgpyZWQ="}, "thoughtSignature": "s2"},
        {"text": "", "thoughtSignature": "s3"},
        {"text": "done"},
    ]


@gemini_forms
@pytest.mark.parametrize(
    ("first", "second", "parts"),
    [
        (TextPart("a"), TextPart("b"), [{"text": "a\n\nb"}]),
        (TextPart("a"), TextPart("b", "s"), [{"text": "a\n\n"}, {"text": "b", "thoughtSignature": "s"}]),
        (TextPart("a", "s"), TextPart("b"), [{"text": "a", "thoughtSignature": "s"}, {"text": "\n\nb"}]),
        (
            TextPart("a", "s"),
            TextPart("b", "t"),
            [{"text": "a", "thoughtSignature": "s"}, {"text": "b", "thoughtSignature": "t"}],
        ),
    ],
    ids=["neither", "second", "first", "both"],
)
def test_merging_replies_never_changes_a_signed_text(form: Form, first: TextPart, second: TextPart, parts: Any) -> None:
    body = form.body(user("Go"), assistant(first), assistant(second), user("Again"))
    assert body["messages"]["contents"][1]["parts"] == parts


@gemini_forms
def test_pieces_around_a_signed_one_are_joined_without_blank_lines(form: Form) -> None:
    body = form.body(user("Go"), assistant("a", "b", TextPart("c", "s"), "d", " ", "e"), user("Again"))
    parts = body["messages"]["contents"][1]["parts"]
    assert parts == [{"text": "ab"}, {"text": "c", "thoughtSignature": "s"}, {"text": "d e"}]


@gemini_forms
def test_a_users_parts_carry_no_signature(form: Form) -> None:
    body = form.body(user(TextPart("Hi", "s"), image(RED, signature="t")))
    assert "thoughtSignature" not in json.dumps(body)


@chat_forms
def test_chat_completions_carry_no_signature_and_no_trace_of_signed_pieces(form: Form) -> None:
    said = form.read(form.body(user("Go"), assistant(TextPart("Hel", "s"), "lo", TextPart("", "t")), user("Again")))
    assert said[1] == Said("assistant", ("Hello",))


@every_form
def test_a_reply_of_a_signature_alone_says_nothing_and_is_dropped(form: Form) -> None:
    said = form.read(form.body(user("One"), assistant(TextPart("", "s")), user("Two")))
    assert said == [Said("user", ("One\n\nTwo",))]


# The request around the body


@pytest.mark.parametrize(
    ("form", "url", "auth", "accept"),
    [
        (A, "https://api.segmind.com/v1/gemini-2.5-flash", ("x-api-key", KEY), "*/*"),
        (B, "https://api.segmind.com/v1/gemini-2-flash-image-generation", ("x-api-key", KEY), "*/*"),
        (
            C,
            "https://api.aimlapi.com/v1/chat/completions",
            ("Authorization", f"Bearer {KEY}"),
            "text/event-stream, application/json",
        ),
        (D, "https://api.segmind.com/v1/gemini-1.5-pro", ("x-api-key", KEY), "*/*"),
    ],
    ids=["A", "B", "C", "D"],
)
def test_address_and_headers(form: Form, url: str, auth: tuple[str, str], accept: str) -> None:
    prepared = form.prepare(ChatRequest((user("Hello"),)))
    assert (prepared.method, prepared.url) == ("POST", url)
    assert prepared.headers == (auth, ("Content-Type", "application/json"), ("Accept", accept))


def test_base_url_and_auth_scheme_can_be_set() -> None:
    endpoint = Endpoint("http://127.0.0.1:9/v1/", KEY, auth="bearer")
    prepared = providers.prepare(A.vendor, A.model, endpoint, ChatRequest((user("Hello"),)))
    assert prepared.url == "http://127.0.0.1:9/v1/gemini-2.5-flash"
    assert prepared.headers[0] == ("Authorization", f"Bearer {KEY}")
    assert "x-api-key" not in dict(prepared.headers)


def test_a_vendor_without_authentication_needs_no_key() -> None:
    open_vendor = replace(C.vendor, auth="none")
    prepared = providers.prepare(open_vendor, C.model, Endpoint("http://127.0.0.1:9"), ChatRequest((user("Hello"),)))
    assert [name for name, _ in prepared.headers] == ["Content-Type", "Accept"]


@pytest.mark.parametrize("key", ["", "  ", "two words", "line\nbreak", "schlüssel", "nul\0"])
def test_a_missing_or_unfit_key_is_refused_without_being_repeated(key: str) -> None:
    with pytest.raises(NotConfigured) as caught:
        providers.prepare(A.vendor, A.model, Endpoint("", key), ChatRequest((user("Hello"),)))
    assert caught.value.detail.startswith("SEGMIND_API_KEY ")
    assert not key.strip() or key not in caught.value.detail


def test_a_key_is_sent_without_the_line_end_of_its_file() -> None:
    prepared = providers.prepare(A.vendor, A.model, Endpoint("", f" {KEY}\n"), ChatRequest((user("Hello"),)))
    assert prepared.headers[0] == ("x-api-key", KEY)


def test_keys_and_content_stay_out_of_what_is_printed() -> None:
    prepared = A.prepare(ChatRequest((user("private words"),)))
    printed = repr(prepared) + repr(Endpoint("https://example.org", KEY))
    assert KEY not in printed
    assert "private words" not in printed


def test_every_model_is_found_by_its_id_and_ids_are_unique() -> None:
    ids = [model.id for vendor in providers.VENDORS for model in vendor.models]
    assert len(ids) == len(set(ids))
    assert {
        "segmind/gemini-2.5-flash",
        "segmind/gemini-2-flash-image-generation",
        "segmind/gemini-1.5-pro",
        "aimlapi/google/gemini-2.5-flash",
    } <= set(ids)
    for vendor in providers.VENDORS:
        assert [providers.find(model.id) for model in vendor.models] == [(vendor, model) for model in vendor.models]
    assert providers.find("segmind/unheard-of") is None


# What reviewers may keep


@every_form
def test_redaction_replaces_pictures_by_their_digest_and_nothing_else(form: Form) -> None:
    words = "data:image/png;base64,iVBORw0KGgpyZWQ= is what I typed"
    drawn = assistant(TextPart("Here", "s"), image(RED, signature="t"))
    body = form.body(user("Draw"), drawn, user(words, image(BLACK)), system="Be kind.")
    before = json.dumps(body)
    kept = json.dumps(providers.redacted(body))
    assert json.dumps(body) == before
    for tail in (RED, BLACK):
        kept = kept.replace(digest_note(tail), base64_of(tail))
    assert kept == before


def digest_note(tail: bytes) -> str:
    data = image_bytes("image/png", tail)
    return f"sha256:{hashlib.sha256(data).hexdigest()} ({len(data)} bytes)"


@every_form
def test_redaction_leaves_no_picture_data_behind(form: Form) -> None:
    kept = json.dumps(providers.redacted(form.body(user("Look", image(b"x" * 3000)))))
    assert "iVBORw0KGgp" not in kept
    assert digest_note(b"x" * 3000) in kept
    assert len(kept) < 600
