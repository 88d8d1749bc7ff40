"""Every fault is within reach and does what its line in the list says, in a stream and in a whole reply."""

import gzip
import json
import threading
from collections.abc import Callable
from contextlib import closing
from http.client import HTTPConnection

import pytest
import requests

from . import Simulator
from .asking import (
    DRAWING,
    KEY,
    MODEL,
    OLDER,
    Seen,
    body_of,
    chat,
    chunks,
    file_of,
    gemini,
    image_in,
    inline,
    messages,
    observe,
    parts,
    plain_picture,
    said,
    segmind,
    streamed,
    text_of,
)
from .cases import MULTIBYTE
from .faults import FAULTS
from .test_contents import BODIES

PLAIN = "You wrote: “one two”\n\nSo far I have seen 1 turn."
BEGUN = "You wrote:"


# --- The 25 cases ---------------------------------------------------------------------------------------------------

CASES: dict[str, Callable[[Seen], bool]] = {
    "case-1": lambda seen: b'"content":""' in seen.body and b'"finish_reason":"length"' in seen.body,
    "case-2": lambda seen: (
        body_of(seen)["candidates"][0]["content"] == {"role": "model"} and b"MAX_TOKENS" in seen.body
    ),
    "case-3": lambda seen: "candidates" not in body_of(seen) and "blockReason" in body_of(seen)["promptFeedback"],
    "case-4": lambda seen: body_of(seen)["candidates"][0]["content"] == {"role": "model"} and b"STOP" in seen.body,
    "case-5": lambda seen: (
        [p.get("thought") for p in body_of(seen)["candidates"][0]["content"]["parts"]] == [True, None]
    ),
    "case-6": lambda seen: body_of(seen)["candidates"][0]["content"]["parts"] == [{"text": PLAIN}],
    "case-7": lambda seen: seen.body.startswith(b"\x89PNG") and seen.headers["content-type"] == "image/png",
    "case-8": lambda seen: seen.status == 406 and b"Not enough credits" in seen.body,
    "case-9": lambda seen: seen.status == 403 and body_of(seen)["statusCode"] == "403" and b"run out of" in seen.body,
    "case-10": lambda seen: seen.status == 201 and text_of(seen) == PLAIN,
    "case-11": lambda seen: seen.status == 200 and "message" in body_of(seen)["error"],
    "case-12": lambda seen: seen.status == 502 and seen.body.startswith(b"<html>"),
    "case-13": lambda seen: text_of(seen) == BEGUN and b'data: {"error":' in seen.body,
    "case-14": lambda seen: text_of(seen) == BEGUN and b"[DONE]" not in seen.body and seen.outcome == "sent",
    "case-15": lambda seen: (
        chunks(seen.body.decode())[-1].keys() >= {"usage", "meta"} and not chunks(seen.body.decode())[-1]["choices"]
    ),
    "case-16": lambda seen: chunks(seen.body.decode())[0]["choices"] == [] and text_of(seen) == PLAIN,
    "case-17": lambda seen: b": OPENROUTER PROCESSING" in seen.body and text_of(seen) == PLAIN,
    "case-18": lambda seen: text_of(seen) == MULTIBYTE,
    "case-19": lambda seen: b'"content":[{"type":' in seen.body,
    "case-20": lambda seen: b'"images":[{"type":"image_url"' in seen.body,
    "case-21": lambda seen: seen.status == 400 and b"text parameter" in seen.body,
    "case-22": lambda seen: seen.status == 400 and b"alternate between user and model" in seen.body,
    "case-23": lambda seen: b'"mimeType":"image/png","data":"/9j/' in seen.body and b"image/jpg" in seen.body,
    "case-24": lambda seen: b'"images":[{"type":"image_url"' in seen.body and b"circle" in seen.body,
    "case-25": lambda seen: seen.status == 200 and text_of(seen) == PLAIN,
}


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("name", CASES)
def test_cases(sim: Simulator, name: str, stream: bool) -> None:
    seen = observe(sim, f"[[fault:{name}]] one two", stream=stream)
    assert CASES[name](seen), seen


def test_case_18_tears_letters_between_reads(sim: Simulator) -> None:
    with sim_stream(sim, "[[fault:case-18]]") as response:
        reads = iter(lambda: response.raw.read1(65536), b"")
        broken = [read for read in reads if not decodes(read)]
    assert broken


