"""The numbered wire cases that concern replies, each whole, byte by byte, cut anywhere, and over a real socket."""

from decimal import Decimal
from typing import Any

import pytest

from conversations.providers.errors import (
    Blocked,
    BrokenStream,
    EmptyReply,
    OutOfCredit,
    ProviderError,
    Rejected,
    SystemRefused,
    Unavailable,
)
from conversations.providers.events import Credits, Finished, ImageDelta, ReasoningDelta, TextDelta, Usage

from .byteserver import ByteServer, whole
from .reading import (
    DONE,
    JPEG,
    KEY,
    PNG,
    Reader,
    answered,
    completion,
    data_url,
    delta,
    encoded,
    event,
    gemini,
    inline,
    said,
    stream,
)

SPENT = {"prompt_tokens": 6, "completion_tokens": 512, "completion_tokens_details": {"reasoning_tokens": 512}}


def test_case_01_empty_content_at_the_token_limit(read: Reader) -> None:
    found = read(completion(said(""), "length", usage=SPENT))
    assert found.events == (Usage(prompt=6, output=512, reasoning=512),)
    assert isinstance(found.error, EmptyReply)
    assert found.error.token_limit
    assert "token limit" in found.error.detail


def test_case_01_the_same_as_a_stream(read: Reader) -> None:
    body = stream(delta(""), delta(finish="length"), {"choices": [], "usage": SPENT})
    found = read.stream(body)
    assert found.events == (Usage(prompt=6, output=512, reasoning=512),)
    assert isinstance(found.error, EmptyReply)
    assert found.error.token_limit


def test_case_02_max_tokens_without_parts(read: Reader) -> None:
    usage = {"promptTokenCount": 5, "thoughtsTokenCount": 64, "totalTokenCount": 69}
    reply = {"candidates": [{"content": {"role": "model"}, "finishReason": "MAX_TOKENS"}], "usageMetadata": usage}
    found = read(encoded(reply))
    assert found.events == (Usage(prompt=5, output=64, reasoning=64),)
    assert isinstance(found.error, EmptyReply)
    assert found.error.token_limit


def test_case_03_a_blocked_prompt(read: Reader) -> None:
    found = read(encoded({"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}}))
    assert found.events == ()
    assert isinstance(found.error, Blocked)
    assert found.error.detail == "PROHIBITED_CONTENT"


def test_case_03_is_not_tried_again() -> None:
    with ByteServer([whole(encoded({"promptFeedback": {"blockReason": "SAFETY"}}))]) as server:
        found, attempts = answered(server.url)
    assert found.reason == "blocked"
    assert len(server.received) == 1
    assert [attempt.outcome for attempt in attempts] == ["", "blocked"]


def test_case_04_stop_without_parts(read: Reader) -> None:
    found = read(encoded({"candidates": [{"content": {"role": "model"}, "finishReason": "STOP"}]}))
    assert isinstance(found.error, EmptyReply)
    assert not found.error.token_limit


def test_case_05_a_thought_before_the_answer(read: Reader) -> None:
    found = read(encoded(gemini({"text": "Hm.", "thought": True}, {"text": "Four"}, {"text": "."})))
    assert found.events == (ReasoningDelta("Hm."), TextDelta("Four"), TextDelta("."), Finished("complete", "STOP"))


def test_case_05_the_same_as_a_stream(read: Reader) -> None:
    body = stream(gemini({"text": "Hm.", "thought": True}, finish=None), gemini({"text": "Four"}), done=False)
    found = read.stream(body)
    assert found.events == (ReasoningDelta("Hm."), TextDelta("Four"), Finished("complete", "STOP"))


def test_case_06_a_gemini_reply_to_chat_messages(read: Reader) -> None:
    usage = {"promptTokenCount": 56, "candidatesTokenCount": 31, "totalTokenCount": 87}
    found = read(encoded(gemini({"text": "A sunset."}, usageMetadata=usage)), x_remaining_credits="12.5")
    assert found.events == (
        Credits(Decimal("12.5")),
        TextDelta("A sunset."),
        Usage(prompt=56, output=31),
        Finished("complete", "STOP"),
    )


@pytest.mark.parametrize("content_type", ["image/png", "application/octet-stream", "application/json", ""])
def test_case_07_raw_image_bytes(read: Reader, content_type: str) -> None:
    found = read(PNG, content_type=content_type)
    assert found.events == (ImageDelta("image/png", PNG), Finished("complete"))


def test_case_08_segmind_without_credits(read: Reader) -> None:
    found = read(encoded({"error": "Not enough credits"}), "406 Not Acceptable", x_remaining_credits="-0.02")
    assert found.events == (Credits(Decimal("-0.02")),)
    assert found.outcome == ("OutOfCredit", "Not enough credits", 406, None)


AIMLAPI_ERROR = {
    "message": "You've run out of credits. Top up your balance.",
    "path": "/v1/chat/completions",
    "requestId": "798b860e-98c2-4e8e-8c50-550bcfc2eccc",
    "statusCode": "403",
    "timestamp": "2025-03-11T07:13:27.813Z",
}


def test_case_09_aimlapi_without_credits(read: Reader) -> None:
    found = read(encoded(AIMLAPI_ERROR), "403 Forbidden")
    assert found.outcome == ("OutOfCredit", "You've run out of credits. Top up your balance.", 403, None)


def test_case_09_a_key_without_permission_is_another_matter(read: Reader) -> None:
    found = read(encoded(AIMLAPI_ERROR | {"message": "Forbidden resource"}), "403 Forbidden")
    assert found.reason == "auth"


def test_case_10_created_is_success(read: Reader) -> None:
    found = read(completion(said("Hello")), "201 Created")
    assert found.events == (TextDelta("Hello"), Finished("complete", "stop"))


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"error": {"message": "Upstream is gone", "code": 503}}, Unavailable),
        ({"error": "Upstream is gone"}, Unavailable),
        ({"message": "Upstream is gone"}, Unavailable),
        (AIMLAPI_ERROR, OutOfCredit),
        ([{"error": {"message": "Upstream is gone", "status": "UNAVAILABLE"}}], Unavailable),
        ({"error": {"message": "Bad messages", "code": "400"}, "choices": []}, Rejected),
    ],
    ids=["object", "string", "message", "aimlapi", "list", "beside empty choices"],
)
def test_case_11_an_error_with_status_200(read: Reader, body: object, expected: type[ProviderError]) -> None:
    found = read(encoded(body))
    assert found.events == ()
    assert type(found.error) is expected
    assert found.error.status is None


