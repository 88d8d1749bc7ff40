"""Which error a refusal becomes: every status of every vendor, every form of body, the wait, and no secrets in it."""

import base64
from typing import Any
from urllib.parse import quote

import pytest

from conversations.providers.replies.censor import Censor

from .reading import KEY, Reader, completion, decoded, delta, encoded, said, stream

STATUSES: list[tuple[int, str, str]] = [
    (301, "Moved Permanently", "unexpected_reply"),
    (302, "Found", "unexpected_reply"),
    (307, "Temporary Redirect", "unexpected_reply"),
    (400, "Invalid message format or parameters", "bad_request"),
    (400, "Body validation error", "bad_request"),
    (401, "User authentication failed", "auth"),
    (402, "Payment required", "credits"),
    (402, "messages must be an array", "bad_request"),
    (403, "Insufficient permissions", "auth"),
    (403, "You've run out of credits", "credits"),
    (403, "Your balance is empty", "credits"),
    (403, "Please top up", "credits"),
    (403, "Check your billing", "credits"),
    (403, "The limit of your plan is used up", "credits"),
    (404, "No such model", "not_found"),
    (405, "Method not allowed", "bad_request"),
    (406, "Not enough credits", "credits"),
    (406, "", "credits"),
    (406, "Invalid contents", "bad_request"),
    (406, "messages: expected array", "bad_request"),
    (406, "The prompt is malformed", "bad_request"),
    (406, "Not enough credits for this prompt", "credits"),
    (408, "Timed out", "timeout"),
    (409, "Conflict", "bad_request"),
    (413, "Too large", "too_large"),
    (422, "Unprocessable", "bad_request"),
    (429, "Too many requests", "rate_limited"),
    (500, "Server error", "provider_down"),
    (501, "Not implemented", "provider_down"),
    (502, "Bad gateway", "provider_down"),
    (503, "Maintenance", "provider_down"),
    (504, "Generation timeout", "timeout"),
    (524, "A timeout occurred", "timeout"),
    (529, "Overloaded", "provider_down"),
    (400, "Your credit balance is too low", "credits"),
    (400, "Developer instruction is not enabled for models/x", "bad_request"),
    (400, "This model's maximum context length is 8192 tokens", "too_large"),
]


@pytest.mark.parametrize(("status", "text", "code"), STATUSES)
def test_statuses(status: int, text: str, code: str) -> None:
    found = decoded([encoded({"error": text})], status)
    assert found.events == ()
    assert (found.reason, found.error.status if found.error else 0) == (code, status)
    assert found.error is not None
    assert found.error.detail.startswith(text or str(status))


def google(code: int, status: str, message: str, *details: Any) -> dict[str, Any]:
    return {"error": {"code": code, "status": status, "message": message, "details": list(details)}}


KEY_INVALID = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID"}
NAMED: dict[str, tuple[int, Any, str]] = {
    "Google's bad key": (400, google(400, "INVALID_ARGUMENT", "API key not valid.", KEY_INVALID), "auth"),
    "Google's bad argument": (400, google(400, "INVALID_ARGUMENT", "contents is not specified"), "bad_request"),
    "Google's precondition": (400, google(400, "FAILED_PRECONDITION", "User location is not supported"), "bad_request"),
    "OpenAI without quota": (429, {"error": {"message": "Over", "code": "insufficient_quota"}}, "credits"),
    "OpenAI's bad key": (401, {"error": {"message": "No", "code": "invalid_api_key"}}, "auth"),
    "Azure's filter": (400, {"error": {"message": "Filtered", "code": "content_filter"}}, "blocked"),
    "OpenAI's context": (400, {"error": {"message": "Long", "code": "context_length_exceeded"}}, "too_large"),
    "inside 200, by number": (200, {"error": {"message": "Busy", "code": 429}}, "rate_limited"),
    "inside 200, by string": (200, {"error": {"message": "Busy", "code": "429"}}, "rate_limited"),
    "inside 200, by Google's word": (200, google(0, "RESOURCE_EXHAUSTED", "Busy"), "rate_limited"),
    "inside 200, by type": (200, {"error": {"message": "Busy", "type": "overloaded_error"}}, "provider_down"),
    "inside 200, deadline": (200, {"error": {"message": "Slow", "status": "DEADLINE_EXCEEDED"}}, "timeout"),
    "inside 200, by words": (200, {"error": "Rate limit reached"}, "rate_limited"),
    "inside 200, credit in words": (200, {"error": "Not enough credits"}, "credits"),
    "inside 200, key in words": (200, {"error": "Invalid API key"}, "auth"),
    "inside 200, roles in words": (200, {"error": "roles must alternate"}, "bad_request"),
    "inside 200, no words": (200, {"error": {}, "message": "x", "statusCode": "404"}, "not_found"),
    "inside 200, true": (200, {"error": True}, "provider_down"),
}


@pytest.mark.parametrize(("status", "body", "code"), NAMED.values(), ids=NAMED)
def test_errors_by_their_names(status: int, body: Any, code: str) -> None:
    assert decoded([encoded(body)], status).reason == code


