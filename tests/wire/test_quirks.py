"""What servers do that imitate chat completions, one by one. Each name says who was seen doing it."""

import base64
from decimal import Decimal
from typing import Any

import pytest

from conversations.providers.events import Finished, ImageDelta, Omitted, ReasoningDelta, TextDelta, Usage

from .reading import GIF, PNG, Reader, completion, data_url, decoded, delta, encoded, event, gemini, said, stream

HELLO = (TextDelta("Hello"), Finished("complete", "stop"))
PICTURE = ImageDelta("image/png", PNG)


def chunk(change: Any, **members: Any) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": change} | members]}


TWO_LINES = stream(delta("Hello", "stop")).replace(b'"delta":', b'"delta":\ndata:')

STREAMS: dict[str, bytes] = {
    "OpenRouter: comment lines": b": OPENROUTER PROCESSING\n\n" + stream(delta("Hello"), delta(finish="stop")),
    "Ollama, SGLang: empty finish reason, role null": stream(
        chunk({"role": None, "content": "Hel"}, finish_reason=""),
        chunk({"role": None, "content": "lo"}, finish_reason=""),
        chunk({}, finish_reason="stop"),
    ),
    "Azure, NIM, Bedrock: choices empty first, in the middle, last": stream(
        {"choices": []}, delta("Hel"), {"choices": []}, delta("lo"), delta(finish="stop"), {"choices": []}
    ),
    "no [DONE]": stream(delta("Hello"), delta(finish="stop"), done=False),
    "no space after the colon": stream(delta("Hello", "stop")).replace(b"data: ", b"data:"),
    "carriage returns": stream(delta("Hello", "stop")).replace(b"\n", b"\r"),
    "CRLF": stream(delta("Hello", "stop")).replace(b"\n", b"\r\n"),
    "byte order mark": b"\xef\xbb\xbf" + stream(delta("Hello", "stop")),
    "blank lines first": b"\n\r\n \n" + stream(delta("Hello", "stop")),
    "no blank line between events": stream(delta("Hel"), delta("lo", "stop")).replace(b"\n\n", b"\n"),
    "one value over two lines": TWO_LINES,
    "one value over two lines with CRLF": TWO_LINES.replace(b"\n", b"\r\n"),
    "unknown fields and ids": b"id: 1\nretry: 3\nfoo: bar\nfoo\n" + stream(delta("Hello", "stop")),
    "unknown event names": event(delta("no"), "ping") + event("x", "thread.run") + stream(delta("Hello", "stop")),
    "event name message": event(delta("Hello", "stop"), "message"),
    "after [DONE]": stream(delta("Hello", "stop")) + event(delta(" and more")) + event({"error": "late"}),
    "one bad event": event("{nonsense") + stream(delta("Hello", "stop")),
    "an event of another type": event("7")
    + event("[]")
    + event('"x"')
    + event("null")
    + stream(delta("Hello", "stop")),
    "noise beside the content": stream(delta("Hello", "stop", obfuscation="aB3") | {"system_fingerprint": None}),
    "usage null in every chunk": stream(delta("Hello", "stop") | {"usage": None}),
    "message in place of delta": stream({"choices": [{"message": said("Hello"), "finish_reason": "stop"}]}),
    "the whole message again at the end": stream(
        delta("Hello"), {"choices": [{"delta": {}, "message": said("Hello"), "finish_reason": "stop"}]}
    ),
    "older completions": stream({"choices": [{"text": "Hello", "finish_reason": "stop"}]}),
    "a second choice": stream(
        {"choices": [{"index": 1, "delta": {"content": "Bye"}}, {"index": 0, "delta": {"content": "Hello"}}]},
        {"choices": [{"index": 1, "delta": {"content": "bye"}, "finish_reason": "length"}]},
        delta(finish="stop"),
    ),
}


@pytest.mark.parametrize("body", STREAMS.values(), ids=STREAMS)
def test_streams_that_say_hello(read: Reader, body: bytes) -> None:
    found = read.stream(body)
    assert (found.text, found.finished) == ("Hello", HELLO[1])


def test_no_finish_reason_anywhere_but_done(read: Reader) -> None:
    body = stream(chunk({"content": "Hel"}), chunk({"content": "lo"}))
    assert read.stream(body).events == (TextDelta("Hel"), TextDelta("lo"), Finished("complete"))