def test_case_12_a_proxys_page(read: Reader) -> None:
    page = b"<html>\r\n<head><title>502 Bad Gateway</title></head><body>secret hint</body></html>"
    found = read(page, "502 Bad Gateway", "text/html")
    assert found.outcome == ("Unavailable", "502 Bad Gateway", 502, None)


@pytest.mark.parametrize(
    "broken",
    [
        event({"error": {"message": "It broke", "code": 502}}),
        event({"error": {"message": "It broke", "code": 502}, "choices": [{"delta": {}, "finish_reason": "error"}]}),
        event({"choices": [{"delta": {}, "finish_reason": "error", "error": {"message": "It broke", "code": 502}}]}),
        event({"message": "It broke"}, "error"),
        event("It broke", "error"),
        b'error: {"message": "It broke"}\n\n',
        b'{"error": {"message": "It broke"}}\n\n',
    ],
    ids=["error", "with finish_reason", "inside the choice", "event name", "plain text", "llama.cpp", "bare JSON"],
)
def test_case_13_an_error_after_partial_text(read: Reader, broken: bytes) -> None:
    found = read.stream(stream(delta("Half an "), delta("answer"), done=False) + broken + event(delta("!")) + DONE)
    assert found.events == (TextDelta("Half an "), TextDelta("answer"))
    assert found.outcome == ("Unavailable", "It broke", None, None)


def test_case_14_a_stream_without_an_end(read: Reader) -> None:
    found = read.stream(stream(delta("Half an "), delta("answer"), done=False))
    assert found.events == (TextDelta("Half an "), TextDelta("answer"))
    assert isinstance(found.error, BrokenStream)
    assert found.reason == "interrupted"


def test_case_14_the_last_event_counts_without_its_end(read: Reader) -> None:
    found = read.stream(stream(delta("Half an "), delta("answer"), done=False).rstrip(b"\n"))
    assert found.text == "Half an answer"
    assert isinstance(found.error, BrokenStream)


def test_case_15_usage_and_cost_in_a_last_chunk_without_choices(read: Reader) -> None:
    last = {
        "choices": [],
        "usage": {"prompt_tokens": 6, "completion_tokens": 40, "prompt_tokens_details": {"cached_tokens": 2}},
        "meta": {"usage": {"credits_used": 2480, "usd_spent": 0.00124}},
    }
    found = read.stream(stream(delta("Hello") | {"usage": None}, delta(finish="stop"), last))
    assert found.events == (
        TextDelta("Hello"),
        Usage(prompt=6, output=40, cached=2, cost_usd=Decimal("0.00124"), credits_used=Decimal(2480)),
        Finished("complete", "stop"),
    )


def test_case_16_chunks_without_text_come_first(read: Reader) -> None:
    first: dict[str, Any] = {"choices": [], "prompt_filter_results": []}
    nothing = {"object": "chat.completion.chunk", "choices": None}
    body = stream(first, delta("", role="assistant"), nothing, delta("Hello"), delta(finish="stop"))
    assert read.stream(body).events == (TextDelta("Hello"), Finished("complete", "stop"))


