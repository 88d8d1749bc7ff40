"""The accounts, the local server, the handles of a test, and the command line."""

import io
import json
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from decimal import Decimal
from http.client import HTTPConnection
from pathlib import Path

import pytest
import requests

from . import Cut, Pause, Reply, Simulator
from .asking import (
    CHAT,
    KEY,
    MODEL,
    OLDER,
    Json,
    chat,
    chunks,
    file_of,
    gemini,
    image_url,
    messages,
    plain_picture,
    said,
    segmind,
    streamed,
)

PNG = file_of(plain_picture())
JPEG = file_of(plain_picture(), "jpeg")
GIF = file_of(plain_picture(), "gif")
HELLO = {"messages": messages("Hello")}


def post(sim: Simulator, path: str, body: Json, **headers: str) -> requests.Response:
    return requests.post(sim.base_url + path, json=body, headers=headers, timeout=10)


# --- The accounts ---------------------------------------------------------------------------------------------------


def test_segmind_credits_go_down_with_every_answer(fresh: Simulator) -> None:
    left = [Decimal(segmind(fresh, OLDER, gemini("Hello")).headers["x-remaining-credits"]) for _ in range(2)]
    assert left == [Decimal("99.983"), Decimal("99.966")]
    segmind(fresh, OLDER, gemini("[[fault:500]]"))
    response = requests.get(f"{fresh.base_url}/get-user-credits", headers={"x-api-key": KEY}, timeout=10)
    assert response.json() == {"credits": 99.966, "free-credits": 0.018}


def test_an_empty_segmind_account_answers_406() -> None:
    with Simulator(credits=Decimal("0.02")) as sim:
        assert segmind(sim, CHAT, HELLO).status_code == 200
        assert segmind(sim, CHAT, HELLO).status_code == 406


def test_aimlapi_counts_dollars_and_says_so(fresh: Simulator) -> None:
    response = chat(fresh, "Hello")
    usage = response.json()["usage"]
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]
    spent = response.json()["meta"]["usage"]
    assert spent["usd_spent"] == spent["credits_used"] / 2_000_000
    assert response.headers["x-aimlapi-credits-used"] == str(spent["credits_used"])
    balance = requests.get(f"{fresh.url}/v2/billing", headers={"Authorization": f"Bearer {KEY}"}, timeout=10).json()
    assert balance == {"current_balance": pytest.approx(10 - spent["usd_spent"]), "currency": "USD"}


def test_accounts_want_their_keys(sim: Simulator) -> None:
    assert requests.get(f"{sim.base_url}/get-user-credits", timeout=10).status_code == 401
    assert requests.get(f"{sim.url}/v2/billing", headers={"x-api-key": KEY}, timeout=10).status_code == 401


def test_aimlapi_echoes_only_a_proper_request_id(sim: Simulator) -> None:
    def headers_for(name: str) -> dict[str, str]:
        sent = {"Authorization": f"Bearer {KEY}", "X-Client-Request-Id": name}
        body = {"model": MODEL, "max_tokens": 9, "messages": messages("Hello")}
        return dict(post(sim, "/chat/completions", body, **sent).headers)

    assert headers_for("reply-1:a.b_c")["x-client-request-id"] == "reply-1:a.b_c"
    assert "x-client-request-id" not in headers_for("not proper")
    assert headers_for("x")["x-inference-id"].startswith("inf-")


# --- The local server -----------------------------------------------------------------------------------------------


def local(sim: Simulator, content: str | list[Json]) -> requests.Response:
    return post(sim, "/chat/completions", {"model": "smollm2-135m-instruct", "messages": messages(content)})


def test_the_local_model_wants_no_key_and_no_limit(sim: Simulator) -> None:
    response = local(sim, "What is 6 * 7?")
    assert said(response) == "6 * 7 = 42"
    assert "meta" not in response.json()
    assert not [name for name in response.headers if name.startswith("x-")]


def test_the_local_model_sees_no_pictures_and_little_text(sim: Simulator) -> None:
    blind = local(sim, [{"type": "text", "text": "What is this?"}, image_url(PNG)])
    assert blind.status_code == 500
    assert "image input is not supported" in blind.json()["error"]["message"]
    long = local(sim, "word " * 9000)
    assert long.status_code == 400
    assert "exceeds the available context size" in long.json()["error"]["message"]


