"""Faults of the content: each arrives whole, in a stream and in a whole reply, and is wrong in its own way."""

import pytest

from . import Simulator
from .asking import OLDER, Json, gemini, observe, parts, segmind, streamed, text_of

PLAIN = "You wrote: “one two”\n\nSo far I have seen 1 turn."
BEGUN = "You wrote:"

# A piece of the body that shows the fault; with a second one: of a whole reply where that looks different.
BODIES: dict[str, bytes | tuple[bytes, bytes]] = {
    "empty": b"",
    "no-content": b"",
    "html-200": b"<h1>Please log in</h1>",
    "plain-200": b"All is well.",
    "null": b"null",
    "number": b"7",
    "list": b"[]",
    "object": b'{"status":"ok","job":17}',
    "bad-json": b'"text": "Hel',
    "deep-json": b"[" * 100_000 + b"]",
    "wrong-types": b'"choices":"none"',
    "wrong-candidates": b'"parts":"text"',
    "invalid-utf8": b"caf\xe9",
    "lone-surrogate": b"\\ud83d end",
    "nul": b"\\u0000after",
    "markup": b"<script>",
    "error-200": b'{"error":"Something failed upstream."}',
    "message-200": b'{"message":"Something failed upstream."}',
    "status-200": b'"statusCode":500',
    "error-list": b'[{"error":{"code":503',
    "error-data": b'data: {"error":{',
    "error-line": b'\n\nerror: {"code":500',
    "error-finish": b'"finish_reason":"error"',
    "error-named": b"event: error\ndata: {",
    "wrong-content-type": (b"data: [DONE]", b"chat.completion"),
    "no-content-type": (b"data: [DONE]", b"chat.completion"),
    "json-as-stream": b'"object":"chat.completion",',
    "stream-as-json": b"data: [DONE]",
    "bad-event": b"data: {oops\n\ndata: {",
    "bad-utf8-event": b"data: \xff\xfe\n\ndata: {",
    "odd-event": b'"choices":[7]',
    "bad-events": b"data: nonsense",
    "silent-stream": b'"finish_reason":"stop"',
    "done-only": b"data: [DONE]\n\n",
    "usage-huge": b"1000000000000000000000000000000",
    "usage-negative": b'"prompt_tokens":-5',
    "usage-text": b'"prompt_tokens":"many"',
    "tool-call": b'"name":"delete_everything"',
    "function-call": b'"functionCall":{',
    "filtered": b'"finish_reason":"content_filter"',
    "safety": b'"finish_reason":"SAFETY"',
    "safety-empty": b'"finishReason":"SAFETY"',
    "no-image": b'"finishReason":"NO_IMAGE"',
    "unknown-finish": b"COSMIC_RAYS",
    "picture-text": b'"data":"dGhpcyBpcyBubyBwaWN0dXJl',
    "picture-base64": b"%%%not base64%%%",
    "picture-svg": b"image/svg+xml",
    "picture-empty": b'"data":""',
    "picture-torn": b'"data":"iVBOR',
    "picture-bomb": b'"data":"iVBOR',
    "pictures-many": b'"inlineData"',
}
TYPES = {
    "html-200": "text/html",
    "wrong-content-type": "text/html",
    "json-as-stream": "text/event-stream",
    "stream-as-json": "application/json",
    "plain-200": "text/plain",
}


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("name", BODIES)
def test_wrong_contents(sim: Simulator, name: str, stream: bool) -> None:
    seen = observe(sim, f"[[fault:{name}]] one two", stream=stream)
    wanted = BODIES[name]
    piece = wanted[not stream] if isinstance(wanted, tuple) else wanted
    assert (seen.status, seen.error) == (204 if name == "no-content" else 200, "")
    assert piece in seen.body if piece else seen.body == b""
    if name in TYPES:
        assert seen.headers["content-type"] == TYPES[name]
    assert ("content-type" in seen.headers) is (name not in ("no-content-type", "no-content"))


def test_counts_and_sizes_of_wrong_pictures(sim: Simulator) -> None:
    def blobs(name: str) -> list[Json]:
        found = parts(segmind(sim, OLDER, gemini(f"[[fault:{name}]]")))
        return [part["inlineData"] for part in found if "inlineData" in part]

    assert len(blobs("pictures-many")) == 9
    (bomb,) = blobs("picture-bomb")
    assert len(bomb["data"]) < 100_000
    (torn,) = blobs("picture-torn")
    refused = segmind(sim, OLDER, gemini([{"text": "See"}, {"inlineData": torn}]))
    assert refused.status_code == 400


def test_errors_in_streams_come_after_some_text(sim: Simulator) -> None:
    for name in ("error-line", "error-finish", "error-named", "case-13"):
        assert text_of(observe(sim, f"[[fault:{name}]] one two", stream=True)) == BEGUN


def test_a_bad_event_costs_no_text(sim: Simulator) -> None:
    body = observe(sim, "[[fault:bad-event]] one two", stream=True).body.decode()
    assert streamed(body.replace("data: {oops\n\n", "")) == PLAIN