def test_case_17_comments_between_events(read: Reader) -> None:
    comment = b": OPENROUTER PROCESSING\n\n:\n\ndata:\n\nid: 7\nretry: 10\n\n"
    body = comment + event(delta("Hel")) + comment + event(delta("lo", "stop")) + comment + DONE
    assert read.stream(body).events == (TextDelta("Hel"), TextDelta("lo"), Finished("complete", "stop"))


def test_case_18_letters_of_several_bytes(read: Reader) -> None:
    text = "Grüße aus 東京, 👩🏽‍🚀\u0085\u2028 fliegt"
    found = read.stream(stream(delta(text), delta(finish="stop")))
    assert found.text == text


@pytest.mark.parametrize("way", ["message", "delta"])
def test_case_19_content_as_a_list_of_parts(read: Reader, way: str) -> None:
    content = [
        {"type": "thinking", "thinking": [{"type": "text", "text": "Hm."}]},
        {"type": "text", "text": "Fo"},
        {"type": "reference", "reference_ids": [1]},
        {"type": "text", "text": "ur"},
    ]
    found = read(completion(said(content))) if way == "message" else read.stream(stream(delta(content, "stop")))
    assert found.events == (
        ReasoningDelta("Hm."),
        TextDelta("Fo"),
        TextDelta("ur"),
        Finished("complete", "stop"),
    )


@pytest.mark.parametrize("way", ["message", "delta"])
def test_case_20_pictures_beside_the_content(read: Reader, way: str) -> None:
    images = [{"type": "image_url", "image_url": {"url": data_url(PNG)}}]
    if way == "message":
        found = read(completion(said("Here", images=images)))
    else:
        found = read.stream(stream(delta("Here"), delta(images=images), delta(finish="stop")))
    assert found.events == (TextDelta("Here"), ImageDelta("image/png", PNG), Finished("complete", "stop"))


@pytest.mark.parametrize("label", ["image/png", "image/jpg", "png", ""])
def test_case_23_a_drawn_picture_is_known_by_its_bytes(read: Reader, label: str) -> None:
    found = read(encoded(gemini(inline(JPEG, label))))
    assert found.images == [ImageDelta("image/jpeg", JPEG)]


def test_case_24_a_drawn_picture_keeps_its_place_and_its_signature(read: Reader) -> None:
    parts = ({"text": "Before"}, inline(PNG) | {"thoughtSignature": "c2ln"}, {"text": "After"})
    found = read(encoded(gemini(*parts)))
    assert found.events == (
        TextDelta("Before"),
        ImageDelta("image/png", PNG, "c2ln"),
        TextDelta("After"),
        Finished("complete", "STOP"),
    )


REFUSAL = {
    "error": {
        "code": 400,
        "message": "Developer instruction is not enabled for models/gemini-2.0-flash-preview-image-generation",
        "status": "INVALID_ARGUMENT",
    }
}
DRAWING = "segmind/gemini-2-flash-image-generation"


def test_case_25_a_refused_system_instruction(read: Reader) -> None:
    found = read(encoded(REFUSAL), "400 Bad Request")
    assert isinstance(found.error, SystemRefused)
    assert found.error.code == "bad_request"


def test_case_25_is_answered_by_one_resend_with_the_system_text_first() -> None:
    with ByteServer([whole(encoded(REFUSAL), "400 Bad Request")], [whole(encoded(gemini({"text": "Done"})))]) as server:
        found, attempts = answered(server.url, model_id=DRAWING)
    assert found.text == "Done"
    first, second = (request.body["messages"] for request in server.received)
    assert first["system_instruction"] == {"parts": {"text": "Be brief."}}
    assert "system_instruction" not in second
    assert second["contents"][0]["parts"] == [{"text": "Be brief.\n\nHello?"}]
    assert [(one.number, one.outcome) for one in attempts] == [(1, ""), (1, "bad_request"), (2, ""), (2, "complete")]
    assert KEY not in str(attempts)


def test_case_25_after_some_text_is_not_asked_again() -> None:
    body = stream(delta("Half"), REFUSAL, done=False)
    with ByteServer(
        [whole(body, content_type="text/event-stream")], [whole(encoded(gemini({"text": "Done"})))]
    ) as server:
        found, _ = answered(server.url, model_id=DRAWING)
    assert (found.text, type(found.error)) == ("Half", SystemRefused)
    assert len(server.received) == 1


def test_case_25_a_second_refusal_is_final() -> None:
    refusal = whole(encoded(REFUSAL), "400 Bad Request")
    with ByteServer([refusal], [refusal], [refusal]) as server:
        found, _ = answered(server.url, model_id=DRAWING)
    assert isinstance(found.error, SystemRefused)
    assert len(server.received) == 2