def test_the_models_are_listed(sim: Simulator) -> None:
    names = [model["id"] for model in requests.get(f"{sim.base_url}/models", timeout=10).json()["data"]]
    assert names == [MODEL, "smollm2-135m-instruct"]


# --- The handles of a test ------------------------------------------------------------------------------------------


def test_what_came_is_recorded(fresh: Simulator) -> None:
    segmind(fresh, OLDER, gemini("Hello"))
    chat(fresh, "[[fault:503]]")
    assert fresh.wait_closed()
    first, second = fresh.requests
    assert (first.method, first.path, first.status, first.outcome) == ("POST", f"/v1/{OLDER}", 200, "sent")
    assert first.headers["x-api-key"] == KEY
    assert first.body == json.loads(first.raw) == gemini("Hello")
    assert second.status == 503


def test_only_the_last_requests_are_kept() -> None:
    with Simulator(keep=2) as sim:
        for text in ("one", "two", "three"):
            chat(sim, text)
        assert [request.body["messages"][0]["content"] for request in sim.requests] == ["two", "three"]
        assert sim.wait_requests(3)


def test_a_script_goes_over_the_text_and_is_used_up(fresh: Simulator) -> None:
    fresh.script(fault="503", times=2)
    fresh.script(say="Scripted.")
    found = [chat(fresh, "Hello") for _ in range(4)]
    assert [response.status_code for response in found] == [503, 503, 200, 200]
    assert said(found[2]) == "Scripted."
    assert "Hello" in said(found[3])


def test_a_script_may_be_for_one_address(fresh: Simulator) -> None:
    fresh.script(fault="500", path=OLDER)
    assert chat(fresh, "Hello").status_code == 200
    assert segmind(fresh, OLDER, gemini("Hello")).status_code == 500


def test_a_scripted_reply_is_sent_as_it_is(fresh: Simulator) -> None:
    body = (b"data: one\n\n", Pause(0.001), b"data: t", Cut())
    fresh.script(
        Reply(status=207, body=body, content_type="text/event-stream", framing="close", headers=(("x-a", "b"),))
    )
    response = requests.post(f"{fresh.base_url}/anything", timeout=10)
    assert (response.status_code, response.content, response.headers["x-a"]) == (207, b"data: one\n\ndata: t", "b")
    assert fresh.requests[-1].outcome == "cut"


def test_a_misspelt_script_is_an_error(fresh: Simulator) -> None:
    with pytest.raises(TypeError, match="falt"):
        fresh.script(falt="503")


@pytest.mark.parametrize("name", ["fault", "once", "shape", "error"])
def test_a_misspelt_name_is_refused(sim: Simulator, name: str) -> None:
    response = chat(sim, f"[[{name}:nonsense]]")
    assert response.status_code == 400
    assert "nonsense" in response.json()["message"]


def test_hold_and_release(fresh: Simulator) -> None:
    fresh.hold()
    answers: list[str] = []
    thread = threading.Thread(target=lambda: answers.append(said(chat(fresh, "Hello"))))
    thread.start()
    assert fresh.wait_held()
    assert (fresh.open_calls, fresh.held, answers) == (1, 1, [])
    fresh.release()
    thread.join(5)
    assert "Hello" in answers[0]
    assert fresh.wait_closed()
    assert (fresh.open_calls, fresh.held) == (0, 0)


def test_a_stream_holds_after_so_many_tokens(fresh: Simulator) -> None:
    response = start_stream(fresh, "[[tokens:6]] [[hold:4]]")
    assert fresh.wait_held()
    before = b""
    while before.count(b"data:") < 5:
        before += response.raw.read1(65536)
    assert streamed(before.decode()) == "w1 w2 w3 w4"
    fresh.release()
    assert streamed(response.raw.read().decode()) == " w5 w6"


def start_stream(sim: Simulator, text: str) -> requests.Response:
    body = {"model": MODEL, "max_tokens": 8192, "stream": True, "messages": messages(text)}
    headers = {"Authorization": f"Bearer {KEY}"}
    return requests.post(f"{sim.base_url}/chat/completions", json=body, headers=headers, stream=True, timeout=10)


