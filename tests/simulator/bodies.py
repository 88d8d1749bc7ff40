"""Faults of the content: what is sent arrives whole and is wrong. No I/O."""

import base64
import io
from collections.abc import Callable
from dataclasses import replace
from functools import cache

from PIL import Image

from . import errors, shapes, streams
from .cases import after_some, chat, saying, stream_of
from .job import Job, Recipe
from .painter import draw, saved
from .reply import Json, Reply, encode, json_reply
from .streams import carrying, plain, sse


def fixed(data: bytes, content_type: str = "application/json") -> Callable[[Job], Reply]:
    return lambda job: Reply(body=(data,) if data else (), content_type=content_type)


def value(content: Json) -> Callable[[Job], Reply]:
    return lambda job: json_reply(content)


def retyped(content_type: str) -> Callable[[Job], Reply]:
    """The plain reply under another content type."""
    return lambda job: replace(plain(job), content_type=content_type)


def json_as_stream(job: Job) -> Reply:
    """A whole body that calls itself an event stream."""
    return replace(shapes.openai(job), content_type="text/event-stream")


def stream_as_json(job: Job) -> Reply:
    """Events that call themselves JSON."""
    return replace(streams.reply(job), content_type="application/json")


def inserted(data: bytes) -> Callable[[Job], Reply]:
    """A stream with `data` in its middle."""

    def build(job: Job) -> Reply:
        whole, first, rest = streams.halves(stream_of(job))
        return replace(whole, body=(*first, data, *rest))

    return build


def error_line(job: Job) -> Reply:
    """llama.cpp of 2025: a line of its own kind in the stream."""
    return after_some(
        job, b"error: " + encode({"code": 500, "message": "slot is gone", "type": "server_error"}) + b"\n\n"
    )


def error_finish(job: Job) -> Reply:
    """OpenRouter: an error beside a choice that finishes with "error"."""
    choice = {"index": 0, "delta": {"content": ""}, "finish_reason": "error"}
    return after_some(
        job, sse({"error": {"code": "server_error", "message": "Provider disconnected"}, "choices": [choice]})
    )


def error_named(job: Job) -> Reply:
    """An event whose name is error."""
    return after_some(job, b"event: error\n" + sse({"message": "The stream was aborted upstream."}))


def silent_stream(job: Job) -> Reply:
    """LM Studio, prompt too long: a good stream without any text."""
    return streams.reply(saying(job))


def other_usage(usage: Json) -> Callable[[Job], Reply]:
    """A chat completion with these counts, streamed or whole."""

    def build(job: Job) -> Reply:
        if not job.stream:
            return json_reply(shapes.openai_body(job) | {"usage": usage})
        return carrying(
            [*streams.steps(job, streams.events(job)[:-1]), sse({"choices": [], "usage": usage}), b"data: [DONE]\n\n"]
        )

    return build


def odd_text(text: str) -> Callable[[Job], Reply]:
    return lambda job: chat(saying(job, text))


def lone_surrogate(job: Job) -> Reply:
    body = encode(shapes.openai_body(saying(job, "half a pair: @@ end")))
    return Reply(body=(body.replace(b"@@", b"\\ud83d"),))


TOOL = {"id": "call_1", "type": "function", "function": {"name": "delete_everything", "arguments": "{}"}}


def tool_call(job: Job) -> Reply:
    job = replace(saying(job), ask=replace(job.ask, finish="tool_calls"))
    if not job.stream:
        return json_reply(shapes.openai_body(job, content=None, tool_calls=[TOOL]))
    delta = {"index": 0, "delta": {"tool_calls": [TOOL | {"index": 0}]}, "finish_reason": None}
    return carrying([sse({"choices": [delta]}), *streams.steps(job, streams.events(job))])


def finishing(reason: str) -> Callable[[Job], Reply]:
    """The plain reply with this finish reason."""
    return lambda job: plain(replace(job, ask=replace(job.ask, finish=reason)))


def nothing_but(reason: str) -> Callable[[Job], Reply]:
    content = {"content": {"role": "model"}, "finishReason": reason, "index": 0}
    return value({"candidates": [content], "usageMetadata": {"promptTokenCount": 9}})


def pictures(*blobs: Json) -> Callable[[Job], Reply]:
    """A Gemini reply with a text part and these `inlineData`."""

    def build(job: Job) -> Reply:
        return json_reply(
            shapes.gemini_body(job, [{"text": job.answer.text}, *({"inlineData": blob} for blob in blobs)])
        )

    return build


def blob(data: bytes, media_type: str = "image/png") -> Json:
    return {"mimeType": media_type, "data": base64.b64encode(data).decode()}


def many_pictures(job: Job) -> Reply:
    return pictures(*(blob(saved(draw(f"picture {number}")).data) for number in range(9)))(job)


def picture_bomb(job: Job) -> Reply:
    return pictures(blob(bomb()))(job)


@cache
def bomb() -> bytes:
    """A PNG of 144 megapixels in a few KiB."""
    buffer = io.BytesIO()
    Image.new("1", (12_000, 12_000)).save(buffer, "png")
    return buffer.getvalue()


def function_call(job: Job) -> Reply:
    call = {"name": "delete_everything", "args": {}}
    return json_reply(shapes.gemini_body(job, [{"functionCall": call}]))


