"""The shapes of whole replies and of Gemini's streams, and how each may end."""

import base64
import json
from typing import Any

import pytest

from conversations.providers.errors import Blocked, BrokenStream, EmptyReply, NoImage, UnexpectedReply
from conversations.providers.events import Finished, ImageDelta, Omitted, ReasoningDelta, TextDelta, Usage

from .reading import (
    GIF,
    JPEG,
    PNG,
    WEBP,
    Reader,
    completion,
    data_url,
    decoded,
    delta,
    encoded,
    gemini,
    inline,
    said,
    stream,
)

BASE64 = base64.b64encode(PNG).decode()
HELLO = (TextDelta("Hello"), Finished("complete"))
PICTURE = (ImageDelta("image/png", PNG), Finished("complete"))
LINK = "https://cdn.example.com/a.png"

# Objects with one telling member

MEMBERS: dict[str, tuple[Any, tuple[Any, ...]]] = {
    "response": ({"response": "Hello"}, HELLO),
    "output": ({"output": "Hello"}, HELLO),
    "text": ({"text": "Hello"}, HELLO),
    "content": ({"content": "Hello"}, HELLO),
    "Anthropic": (
        {"content": [{"type": "text", "text": "Hello"}], "stop_reason": "end_turn", "usage": {"input_tokens": 3}},
        (TextDelta("Hello"), Usage(prompt=3), Finished("complete", "end_turn")),
    ),
    "wrapped Gemini": (
        {"response": {"candidates": [{"content": {"parts": [{"text": "Hello"}]}, "finishReason": "STOP"}]}},
        (TextDelta("Hello"), Finished("complete", "STOP")),
    ),
    "wrapped completion": ({"output": {"choices": [{"message": {"content": "Hello"}}]}}, HELLO),
    "a JSON string": ("Hello", HELLO),
    "image": ({"image": BASE64}, PICTURE),
    "image as data URL": ({"image": data_url(PNG)}, PICTURE),
    "images": ({"images": [BASE64]}, PICTURE),
    "output in base64": ({"output": BASE64}, PICTURE),
    "data with b64_json": ({"created": 1, "data": [{"b64_json": BASE64}]}, PICTURE),
    "a JSON string in base64": (BASE64, PICTURE),
    "a message beside a picture": ({"message": "done", "image": BASE64}, PICTURE),
    "output as address": ({"output": LINK}, (Omitted(f"a linked picture: {LINK}"), Finished("complete"))),
    "output as addresses": ({"output": [LINK]}, (Omitted(f"a linked picture: {LINK}"), Finished("complete"))),
    "outputs": ({"outputs": [{"url": LINK}]}, (Omitted(f"a linked picture: {LINK}"), Finished("complete"))),
    "image_url": ({"image_url": LINK}, (Omitted(f"a linked picture: {LINK}"), Finished("complete"))),
    "image_url as object": (
        {"image_url": {"url": LINK}},
        (Omitted(f"a linked picture: {LINK}"), Finished("complete")),
    ),
    "image that is none": ({"image": "sorry"}, (Omitted("a picture that cannot be read"), Finished("complete"))),
}


@pytest.mark.parametrize(("body", "events"), MEMBERS.values(), ids=MEMBERS)
def test_objects_with_one_telling_member(read: Reader, body: Any, events: tuple[Any, ...]) -> None:
    assert read(encoded(body)).events == events


def test_a_text_body_that_is_base64(read: Reader) -> None:
    assert read(BASE64.encode(), content_type="text/plain").events == PICTURE


@pytest.mark.parametrize(
    ("data", "media_type"),
    [(PNG, "image/png"), (JPEG, "image/jpeg"), (WEBP, "image/webp"), (GIF, "image/gif")],
    ids=["png", "jpeg", "webp", "gif"],
)
def test_raw_pictures_of_every_type(read: Reader, data: bytes, media_type: str) -> None:
    found = read(data, content_type="image/png")
    assert found.events == (ImageDelta(media_type, data), Finished("complete"))