def test_usage_in_every_chunk_counts_once(read: Reader) -> None:
    chunks = [
        delta(text) | {"usage": {"prompt_tokens": 3, "completion_tokens": n}} for n, text in enumerate("abc", start=1)
    ]
    found = read.stream(stream(*chunks, delta(finish="stop")))
    assert [e for e in found.events if isinstance(e, Usage)] == [Usage(prompt=3, output=3)]


def test_openrouter_reasoning_comes_once(read: Reader) -> None:
    details = [{"type": "reasoning.text", "text": "Hm."}]
    body = stream(delta(reasoning="Hm.", reasoning_details=details), delta("Hello"), delta(finish="stop"))
    assert read.stream(body).events == (ReasoningDelta("Hm."), *HELLO)


@pytest.mark.parametrize("name", ["reasoning_content", "reasoning", "reasoning_text"])
def test_deepseek_vllm_and_others_name_reasoning_differently(read: Reader, name: str) -> None:
    assert read.stream(stream(delta(**{name: "Hm."}), delta("Hello", "stop"))).events == (ReasoningDelta("Hm."), *HELLO)
    assert read(completion(said("Hello", **{name: "Hm."}))).events == (ReasoningDelta("Hm."), *HELLO)


def test_reasoning_under_two_names_comes_once(read: Reader) -> None:
    message = said("Hello", reasoning_content="Hm.", reasoning="Hm.")
    assert read(completion(message)).events == (ReasoningDelta("Hm."), *HELLO)


def test_reasoning_details_alone(read: Reader) -> None:
    details = [{"type": "reasoning.summary", "summary": "Hm."}, {"type": "reasoning.encrypted", "data": "x"}]
    assert read(completion(said("Hello", reasoning_details=details))).events == (ReasoningDelta("Hm."), *HELLO)


def test_openrouter_cost_and_native_finish_reason(read: Reader) -> None:
    reply = {
        "choices": [{"message": said("Hello"), "finish_reason": "stop", "native_finish_reason": "STOP"}],
        "usage": {"prompt_tokens": 3, "completion_tokens": 1, "cost": 0.00014},
    }
    assert read(encoded(reply)).events == (
        HELLO[0],
        Usage(prompt=3, output=1, cost_usd=Decimal("0.00014")),
        HELLO[1],
    )


def test_lm_studio_answers_200_with_an_error_body(read: Reader) -> None:
    text = "The number of tokens to keep from the initial prompt is greater than the context length."
    assert read(encoded({"error": text})).outcome == ("TooLarge", text, None, None)


def test_lm_studio_answers_200_with_a_stream_of_nothing(read: Reader) -> None:
    found = read.stream(stream(delta("", role="assistant"), delta(finish="stop")))
    assert found.events == ()
    assert found.reason == "empty_reply"


def test_llama_cpp_answers_200_with_an_error_event(read: Reader) -> None:
    error = {
        "code": 400,
        "message": "the request exceeds the available context size",
        "type": "exceed_context_size_error",
    }
    assert read.stream(event({"error": error})).reason == "too_large"


def test_llama_cpp_pings_and_sends_empty_data(read: Reader) -> None:
    body = b": ping\n\ndata:\n\ndata: \n\n" + stream(delta("Hello", "stop"))
    assert read.stream(body).events == HELLO


def test_litellm_answers_a_whole_call_with_one_event(read: Reader) -> None:
    error = {"error": {"message": "No deployments", "code": "503"}}
    assert read(b"data: " + encoded(error)).outcome == ("Unavailable", "No deployments", None, None)


def test_a_gateway_answers_an_error_status_with_one_event(read: Reader) -> None:
    body = b"data: " + encoded({"error": {"message": "No deployments"}})
    assert read(body, "500 Internal Server Error").outcome == ("Unavailable", "No deployments", 500, None)


@pytest.mark.parametrize("content_type", ["text/event-stream", "application/json", "text/html", ""])
def test_a_server_ignores_that_a_stream_was_asked_for(read: Reader, content_type: str) -> None:
    assert read(completion(said("Hello")), content_type=content_type).events == HELLO


@pytest.mark.parametrize("content_type", ["application/json", "text/plain", ""])
def test_events_under_another_content_type(read: Reader, content_type: str) -> None:
    assert read(stream(delta("Hello", "stop")), content_type=content_type).events == HELLO


@pytest.mark.parametrize("status", ["400 Bad Request", "500 Internal Server Error"])
def test_a_strict_chat_template_is_no_outage(read: Reader, status: str) -> None:
    text = "Conversation roles must alternate user/assistant/user/assistant/..."
    assert read(encoded({"error": {"message": text}}), status).reason == "bad_request"