@pytest.mark.parametrize("beside", [{"error": None}, {"error": ""}, {"error": {}}, {"error": False}, {"message": "ok"}])
def test_an_empty_error_beside_an_answer_is_none(beside: dict[str, Any]) -> None:
    assert decoded([completion(said("Hello"), **beside)]).text == "Hello"
    assert decoded([stream(delta("Hello", "stop") | beside)]).text == "Hello"


TEXTS: dict[str, tuple[bytes, str]] = {
    "error.message": (b'{"error": {"message": "Why"}, "message": "no"}', "Why"),
    "error": (b'{"error": "Why", "message": "no"}', "Why"),
    "message": (b'{"message": "Why", "detail": "no"}', "Why"),
    "detail": (b'{"detail": "Why", "title": "no"}', "Why"),
    "detail list": (b'{"detail": [{"msg": "Why"}, {"msg": "so"}]}', "Why; so"),
    "title": (b'{"title": "Why"}', "Why"),
    "plain text": (b"Why\n", "Why"),
    "a JSON string": (b'"Why"', "Why"),
    "a list": (b'[{"error": {"message": "Why"}}]', "Why"),
    "nothing": (b"", "418 I'm a Teapot"),
    "an object without words": (b'{"error": {"code": 7}}', "418 I'm a Teapot"),
    "a page": (b"<!DOCTYPE html><h1>Why</h1>", "418 I'm a Teapot"),
    "a page after blanks": (b"\n\n <html>Why</html>", "418 I'm a Teapot"),
    "control characters": (b'{"error": "W\\u0000h\\ny\\u202e \\t\\ud800"}', "W\ufffdh y \ufffd"),
}


@pytest.mark.parametrize(("body", "detail"), TEXTS.values(), ids=TEXTS)
def test_the_sentence_of_an_error(read: Reader, body: bytes, detail: str) -> None:
    assert read(body, "418 Teapot").outcome == ("Rejected", detail, 418, None)


def test_details_end_after_500_characters() -> None:
    found = decoded([encoded({"error": "why " * 500})], 400)
    assert found.error is not None
    assert found.error.detail == ("why " * 500)[:500]


def test_a_status_nobody_knows() -> None:
    assert decoded([b""], 599).outcome == ("Unavailable", "599", 599, None)


def test_only_the_beginning_of_an_error_body_is_read() -> None:
    found = decoded([b'{"error": "Why"', *[b" " * 10_000] * 100], 500)
    assert found.outcome is not None
    assert found.outcome[1].startswith('{"error": "Why"')


# The wait

NO_BODY: dict[str, Any] = {}
RETRY_INFO = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "26.660853464s"}
QUOTA_RESET = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "metadata": {"quotaResetDelay": "373.801628ms"}}
PER_DAY = {"violations": [{"quotaId": "GenerateRequestsPerDayPerProjectPerModel-FreeTier"}]}
WAITS: list[tuple[dict[str, str], Any, float | None]] = [
    ({"Retry-After": "3"}, NO_BODY, 3.0),
    ({"Retry-After": "0"}, NO_BODY, 0.0),
    ({"Retry-After": " 1.5 "}, NO_BODY, 1.5),
    ({"Retry-After": "500ms"}, NO_BODY, 0.5),
    ({"Retry-After": "1m30s"}, NO_BODY, 90.0),
    ({"Retry-After": "Sat, 21 Nov 2026 12:00:30 GMT"}, NO_BODY, 30.0),
    ({"Retry-After": "Sat, 21 Nov 2026 11:00:00 GMT"}, NO_BODY, 0.0),
    ({"Retry-After": "Sat, 21 Nov 2026 12:00:30 GMT", "Date": "Sat, 21 Nov 2026 12:00:20 GMT"}, NO_BODY, 10.0),
    ({"Retry-After": "Sat, 21 Nov 2026 99:00:00 GMT"}, NO_BODY, None),
    ({"Retry-After": "99999999999999999999"}, NO_BODY, 604_800.0),
    ({"Retry-After": "-5"}, NO_BODY, None),
    ({"Retry-After": "soon"}, NO_BODY, None),
    ({"Retry-After": "inf"}, NO_BODY, None),
    ({"Retry-After": "٣"}, NO_BODY, None),
    ({"retry-after-ms": "500", "Retry-After": "9"}, NO_BODY, 0.5),
    ({"retry-after-ms": "x", "Retry-After": "9"}, NO_BODY, 9.0),
    ({"x-rate-limit-reset-at-utc": "2026-11-21T12:00:09Z"}, NO_BODY, 9.0),
    ({"x-rate-limit-reset-at-utc": "2026-11-21 12:00:09"}, NO_BODY, 9.0),
    ({}, google(429, "RESOURCE_EXHAUSTED", "Quota exceeded.", RETRY_INFO), 26.660853464),
    ({}, google(429, "RESOURCE_EXHAUSTED", "Quota exceeded.", QUOTA_RESET), 0.373801628),
    ({}, [google(429, "RESOURCE_EXHAUSTED", "Quota exceeded.", RETRY_INFO)], 26.660853464),
    ({}, {"error": "Quota exceeded. Please retry in 26.66s."}, 26.66),
    ({}, {"message": "Too many requests, try again in 2 minutes"}, 120.0),
    ({}, {"message": "Try again after 1h 30m"}, 5400.0),
    ({}, {"message": "Please retry in 373.8ms."}, 0.3738),
    ({}, {"message": "Free-tier limit: 10 requests per hour"}, 3600.0),
    ({"Retry-After": "3"}, google(429, "RESOURCE_EXHAUSTED", "Quota exceeded.", RETRY_INFO, PER_DAY), 86_400.0),
    ({}, {"message": "Limit of requests per day reached, retry in 2s"}, 86_400.0),
    ({}, {"message": "Too many requests"}, None),
]