def test_json_under_an_image_type(read: Reader) -> None:
    assert read(encoded(gemini({"text": "Hello"})), content_type="image/jpeg").text == "Hello"


def test_an_image_type_without_a_picture(read: Reader) -> None:
    assert read(b"<svg xmlns=''></svg>", content_type="image/svg+xml").omitted == ["a picture that cannot be read"]


# Unreadable bodies

UNREADABLE: dict[str, tuple[bytes, str]] = {
    "HTML": (b"<!doctype html><title>Hi</title>", "an HTML page instead of a reply"),
    "words": (b"upstream connect error", "text instead of a reply"),
    "a number": (b"7", "text instead of a reply"),
    "other members": (b'{"status": "ok", "job": 1}', "a reply of an unknown shape: status, job"),
    "no JSON": (b"{status: ok}", "a reply that is no JSON"),
    "too deep": (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, "a reply that is no JSON"),
}


@pytest.mark.parametrize(("body", "detail"), UNREADABLE.values(), ids=UNREADABLE)
def test_unreadable_bodies(body: bytes, detail: str) -> None:
    found = decoded([body])
    assert found.events == ()
    assert found.outcome == ("UnexpectedReply", detail, None, None)


def test_member_names_do_not_tell_the_key() -> None:
    assert "test-key" not in str(decoded([b'{"test-key-1234567890": 1}']).outcome)


@pytest.mark.parametrize("status", ["200 OK", "204 No Content"])
def test_nothing_at_all(read: Reader, status: str) -> None:
    if status.startswith("204") and read.way == "socket, byte by byte":
        status = "200 OK"  # a 204 has no chunks
    assert isinstance(read(b"", status).error, EmptyReply)


def test_json_that_breaks_off_is_broken(read: Reader) -> None:
    found = read(completion(said("Hello"))[:-20])
    assert isinstance(found.error, BrokenStream)


def test_a_second_value_behind_the_first_is_ignored(read: Reader) -> None:
    assert read(encoded(gemini({"text": "Hello"})) + b'\n{"candidates": []} trailing').text == "Hello"


def test_control_characters_inside_json_strings(read: Reader) -> None:
    assert read(b'{"choices": [{"message": {"content": "two\nlines\t."}}]}').text == "two\nlines\t."


def test_values_of_any_type_break_nothing() -> None:
    odd: list[Any] = [None, True, 7, -1.5, "", "x", [], [[]], {}, {"a": 1}, [None], ["x", 7]]
    names = [
        "choices",
        "candidates",
        "usage",
        "meta",
        "usageMetadata",
        "promptFeedback",
        "error",
        "response",
        "content",
    ]
    shapes = [{name: value} for name in names for value in odd]
    shapes += [{"choices": [{name: value}]} for name in ("delta", "message", "index", "finish_reason") for value in odd]
    shapes += [{"choices": [{"delta": {name: value}}]} for name in ("content", "images", "reasoning") for value in odd]
    shapes += [{"choices": [{"delta": {"content": [value, {"type": value}]}}]} for value in odd]
    shapes += [{"candidates": [{name: value}]} for name in ("content", "finishReason", "index") for value in odd]
    shapes += [{"candidates": [{"content": {"parts": value}}]} for value in odd]
    shapes += [
        {"candidates": [{"content": {"parts": [{name: value}]}}]}
        for name in ("text", "inlineData", "thought", "thoughtSignature", "fileData")
        for value in odd
    ]
    shapes += [{"usage": {name: value}} for name in ("prompt_tokens", "completion_tokens_details") for value in odd]
    for shape in shapes:
        as_stream = stream(shape, delta("Hello", "stop"))
        assert decoded([as_stream]).text.endswith("Hello") or "error" in shape, shape
        decoded([encoded(shape)])
        decoded([encoded([shape])])
        decoded([encoded({"error": shape})], status=500)


# Gemini