def torn_picture(job: Job) -> Reply:
    data = job.answer.a_picture.data
    return pictures(blob(data[: len(data) // 2]))(job)


PAGE = errors.html_page(200).replace(b"200 OK", b"Please log in")
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
WRONG_TYPES = {"choices": "none", "usage": [], "created": {}, "model": 5}
WRONG_CANDIDATES = {"candidates": [{"content": {"parts": "text"}, "finishReason": 3}], "usageMetadata": "many"}
HUGE_USAGE = {"prompt_tokens": 10**30, "completion_tokens": 1e300, "total_tokens": 10**30}
NEGATIVE_USAGE = {"prompt_tokens": -5, "completion_tokens": -1, "total_tokens": -6}
TEXT_USAGE = {"prompt_tokens": "many", "completion_tokens": None, "total_tokens": True, "prompt_tokens_details": 3}

BODIES: tuple[Recipe, ...] = (
    Recipe("empty", "200 without a body", fixed(b"")),
    Recipe("no-content", "204", lambda job: Reply(204, (), "")),
    Recipe("html-200", "200 with an HTML page", fixed(PAGE, "text/html")),
    Recipe("plain-200", "200 with plain words", fixed(b"All is well.", "text/plain")),
    Recipe("null", "the JSON value null", value(None)),
    Recipe("number", "the JSON value 7", value(7)),
    Recipe("list", "an empty list", value([])),
    Recipe("object", "an object with keys nobody knows", value({"status": "ok", "job": 17})),
    Recipe("bad-json", "JSON that breaks off", fixed(b'{"candidates": [{"content": {"parts": [{"text": "Hel')),
    Recipe("deep-json", "100,000 nested lists", fixed(b"[" * 100_000 + b"]" * 100_000)),
    Recipe("wrong-types", "known keys with values of other types", value(WRONG_TYPES)),
    Recipe("wrong-candidates", "the same in Gemini's form", value(WRONG_CANDIDATES)),
    Recipe("invalid-utf8", "a body that is not UTF-8", fixed(b'{"response": "caf\xe9 \xff\xfe"}')),
    Recipe("lone-surrogate", "half of a surrogate pair, escaped", lone_surrogate),
    Recipe("nul", "a NUL in the text", odd_text("before\x00after")),
    Recipe(
        "markup",
        "HTML and scripts in the text",
        odd_text("<script>alert(1)</script> <b>bold</b> &amp; [x](javascript:1)"),
    ),
    Recipe("error-200", "status 200 and {error: text}", value({"error": "Something failed upstream."})),
    Recipe("message-200", "status 200 and {message: text}", value({"message": "Something failed upstream."})),
    Recipe("status-200", "status 200 and AI/ML API's error body", value(errors.aimlapi(500, "Something failed.", "/"))),
    Recipe(
        "error-list", "status 200 and a list with one error", value([errors.google(503, "The model is overloaded.")])
    ),
    Recipe(
        "error-data",
        "200 and one data event that holds an error",
        fixed(sse(errors.openai(500, "Failed.")), "text/event-stream"),
    ),
    Recipe("error-line", "a line `error: {...}` after some text", error_line),
    Recipe("error-finish", "an error and finish_reason error after some text", error_finish),
    Recipe("error-named", "an event named error after some text", error_named),
    Recipe("wrong-content-type", "the plain reply as text/html", retyped("text/html")),
    Recipe("no-content-type", "the plain reply without a content type", retyped("")),
    Recipe("json-as-stream", "one JSON body as text/event-stream", json_as_stream),
    Recipe("stream-as-json", "events as application/json", stream_as_json),
    Recipe("bad-event", "one event that is no JSON, in the middle", inserted(b"data: {oops\n\n")),
    Recipe("bad-utf8-event", "one event that is no UTF-8, in the middle", inserted(b"data: \xff\xfe\n\n")),
    Recipe(
        "odd-event",
        "one event of other types, in the middle",
        inserted(sse({"choices": [7], "usage": "x", "error": None})),
    ),
    Recipe("bad-events", "no event is readable", fixed(b"data: {oops\n\ndata: nonsense\n\n", "text/event-stream")),
    Recipe("silent-stream", "a good stream without text", silent_stream),
    Recipe("done-only", "[DONE] and nothing else", fixed(b"data: [DONE]\n\n", "text/event-stream")),
    Recipe("usage-huge", "token counts beyond reason", other_usage(HUGE_USAGE)),
    Recipe("usage-negative", "negative token counts", other_usage(NEGATIVE_USAGE)),
    Recipe("usage-text", "token counts that are no numbers", other_usage(TEXT_USAGE)),
    Recipe("tool-call", "a call of a tool nobody offered", tool_call),
    Recipe("function-call", "the same in Gemini's form", function_call),
    Recipe("filtered", "some text, then content_filter", finishing("content_filter")),
    Recipe("safety", "some text, then SAFETY", finishing("SAFETY")),
    Recipe("safety-empty", "SAFETY and no text", nothing_but("SAFETY")),
    Recipe("no-image", "NO_IMAGE and no parts", nothing_but("NO_IMAGE")),
    Recipe("unknown-finish", "a finish reason from the future", finishing("COSMIC_RAYS")),
    Recipe("picture-text", "a picture whose bytes are words", pictures(blob(b"this is no picture at all"))),
    Recipe(
        "picture-base64", "a picture that is no base64", pictures({"mimeType": "image/png", "data": "%%%not base64%%%"})
    ),
    Recipe("picture-svg", "an SVG with a script as a picture", pictures(blob(SVG, "image/svg+xml"))),
    Recipe("picture-empty", "a picture without bytes", pictures({"mimeType": "image/png", "data": ""})),
    Recipe("picture-torn", "half a PNG", torn_picture),
    Recipe("picture-bomb", "a PNG of 144 megapixels", picture_bomb),
    Recipe("pictures-many", "nine pictures", many_pictures),
)