def decodes(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def test_case_24_draws_and_then_edits(sim: Simulator) -> None:
    answer = parts(segmind(sim, DRAWING, gemini("[[fault:case-24]]")))
    assert answer[0]["text"].startswith("Here is a red circle")
    before = image_in(answer)
    after = image_in(parts(segmind(sim, DRAWING, gemini("[[fault:case-24]]", answer, "Make it blue"))))
    assert before.size == after.size
    assert before.tobytes() != after.tobytes()


def test_case_25_refuses_only_the_instruction(sim: Simulator) -> None:
    refused = segmind(sim, DRAWING, gemini("[[fault:case-25]] Hello", system="Be brief."))
    assert refused.status_code == 400
    assert "instruction is not enabled" in refused.json()["error"]["message"]
    assert "Hello" in said(segmind(sim, DRAWING, gemini("Be brief.\n\nHello [[fault:case-25]]")))


# --- Statuses -------------------------------------------------------------------------------------------------------

STATUSES = [name for name in FAULTS if name[:3].isdecimal()]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("name", STATUSES)
def test_statuses(sim: Simulator, name: str, stream: bool) -> None:
    seen = observe(sim, f"[[fault:{name}]] one two", stream=stream)
    assert (seen.status, seen.error, seen.outcome) == (int(name[:3]), "", "sent")


@pytest.mark.parametrize(
    ("name", "header", "value"),
    [
        ("429-seconds", "Retry-After", "1"),
        ("429-long", "Retry-After", "3600"),
        ("429-absurd", "Retry-After", "99999999999999999999"),
        ("429-negative", "Retry-After", "-5"),
        ("429-garbage", "Retry-After", "soon"),
        ("429-past", "Retry-After", "Wed, 21 Oct 2015 07:28:00 GMT"),
        ("429-unit", "Retry-After", "500ms"),
        ("429-ms", "retry-after-ms", "500"),
        ("429-reset", "x-rate-limit-remaining", "0"),
    ],
)
def test_how_long_to_wait_in_a_header(sim: Simulator, name: str, header: str, value: str) -> None:
    assert chat(sim, f"[[fault:{name}]]").headers[header] == value


def test_how_long_to_wait_as_a_moment(sim: Simulator) -> None:
    assert chat(sim, "[[fault:429-date]]").headers["Retry-After"].endswith(" GMT")
    assert chat(sim, "[[fault:429-reset]]").headers["x-rate-limit-reset-at-utc"].endswith("Z")


@pytest.mark.parametrize(
    ("name", "piece"),
    [
        ("429-info", '"retryDelay":"2.660853464s"'),
        ("429-quota", '"quotaResetDelay":"373.801628ms"'),
        ("429-message", "Please retry in 2.66s."),
        ("429-daily", "per day"),
        ("429-hourly", "per hour"),
        ("400-key", "API_KEY_INVALID"),
        ("400-context", "exceeds the maximum number of tokens"),
        ("403-credits", "run out of credits"),
        ("406-format", "contents is required"),
        ("503-list", '[{"error":'),
        ("500-text", "Internal Server Error"),
    ],
)
def test_what_an_error_says(sim: Simulator, name: str, piece: str) -> None:
    response = chat(sim, f"[[fault:{name}]]")
    assert piece in response.text
    assert "Retry-After" not in response.headers


def test_once_and_then_well(fresh: Simulator) -> None:
    found = [chat(fresh, "[[once:503]] Hello").status_code for _ in range(4)]
    assert found == [503, 200, 503, 200]
    assert chat(fresh, "[[once:503]] Another").status_code == 503


# --- Connections ----------------------------------------------------------------------------------------------------

# In a stream: how the text so far reads, the error of the client (any of), and how the server saw it end.
BROKEN = ("ConnectionError", "ProtocolError", "ChunkedEncodingError", "IncompleteRead")
ENDED: dict[str, tuple[str, tuple[str, ...], str]] = {
    "close-early": ("", BROKEN, "cut"),
    "reset-early": ("", BROKEN, "reset"),
    "cut": (BEGUN, BROKEN, "cut"),
    "reset": (BEGUN, BROKEN, "reset"),
    "cut-event": (BEGUN, BROKEN, "cut"),
    "reset-event": (BEGUN, BROKEN, "reset"),
    "cut-end": (PLAIN, BROKEN, "cut"),
    "reset-end": (PLAIN, BROKEN, "reset"),
    "close-after": (PLAIN, ("",), "cut"),
    "bad-chunk": (BEGUN, BROKEN, "cut"),
    "slow-head": (PLAIN, ("",), "sent"),
    "comments-first": (PLAIN, ("",), "sent"),
}


@pytest.mark.parametrize("name", ENDED)
def test_broken_streams(sim: Simulator, name: str) -> None:
    text, errors, outcome = ENDED[name]
    seen = observe(sim, f"[[fault:{name}]] one two", stream=True)
    assert seen.error in errors, seen
    assert (text_of(seen) if seen.body else "", seen.outcome) == (text, outcome)


@pytest.mark.parametrize("name", ["cut", "reset", "cut-event", "reset-event", "cut-end", "reset-end"])
def test_broken_whole_replies(sim: Simulator, name: str) -> None:
    _, errors, outcome = ENDED[name]
    seen = observe(sim, f"[[fault:{name}]] one two", stream=False)
    assert seen.error in errors, seen
    assert seen.outcome == outcome
    assert 0 < len(seen.body) < int(seen.headers["content-length"])


def test_a_reset_is_a_reset_and_a_cut_is_none(sim: Simulator) -> None:
    for name, is_reset in (("reset", True), ("reset-early", True), ("cut", False), ("close-early", False)):
        with pytest.raises(requests.RequestException) as caught:
            chat(sim, f"[[fault:{name}]]")
        assert ("ConnectionResetError" in repr(caught.value)) is is_reset, name


@pytest.mark.parametrize("name", ["many-headers", "long-header"])
def test_heads_beyond_any_measure(sim: Simulator, name: str) -> None:
    seen = observe(sim, f"[[fault:{name}]]", stream=True)
    assert (seen.status, seen.error) == (0, "ConnectionError")


def test_a_half_head(sim: Simulator) -> None:
    seen = observe(sim, "[[fault:half-head]]", stream=True)
    assert (seen.headers, seen.body, seen.outcome) == ({"content-type": "applic"}, b"", "cut")


def ready(conn: HTTPConnection) -> str:
    """The body as far as it has come, of a reply that has not ended."""
    conn.sock.settimeout(0.1)
    read = b""
    try:
        response = conn.getresponse()
        while piece := response.read1():
            read += piece
    except TimeoutError:
        return read.decode()
    raise AssertionError("the reply has ended")


SILENT = {"silence-early": "", "silence-body": "", "silence": BEGUN, "silence-event": BEGUN, "silence-end": PLAIN}


@pytest.mark.parametrize("name", SILENT)
def test_silence_comes_at_its_place_and_ends_with_the_client(fresh: Simulator, name: str) -> None:
    body = {"model": MODEL, "max_tokens": 99, "stream": True, "messages": messages(f"[[fault:{name}]] one two")}
    headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
    with closing(HTTPConnection(fresh.url.removeprefix("http://"))) as conn:
        conn.request("POST", "/v1/chat/completions", json.dumps(body), headers)
        # From here on nothing more comes: all that was sent lies ready to be read.
        assert fresh.wait_held()
        read = ready(conn)
    assert streamed(read[: read.rfind("\n\n") + 2]) == SILENT[name]
    assert fresh.wait_closed(2)
    assert fresh.requests[-1].outcome == "left"


@pytest.mark.parametrize("name", ["silence-early", "silence-body", "silence", "silence-event"])
@pytest.mark.parametrize("stream", [False, True])
def test_silence_lasts_until_it_is_released(fresh: Simulator, name: str, stream: bool) -> None:
    found: list[str] = []

    def call() -> None:
        response = chat(fresh, f"[[fault:{name}]] one two", stream=stream)
        response.encoding = "utf-8"
        found.append(streamed(response.text) if stream else said(response))

    thread = threading.Thread(target=call)
    thread.start()
    assert fresh.wait_held()
    assert found == []
    fresh.release()
    thread.join(5)
    assert found == [PLAIN]


def test_the_place_of_a_fault_can_be_chosen(sim: Simulator) -> None:
    for at in (0, 1, 5, 999):
        seen = observe(sim, f"[[tokens:9]] [[fault:cut]] [[at:{at}]]", stream=True)
        assert text_of(seen) == " ".join(f"w{number}" for number in range(1, min(at, 9) + 1))


@pytest.mark.parametrize("name", ["endless", "endless-empty", "endless-comments", "comments-only", "endless-line"])
def test_what_never_ends(sim: Simulator, name: str) -> None:
    seen = observe(sim, f"[[fault:{name}]] [[delay:1]] one two", stream=True, most=5000)
    assert (seen.status, seen.error, seen.outcome) == (200, "", "left")
    expected = {"endless": b" and so on", "endless-empty": b'"content":""', "endless-line": b"xxxx"}
    assert seen.body.count(expected.get(name, b": keep-alive")) > 20


def test_slow_bytes(sim: Simulator) -> None:
    with sim_stream(sim, "[[say:a b c d]] [[fault:slow-bytes]] [[delay:1]]") as response:
        reads = list(iter(lambda: response.raw.read1(65536), b""))
    assert streamed(b"".join(reads).decode()) == "a b c d"
    assert len(reads) > 30


def sim_stream(sim: Simulator, text: str) -> requests.Response:
    body = {"model": "google/gemini-2.5-flash", "max_tokens": 99, "stream": True}
    said_so = [{"role": "user", "content": text}]
    headers = {"Authorization": f"Bearer {KEY}", "Accept-Encoding": "identity"}
    url = f"{sim.base_url}/chat/completions"
    return requests.post(url, json=body | {"messages": said_so}, headers=headers, stream=True, timeout=10)


@pytest.mark.parametrize(("name", "size"), [("huge-line", 33 << 20), ("huge-body", 33 << 20), ("huge-text", 1 << 20)])
def test_what_is_too_large(sim: Simulator, name: str, size: int) -> None:
    seen = observe(sim, f"[[fault:{name}]]", stream=True, most=64 << 20)
    assert (seen.status, seen.error) == (200, "")
    assert size < len(seen.body) < size * 1.3


def test_compression(sim: Simulator) -> None:
    seen = observe(sim, "[[fault:gzip]] one two", stream=False)
    assert seen.headers["content-encoding"] == "gzip"
    assert json.loads(gzip.decompress(seen.body))["choices"][0]["message"]["content"] == PLAIN
    bomb = observe(sim, "[[fault:gzip-bomb]]", stream=False)
    assert len(bomb.body) < 100_000
    assert len(gzip.decompress(bomb.body)) > 64 << 20


@pytest.mark.parametrize(("name", "status"), [("redirect", 307), ("redirect-302", 302)])
def test_redirects(sim: Simulator, name: str, status: int) -> None:
    seen = observe(sim, f"[[fault:{name}]]", stream=True)
    assert (seen.status, seen.headers["location"][:8]) == (status, "https://")


# --- All of them ----------------------------------------------------------------------------------------------------


def test_no_fault_is_left_out() -> None:
    others = {
        "many-headers",
        "long-header",
        "half-head",
        "slow-bytes",
        "endless",
        "endless-empty",
        "endless-comments",
        "comments-only",
        "endless-line",
    }
    others |= {"huge-line", "huge-text", "huge-body", "gzip", "gzip-bomb", "redirect", "redirect-302"}
    assert FAULTS.keys() == {*CASES, *STATUSES, *ENDED, *SILENT, *BODIES, *others}


@pytest.mark.parametrize("name", ["case-1", "case-13", "503", "cut", "bad-json", "tool-call", "endless"])
@pytest.mark.parametrize("model", [DRAWING, OLDER])
def test_faults_reach_segmind_too(sim: Simulator, model: str, name: str) -> None:
    picture = inline(file_of(plain_picture()))
    sent = gemini([{"text": f"Look [[fault:{name}]]"}, picture])
    plain = segmind(sim, model, gemini([{"text": "Look"}, picture]))
    try:
        with requests.post(
            f"{sim.base_url}/{model}", json=sent, headers={"x-api-key": KEY}, stream=True, timeout=10
        ) as response:
            found = (response.status_code, response.raw.read(3000))
    except requests.RequestException:
        found = (0, b"")
    assert found != (200, plain.content[:3000])