def test_snake_case_is_read_too(read: Reader) -> None:
    reply = {
        "candidates": [
            {
                "content": {
                    "parts": [
                        {"text": "Hm.", "thought": True},
                        {"text": "Hello", "thought_signature": "c2ln"},
                        {"inline_data": {"mime_type": "image/png", "data": BASE64}},
                    ]
                },
                "finish_reason": "MAX_TOKENS",
            }
        ],
        "usage_metadata": {"prompt_token_count": 5, "candidates_token_count": 2, "thoughts_token_count": 3},
    }
    assert read(encoded(reply)).events == (
        ReasoningDelta("Hm."),
        TextDelta("Hello", "c2ln"),
        PICTURE[0],
        Usage(prompt=5, output=5, reasoning=3),
        Finished("truncated", "MAX_TOKENS"),
    )


def test_a_part_with_nothing_but_a_signature_is_kept(read: Reader) -> None:
    parts = (
        {"text": "Hello", "thoughtSignature": "b25l"},
        {"text": "", "thoughtSignature": "dHdv"},
        {"thoughtSignature": "3"},
    )
    assert read(encoded(gemini(*parts))).events[:-1] == (
        TextDelta("Hello", "b25l"),
        TextDelta("", "dHdv"),
        TextDelta("", "3"),
    )


def test_parts_of_tools_and_drafts_bring_nothing(read: Reader) -> None:
    parts = (
        inline(JPEG) | {"thought": True},
        {"functionCall": {"name": "f"}, "thoughtSignature": "c2ln"},
        {"executableCode": {"code": "1"}},
        {"text": "Hello"},
    )
    assert read(encoded(gemini(*parts))).events[:-1] == (TextDelta("Hello"),)


def test_a_file_by_address_is_named(read: Reader) -> None:
    found = read(encoded(gemini({"fileData": {"fileUri": "https://example.com/f", "mimeType": "image/png"}})))
    assert found.omitted == ["a linked file: https://example.com/f"]


STREAM = [
    {"modelVersion": "gemini-2.5-flash", "usageMetadata": {"promptTokenCount": 3}},
    gemini({"text": "Hm.", "thought": True}, finish=None),
    gemini(
        {"text": 'Hel "quoted ]} \\'}, finish=None, usageMetadata={"promptTokenCount": 3, "candidatesTokenCount": 1}
    ),
    gemini(inline(PNG), finish=None),
    gemini({"text": "lo]},"}, usageMetadata={"promptTokenCount": 3, "candidatesTokenCount": 2}),
]
STREAMED = (
    ReasoningDelta("Hm."),
    TextDelta('Hel "quoted ]} \\'),
    PICTURE[0],
    TextDelta("lo]},"),
    Usage(prompt=3, output=2),
    Finished("complete", "STOP"),
)


def test_gemini_events(read: Reader) -> None:
    assert read.stream(stream(*STREAM, done=False)).events == STREAMED


@pytest.mark.parametrize("indent", [None, 2])
def test_one_array_piece_by_piece(read: Reader, indent: int | None) -> None:
    body = json.dumps(STREAM, indent=indent).replace("},\n", "}\n,\r\n").encode()
    assert read(body, is_stream=True).events == STREAMED


def test_an_array_shows_each_element_as_soon_as_it_has_ended() -> None:
    body = json.dumps([gemini({"text": "Hel"}, finish=None)], indent=2).encode().rstrip(b"]\n")
    assert decoded([body]).text == "Hel"
    assert isinstance(decoded([body]).error, BrokenStream)


def test_an_array_that_is_closed_has_ended_without_a_finish_reason(read: Reader) -> None:
    assert read(encoded([gemini({"text": "Hello"}, finish=None)])).events == HELLO


def test_a_block_after_some_text_counts_as_filtered(read: Reader) -> None:
    body = stream(gemini({"text": "Half"}, finish=None), {"promptFeedback": {"blockReason": "SAFETY"}}, done=False)
    assert read.stream(body).events == (TextDelta("Half"), Finished("filtered", "SAFETY"))


