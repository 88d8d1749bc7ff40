"""What is said of others has to be as exact as what is said of us."""

import argparse
import asyncio
import json
from pathlib import Path

import pytest

from tests.bench import report
from tests.bench.__main__ import Bench
from tests.bench.figures import Figures, figures
from tests.bench.load import Exchange
from tests.bench.peers import websocket
from tests.bench.peers.chainlit import Chainlit, event
from tests.bench.peers.gradio import Gradio, grown
from tests.bench.peers.installed import Installed, Unavailable
from tests.bench.peers.websocket import CLOSE, PING, TEXT, Frames
from tests.live.rawhttp import Recording


def from_server(payload: bytes, kind: int = TEXT) -> bytes:
    """A frame as servers send it: not masked."""
    size = len(payload)
    length = bytes([size]) if size < 126 else b"\x7e" + size.to_bytes(2) if size < 65536 else b"\x7f" + size.to_bytes(8)
    return bytes([0x80 | kind]) + length + payload


def unmasked(frame: bytearray) -> bytes:
    """The payload of a short frame from a client."""
    return bytes(byte ^ frame[2 + at % 4] for at, byte in enumerate(frame[6:]))


def test_frames_of_every_size_are_found_however_they_are_cut() -> None:
    sent = [b"", b"a", b"b" * 125, b"c" * 126, b"d" * 70_000]
    wire = b"".join(map(from_server, sent))
    for step in (1, 7, 1000, len(wire)):
        frames, found = Frames(), list[bytes]()
        for at in range(0, len(wire), step):
            found += [payload for _, payload in frames.feed(wire[at : at + step])]
        assert found == sent


def test_a_socket_notes_messages_and_answers_pings() -> None:
    came = bytearray()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 101 Switching\r\n\r\n" + from_server(b"hello") + from_server(b"", PING))
        came.extend(await reader.readexactly(6 + 6 + 3))  # an empty pong, then a message of three letters
        writer.write(from_server(b"ping") + from_server(b"one") + from_server(b"the end"))
        came.extend(await reader.readexactly(6 + 4))
        writer.write(from_server(b"", CLOSE))
        writer.close()

    async def talk() -> Recording:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        socket = await websocket.connect(url, lambda message: b"pong" if message == b"ping" else b"", until=b"hel")
        recording = await socket.ask(b"say", until=b"the ")
        with pytest.raises(OSError):
            await asyncio.wait_for(socket.ask(b"more", until=b"never"), 20)
        server.close()
        return recording

    recording = asyncio.run(talk())
    assert [message for _, message in recording.pieces] == [b"one", b"the end"]
    assert (unmasked(came[6:15]), unmasked(came[15:])) == (b"say", b"pong")


def of_chainlit(*messages: bytes) -> Figures:
    pieces = [(1.0 + at / 10, message) for at, message in enumerate(messages)]
    exchange = Exchange("c.0", 2, "chainlit", pressed=0.9, answered=0.9, recording=Recording(0.9, pieces))
    return figures([exchange], {"c.0": [[1.0, 1.1]]}, Chainlit.read)


START = event("stream_start", {"output": "w0 "})
TOKEN = event("stream_token", {"token": "w1 "})
END = event("task_end", {})


def ended(text: str) -> bytes:
    return event("update_message", {"type": "assistant_message", "output": text})


def test_a_reply_of_chainlit_is_timed() -> None:
    found = of_chainlit(START, TOKEN, ended("w0 w1 "), END)
    assert (found.failures, found.lost, found.tokens) == ({}, {}, 2)
    assert found.first == pytest.approx([0.1])
    assert found.delays == pytest.approx([0.0, 0.0])


def test_what_chainlit_loses_or_fails_is_found() -> None:
    assert of_chainlit(START, TOKEN, ended("w0 "), END).lost == {"text differs": 1}
    assert of_chainlit(START, START, ended("w0 w1 "), END).lost["text was wrong on the way"] == 1
    assert of_chainlit(START, END).failures == {"no reply at the end": 1}
    assert of_chainlit(event("new_message", {"isError": True}), END).failures == {"an error was shown": 1}


def of_gradio(*messages: dict[str, object]) -> Figures:
    head = b"HTTP/1.1 200 OK\r\n\r\n"
    pieces = [(1.0 + at / 10, f"data: {json.dumps(message)}\n\n".encode()) for at, message in enumerate(messages)]
    exchange = Exchange(
        "g.0", 2, "gradio", pressed=0.9, answered=0.95, recording=Recording(0.9, [(0.9, head), *pieces])
    )
    return figures([exchange], {"g.0": [[1.0, 1.1]]}, Gradio.read)


def step(output: object) -> dict[str, object]:
    return {"msg": "process_generating", "success": True, "output": {"data": [output, None]}}


def done(text: str, *, success: bool = True) -> dict[str, object]:
    return {"msg": "process_completed", "success": success, "output": {"data": [text, None]}}


def test_a_reply_of_gradio_is_put_together_from_its_changes_and_timed() -> None:
    found = of_gradio(step("w0 "), step([["append", [], "w1 "]]), done("w0 w1 "))
    assert (found.failures, found.lost, found.tokens) == ({}, {}, 2)
    assert found.first == pytest.approx([0.1])
    assert grown("w0 ", [["replace", [], "other"]]) == "other"
    with pytest.raises(ValueError):
        grown("w0 ", [["append", [1], "deep"]])


def test_what_gradio_loses_or_fails_is_found() -> None:
    assert of_gradio(step("w0 "), done("w0 ")).lost["text differs"] == 1
    assert of_gradio(step("w0 "), done("w0 w1 ", success=False)).failures == {"not completed": 1}
    assert of_gradio(step("w0 ")).failures == {"the stream ended early": 1}


def test_a_peer_that_cannot_be_installed_says_so_in_a_sentence(tmp_path: Path) -> None:
    nowhere = Installed("nobody", (str(tmp_path / "not-there"),), home=tmp_path)
    with pytest.raises(Unavailable, match=r"^nobody cannot be installed: .*not-there"):
        nowhere.bring()
    assert not (nowhere.folder / "installed").exists(), "the next time it is tried again"


def test_a_peer_that_nobody_knows_is_named_as_missing(tmp_path: Path) -> None:
    bench = Bench(argparse.Namespace(peers="nobody", tokens=1), [1], tmp_path)
    bench.upstream_url = "http://127.0.0.1:1"
    for name in bench.peers:
        bench.peer(name)
    assert bench.missing == ["nobody knows how to measure 'nobody'"]


def test_the_table_of_peers_sets_each_beside_ours() -> None:
    measured = {"1 first p50": 60.0, "1 first p50 gradio": 90.0, "idle memory": 50.0, "saturated": 10.0}
    rows = report.against(measured, [1], ["chainlit", "gradio"]).splitlines()
    assert rows[0].split() == ["chatsite", "chainlit", "of", "ours", "gradio", "of", "ours"]
    assert next(row for row in rows if "median" in row).split()[-6:] == ["60.0", "ms", "90.0", "ms", "1.5", "×"]
    assert next(row for row in rows if "idle" in row).endswith("50 MB")


def test_the_worst_run_counts_for_what_a_peer_lost_too() -> None:
    runs = [{"1 lost gradio": 0.0, "start gradio": 1.0}, {"1 lost gradio": 4.0, "start gradio": 2.0}]
    assert report.medians(runs) == {"1 lost gradio": 4.0, "start gradio": 1.5}
    assert report.medians([{}, {"start gradio": 1.0}]) == {"start gradio": 1.0}, "as often as it could be measured"