@pytest.mark.parametrize(("headers", "body", "wait"), WAITS)
@pytest.mark.parametrize("status", [429, 503])
def test_the_wait(headers: dict[str, str], body: Any, wait: float | None, status: int) -> None:
    found = decoded([encoded(body)], status, headers)
    assert found.error is not None
    assert found.error.retry_after == (None if wait is None else pytest.approx(wait))


def test_an_error_inside_a_good_status_tells_its_wait_too() -> None:
    body = {"error": {"message": "Busy. Please retry in 4s", "code": 429}}
    assert decoded([encoded(body)]).outcome == ("RateLimited", "Busy. Please retry in 4s", None, 4.0)


def test_other_errors_have_no_wait() -> None:
    assert decoded([b"{}"], 401, {"Retry-After": "3"}).outcome == (
        "AuthenticationFailed",
        "401 Unauthorized",
        401,
        None,
    )


# Secrets


def forms(secret: str) -> list[str]:
    return [
        secret,
        secret[::-1],
        quote(secret, safe=""),
        secret[:8],
        secret[-9:],
        *(base64.b64encode(lead + secret.encode()).decode() for lead in (b"", b"x", b"Bearer ")),
    ]


@pytest.mark.parametrize("secret", [KEY, "sk/with+signs=and&more", "short", "ä-key-1234567"])
def test_a_known_key_is_cut_out_in_every_form(secret: str) -> None:
    censor = Censor((secret,))
    for form in forms(secret):
        shown = censor(f"Wrong key {form}, try another")
        assert "try another" in shown
        for leaked in (secret[:8], secret[-8:], secret[::-1][:8], base64.b64encode(secret.encode()).decode()[2:10]):
            assert leaked not in shown


def test_the_key_is_cut_out_wherever_an_error_may_come_from(read: Reader) -> None:
    said_by_provider = {"error": {"message": f"Key {KEY} is wrong", "code": 401}}
    assert KEY not in str(read(encoded(said_by_provider), "401 Unauthorized").outcome)
    assert KEY not in str(read(encoded(said_by_provider)).outcome)
    assert KEY not in str(read.stream(stream(delta("Hello"), said_by_provider)).outcome)
    assert KEY not in str(read(f"Key {KEY} is wrong".encode(), "500 Server Error", "text/plain").outcome)


def test_the_key_is_cut_out_of_the_words_for_an_end() -> None:
    for word in (KEY, f"{KEY}\n"):
        blocked = {"promptFeedback": {"blockReason": word, "blockReasonMessage": f"because {word}"}}
        for body in (completion(said("Hello"), word), completion(said(""), word), encoded(blocked)):
            found = decoded([body])
            assert KEY[:8] not in str((found.events, found.outcome))


LOOKS: dict[str, str] = {
    "Incorrect API key provided: sk-proj-abcdef1234567890": "Incorrect API key provided: [...]",
    "Authorization: Bearer abcdefgh12345": "Authorization: [...] [...]",
    "used bearer abcdefgh12345, sorry": "used bearer [...], sorry",
    "at https://user:pass@example.com/x": "at https://[...]example.com/x",
    "at https://example.com/x?key=abc&n=1": "at https://example.com/x?key=[...]&n=1",
    "at https://example.com/x?n=1&access_token=abc": "at https://example.com/x?n=1&access_token=[...]",
    'with {"x-api-key": "abcdef123"}': 'with {"x-api-key": "[...]"}',
    "key AIzaSyA1234567890abcdef": "key [...]",
    "key SG_0123456789abcdef": "key [...]",
    "token eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc": "token [...]",
    "key 0123456789abcdef0123456789abcdef": "key [...]",
    "request 798b860e-98c2-4e8e-8c50-550bcfc2eccc": "request 798b860e-98c2-4e8e-8c50-550bcfc2eccc",
    "model google/gemini-2.5-flash-preview-09-2025 is gone": "model google/gemini-2.5-flash-preview-09-2025 is gone",
    "GenerateRequestsPerDayPerProjectPerModel-FreeTier": "GenerateRequestsPerDayPerProjectPerModel-FreeTier",
}


@pytest.mark.parametrize(("text", "shown"), LOOKS.items(), ids=[text[:30] for text in LOOKS])
def test_what_looks_like_a_secret_is_cut_out(text: str, shown: str) -> None:
    assert Censor()(text) == shown


def test_a_censor_does_not_show_what_it_hides() -> None:
    assert KEY not in repr(Censor((KEY,)))