FILTERED = [
    "SAFETY",
    "RECITATION",
    "BLOCKLIST",
    "PROHIBITED_CONTENT",
    "SPII",
    "LANGUAGE",
    "IMAGE_SAFETY",
    "IMAGE_PROHIBITED_CONTENT",
    "IMAGE_RECITATION",
    "MODEL_ARMOR",
]
WRONG = [
    "OTHER",
    "MALFORMED_FUNCTION_CALL",
    "UNEXPECTED_TOOL_CALL",
    "TOO_MANY_TOOL_CALLS",
    "MISSING_THOUGHT_SIGNATURE",
    "MALFORMED_RESPONSE",
    "FROM_THE_FUTURE",
]


@pytest.mark.parametrize("word", FILTERED)
def test_filtered_keeps_the_text_and_without_text_is_blocked(word: str) -> None:
    assert decoded([encoded(gemini({"text": "Half"}, finish=word))]).events == (
        TextDelta("Half"),
        Finished("filtered", word),
    )
    assert isinstance(decoded([encoded(gemini(finish=word))]).error, Blocked)


@pytest.mark.parametrize("word", ["NO_IMAGE", "IMAGE_OTHER"])
def test_no_image_is_an_error_only_without_text(word: str) -> None:
    assert decoded([encoded(gemini({"text": "Why?"}, finish=word))]).finished == Finished("no_image", word)
    assert isinstance(decoded([encoded(gemini(finish=word))]).error, NoImage)


@pytest.mark.parametrize("word", WRONG)
def test_other_reasons_are_named(word: str) -> None:
    for parts in ((), ({"text": "Half"},)):
        found = decoded([encoded(gemini(*parts, finish=word))])
        assert isinstance(found.error, UnexpectedReply)
        assert found.error.detail == f"finish reason {word}"
        assert found.text == ("Half" if parts else "")


def test_an_unspecified_reason_says_nothing(read: Reader) -> None:
    first = gemini({"text": "Hel"}, finish="FINISH_REASON_UNSPECIFIED")
    assert isinstance(read.stream(stream(first, done=False)).error, BrokenStream)


@pytest.mark.parametrize(
    ("word", "reason"),
    [
        ("stop", "complete"),
        ("length", "truncated"),
        ("MAX_TOKENS", "truncated"),
        ("max_tokens", "truncated"),
        ("content_filter", "filtered"),
        ("safety", "filtered"),
        ("tool_calls", "complete"),
        ("function_call", "complete"),
        ("from_the_future", "complete"),
        (None, "complete"),
    ],
)
def test_finish_reasons_of_chat_completions(word: str | None, reason: Any) -> None:
    assert decoded([completion(said("Hello"), word)]).finished == Finished(reason, word or "")


def test_a_tool_call_nobody_asked_for_is_no_answer() -> None:
    calls = [{"id": "1", "type": "function", "function": {"name": "f", "arguments": "{}"}}]
    found = decoded([completion(said(None, tool_calls=calls), "tool_calls")])
    assert found.outcome == ("UnexpectedReply", "finish reason tool_calls", None, None)


@pytest.mark.parametrize("blank", ["", " \n", "\u00a0"])
def test_blank_text_is_no_answer(blank: str) -> None:
    assert isinstance(decoded([completion(said(blank))]).error, EmptyReply)


def test_reasoning_alone_is_no_answer(read: Reader) -> None:
    found = read.stream(stream(delta(reasoning="Hm."), delta(finish="length")))
    assert found.events == (ReasoningDelta("Hm."),)
    assert isinstance(found.error, EmptyReply)
    assert found.error.token_limit


def test_a_stream_cut_while_it_reasons_is_interrupted(read: Reader) -> None:
    assert isinstance(read.stream(stream(delta(reasoning="Hm."), done=False)).error, BrokenStream)