def test_a_client_that_leaves_is_noticed_in_silence(fresh: Simulator) -> None:
    response = start_stream(fresh, "[[tokens:6]] [[hold:3]]")
    assert fresh.wait_held()
    assert not fresh.wait_closed(0.01)
    response.close()
    assert fresh.wait_closed(2)
    assert fresh.requests[-1].outcome == "left"


def test_a_client_that_leaves_before_the_head_is_noticed(fresh: Simulator) -> None:
    fresh.hold()
    host, port = fresh.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as conn:
        body = json.dumps({"model": MODEL, "max_tokens": 9, **HELLO}).encode()
        head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {KEY}\r\n"
        conn.sendall(f"{head}Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
        assert fresh.wait_held()
    assert fresh.wait_closed(2)


def test_many_calls_at_once_and_one_connection_for_many_calls(fresh: Simulator) -> None:
    fresh.hold()
    answers: list[str] = []
    threads = [
        threading.Thread(target=lambda text=f"call {n}": answers.append(said(chat(fresh, text)))) for n in range(20)
    ]
    for thread in threads:
        thread.start()
    assert fresh.wait_held(20)
    assert fresh.open_calls == 20
    fresh.release()
    for thread in threads:
        thread.join(5)
    assert len({answer.splitlines()[0] for answer in answers}) == 20


def test_connections_are_kept_alive(fresh: Simulator) -> None:
    with closing(HTTPConnection(fresh.url.removeprefix("http://"))) as conn:
        conn.connect()
        first = conn.sock
        for _ in range(3):
            conn.request("GET", "/v1/models")
            assert conn.getresponse().read()
        assert conn.sock is first


def test_closing_breaks_off_what_is_silent() -> None:
    with Simulator() as sim:
        response = start_stream(sim, "[[tokens:6]] [[hold:3]]")
        assert sim.wait_held()
    assert sim.open_calls == 0
    response.close()


def test_a_bug_of_the_simulator_fails_the_block(capfd: pytest.CaptureFixture[str]) -> None:
    def broken() -> Iterator[bytes]:
        yield b"data: fine\n\n"
        raise ZeroDivisionError("a bug")

    def use() -> None:
        with Simulator() as sim:
            sim.script(Reply(body=broken(), framing="close"))
            requests.post(sim.base_url, timeout=10)
            assert sim.wait_closed()

    with pytest.raises(AssertionError, match="a bug"):
        use()
    assert "ZeroDivisionError" in capfd.readouterr().err


# --- The command line -----------------------------------------------------------------------------------------------


def run(*arguments: str) -> "subprocess.Popen[str]":
    root = Path(__file__).parents[2]
    command = [sys.executable, "-m", "tests.simulator", *arguments]
    return subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, text=True)


def test_the_command_line_prints_its_address_and_serves() -> None:
    with run("--key", "another", "--first", "0") as process:
        assert isinstance(process.stdout, io.TextIOBase)
        line = process.stdout.readline()
        address = line.removeprefix("Simulator ready at ").strip()
        response = requests.post(f"{address}/{CHAT}", json=HELLO, headers={"x-api-key": "another"}, timeout=10)
        assert "Hello" in said(response)
        process.terminate()
    assert process.returncode == 0


def test_the_command_line_lists_everything() -> None:
    with run("--list") as process:
        listing, _ = process.communicate(timeout=20)
    assert process.returncode == 0
    for word in ("fault ", "case-25 ", "gemini-sse ", "429-date ", "endless-comments ", "picture-bomb "):
        assert f"  {word}" in listing


def test_nothing_of_the_product_is_imported() -> None:
    code = "import sys, tests.simulator.__main__; print({name.split('.')[0] for name in sys.modules})"
    command = [sys.executable, "-c", code]
    found = subprocess.run(command, cwd=Path(__file__).parents[2], capture_output=True, text=True, check=True)
    assert "'PIL'" in found.stdout
    assert not [name for name in ("django", "conversations", "chatsite") if f"'{name}'" in found.stdout]


def test_streams_say_what_whole_replies_say(sim: Simulator) -> None:
    whole = said(chat(sim, "Write markdown"))
    stream = chat(sim, "Write markdown", stream=True)
    assert stream.headers["Content-Type"] == "text/event-stream"
    assert streamed(stream.text) == whole
    assert {chunk["object"] for chunk in chunks(stream.text)} == {"chat.completion.chunk"}