def test_a_refusal_is_shown_as_filtered(read: Reader) -> None:
    found = read(completion({"role": "assistant", "content": None, "refusal": "I cannot help with that."}))
    assert found.events == (TextDelta("I cannot help with that."), Finished("filtered", "stop"))
    body = stream(delta(refusal="I cannot "), delta(refusal="help."), delta(finish="stop"))
    assert read.stream(body).events == (TextDelta("I cannot "), TextDelta("help."), Finished("filtered", "stop"))


# Pictures inside text


def markdown(picture: str = data_url(PNG), alt: str = "image") -> str:
    return f"![{alt}]({picture})"


TEXTS: dict[str, tuple[str, str]] = {
    "alone": (markdown(), "[]"),
    "between words": (f"A {markdown()} B", "A [] B"),
    "two": (f"{markdown()}{markdown(alt='')}", "[][]"),
    "with a title": (f'A ![x]({data_url(PNG)} "so" ) B', "A [] B"),
    "in angle brackets": (f"A ![x](<{data_url(PNG)}>) B", "A [] B"),
    "a wrong label": (markdown(data_url(PNG, "image/jpg")), "[]"),
    "a bang before it": (f"Look!{markdown()}", "Look![]"),
    "an image in the alt text": (f"![a ![b]({data_url(PNG)})", "[]"),
    "a linked image stays text": ("![x](https://example.com/x.png) B", "![x](https://example.com/x.png) B"),
    "an unfinished image stays text": ("A ![image", "A ![image"),
    "exclamations stay text": ("Hi! [x](y) !! ![", "Hi! [x](y) !! !["),
    "talk of data URLs stays text": (
        "`![x](data:image/png;base64,iVBOR...)`",
        "`![x](data:image/png;base64,iVBOR...)`",
    ),
    "a broken short one stays text": (
        "A ![x](data:image/png;base64,aGVsbG8=) B",
        "A ![x](data:image/png;base64,aGVsbG8=) B",
    ),
    "a link with a data URL stays text": (f"[x]({data_url(GIF)})", f"[x]({data_url(GIF)})"),
}


@pytest.mark.parametrize(("text", "shown"), TEXTS.values(), ids=TEXTS)
@pytest.mark.parametrize("size", [1, 2, 7, 1000])
def test_pictures_are_cut_out_of_text(text: str, shown: str, size: int) -> None:
    pieces = [text[at : at + size] for at in range(0, len(text), size)]
    found = decoded([stream(*map(delta, pieces), delta(finish="stop"))])
    marks = [one.text if isinstance(one, TextDelta) else "[]" for one in found.events[:-1]]
    assert "".join(marks) == shown
    assert [one for one in found.events[:-1] if not isinstance(one, TextDelta)] == [PICTURE] * len(found.images)
    assert found.finished == HELLO[1]


def test_text_is_held_back_only_while_it_may_be_a_picture() -> None:
    pieces = ["Hi!", " Look: ![i", "t](", "https://", "x)"]
    found = decoded([stream(*map(delta, pieces), delta(finish="stop"))])
    assert [e.text for e in found.events if isinstance(e, TextDelta)] == ["Hi", "! Look: ", "![it](https://", "x)"]


def test_a_long_picture_that_is_none_never_becomes_text() -> None:
    data = base64.b64encode(b"no picture " * 1000).decode()
    found = decoded([stream(delta(f"A ![x](data:image/png;base64,{data}) B", "stop"))])
    assert found.events[:3] == (TextDelta("A "), Omitted("a picture that cannot be read"), TextDelta(" B"))


def test_a_long_picture_that_is_cut_off_never_becomes_text() -> None:
    data = base64.b64encode(PNG * 100).decode()
    found = decoded([stream(delta(f"A ![x](data:image/png;base64,{data}"), done=False)])
    assert found.events == (TextDelta("A "), Omitted("a picture that was cut off"))
    assert found.reason == "interrupted"


def test_a_picture_in_text_among_signed_parts_stays_with_its_part(read: Reader) -> None:
    found = read(encoded(gemini({"text": "!"}, {"text": f"A{markdown()}", "thoughtSignature": "c2ln"})))
    assert found.events[:3] == (TextDelta("!"), TextDelta("A"), ImageDelta("image/png", PNG, "c2ln"))
