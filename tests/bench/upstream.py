"""A fake upstream in a process of its own: streamed chat completions as AI/ML API sends them, at an exact pace.

A prompt holds "bench:<tag>:<tokens>" or "bench:<tag>:<tokens>:<pace>" (milliseconds between two tokens). The reply is
the words "w0 w1 ..." and the moment at which each one was sent is kept under the tag (GET /sent/<run>, where a tag is
"<run>.<number>"). Run as `python -m tests.bench.upstream`: the first line of its output is the port.
"""

import asyncio
import heapq
import json
import re
import signal
import socket
import time
from typing import cast

import uvloop

FIRST, PACE = 0.050, 0.020  # seconds to the first token, and between tokens
PROMPT = re.compile(rb"bench:([\w.-]+):(\d+)(?::(\d+))?")
STREAM_HEAD = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\nx-inference-id: bench\r\n\r\n"
)


def chunk(value: object) -> bytes:
    event = f"data: {value if isinstance(value, str) else json.dumps(value, separators=(',', ':'))}\n\n".encode()
    return b"%x\r\n%s\r\n" % (len(event), event)


def completion(delta: dict[str, str], finish: str | None = None, **more: object) -> bytes:
    choices = [{"index": 0, "delta": delta, "finish_reason": finish}]
    value = {"id": "bench", "object": "chat.completion.chunk", "created": 1, "model": "google/gemini-2.5-flash"}
    return chunk({**value, "choices": choices, **more})


def token(number: int) -> bytes:
    return completion({"role": "assistant", "content": f"w{number} "})


def ending(tokens: int) -> bytes:
    usage = {"prompt_tokens": 7, "completion_tokens": tokens, "total_tokens": tokens + 7}
    meta = {"usage": {"credits_used": tokens, "usd_spent": 0.0001}}
    return completion({}, "stop", usage=usage, meta=meta) + chunk("[DONE]") + b"0\r\n\r\n"


TOKENS = [token(number) for number in range(1000)]


class Reply:
    """A running reply: what has been sent of it and when."""

    def __init__(self, transport: asyncio.Transport, tokens: int, started: float, pace: float = PACE) -> None:
        self.transport, self.tokens, self.started, self.pace = transport, tokens, started, pace
        self.sent: list[float] = []

    @property
    def due(self) -> float:
        return self.started + FIRST + self.pace * len(self.sent)

    def send_next(self, now: float) -> bool:
        """Send what is due; whether more is to come."""
        if self.transport.is_closing():
            return False
        if len(self.sent) == self.tokens:
            self.transport.write(ending(self.tokens))
            return False
        number = len(self.sent)
        self.transport.write(TOKENS[number] if number < len(TOKENS) else token(number))
        self.sent.append(now)
        return True


class Pacer:
    """Sends what is due for all replies from one timer."""

    def __init__(self) -> None:
        self.waiting: list[tuple[float, int, Reply]] = []
        self.replies: dict[str, list[Reply]] = {}
        self.count = 0
        self.timer: asyncio.TimerHandle | None = None

    def start(self, tag: str, reply: Reply) -> None:
        self.replies.setdefault(tag, []).append(reply)
        self._wait_for(reply)
        self._set_timer()

    def _wait_for(self, reply: Reply) -> None:
        self.count += 1
        heapq.heappush(self.waiting, (reply.due, self.count, reply))

    def _set_timer(self) -> None:
        if self.timer is not None:
            self.timer.cancel()
        if self.waiting:
            wait = max(0.0, self.waiting[0][0] - time.monotonic())
            self.timer = asyncio.get_running_loop().call_later(wait, self._send_due)

    def _send_due(self) -> None:
        self.timer = None
        now = time.monotonic()
        while self.waiting and self.waiting[0][0] <= now:
            reply = heapq.heappop(self.waiting)[2]
            if reply.send_next(time.monotonic()):
                self._wait_for(reply)
        self._set_timer()

    def sent(self, run: str) -> dict[str, list[list[float]]]:
        """By tag: for each call that carried it, the moments of its tokens."""
        mine = {tag: replies for tag, replies in self.replies.items() if tag.partition(".")[0] == run}
        return {tag: [reply.sent for reply in replies] for tag, replies in mine.items()}


class Connection(asyncio.Protocol):
    """HTTP/1.1 with keep-alive, requests by length only: enough for every client that knows a body's size."""

    def __init__(self, pacer: Pacer) -> None:
        self.pacer, self.buffer = pacer, b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # The loop may be uvloop's, whose transports have another base class.
        self.transport = cast("asyncio.Transport", transport)
        self.transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        head, found, body = self.buffer.partition(b"\r\n\r\n")
        if not found:
            return
        length = re.search(rb"(?im)^content-length: *(\d+)", head)
        size = int(length[1]) if length else 0
        if len(body) >= size:
            self.buffer = body[size:]
            self.answer(head.split(b" ")[1].decode(), body[:size])

    def answer(self, path: str, body: bytes) -> None:
        prompts = PROMPT.findall(body)
        if path.startswith("/sent/"):
            self.json(200, self.pacer.sent(path.removeprefix("/sent/")))
        elif path != "/v1/chat/completions" or not prompts:
            self.json(404, {"message": f"nothing at {path}", "statusCode": 404})
        else:
            tag, tokens, pace = prompts[-1]
            reply = Reply(self.transport, int(tokens), time.monotonic(), int(pace) / 1000 if pace else PACE)
            self.transport.write(STREAM_HEAD)
            self.pacer.start(tag.decode(), reply)

    def json(self, status: int, value: object) -> None:
        body = json.dumps(value).encode()
        head = f"HTTP/1.1 {status} -\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        self.transport.write(head.encode() + body)


async def serve() -> None:
    loop, pacer, over = asyncio.get_running_loop(), Pacer(), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, over.set)
    server = await loop.create_server(lambda: Connection(pacer), "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await over.wait()


if __name__ == "__main__":
    uvloop.run(serve())
