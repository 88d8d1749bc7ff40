"""Chainlit by socket.io over a WebSocket, which its page opens before anybody types."""

import json
import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from tests.bench.figures import Seen, last_word, said_wrong
from tests.bench.load import Exchange
from tests.bench.peers import websocket
from tests.bench.peers.peer import APPS, Peer, Send
from tests.bench.peers.websocket import Socket
from tests.live.rawhttp import Recording

OPENED, JOINED, EVENT = b"0", b"40", b"42"  # of engine.io and socket.io
PING, PONG = b"2", b"3"


class Chainlit(Peer):
    name = "chainlit"
    packages = ("chainlit", "openai")

    def command(self) -> list[str]:
        address = ("--host", "127.0.0.1", "--port", str(self.port))
        return [str(self.installed.programs / "chainlit"), "run", str(APPS / "chainlit_app.py"), "--headless", *address]

    @property
    def environment(self) -> dict[str, str]:
        return super().environment | {"CHAINLIT_APP_ROOT": str(self.folder)}

    async def open(self, prompt: str, tag: str, tokens: int) -> Send:
        socket = await self._opened()
        message = event("client_message", {"message": typed(prompt), "fileReferences": []})

        async def send() -> Exchange:
            pressed = time.monotonic()
            try:
                recording = await socket.ask(message, until=event_named("task_end"))
                return Exchange(tag, tokens, self.name, pressed, pressed, recording)
            finally:
                socket.close()

        return send

    async def _opened(self) -> Socket:
        """A session as the page begins it."""
        address = f"{self.url}/ws/socket.io/?EIO=4&transport=websocket"
        socket = await websocket.connect(address, lambda message: PONG if message == PING else b"", until=OPENED)
        person = {"sessionId": str(uuid.uuid4()), "clientType": "webapp", "userEnv": "{}", "chatProfile": ""}
        await socket.ask(JOINED + json.dumps(person).encode(), until=JOINED)
        await socket.ask(event("connection_successful"), until=event_named("clear_call_fn"))
        return socket

    @staticmethod
    def read(exchange: Exchange) -> Seen:
        assert exchange.recording is not None
        seen, text, final = Seen(), "", ""
        for at, name, value in events(exchange.recording):
            seen.events += 1
            if name in ("stream_start", "stream_token"):
                text += value["output"] if name == "stream_start" else value["token"]
                seen.arrivals.append((at, last_word(text[-20:])))
            elif name == "update_message" and value["type"] == "assistant_message":
                final = value["output"]
            elif name == "new_message" and value.get("isError"):
                seen.failure = "an error was shown"
        seen.failure = seen.failure or ("" if final else "no reply at the end")
        seen.lost = "" if seen.failure else said_wrong(text, final, exchange.tokens)
        return seen


def event_named(name: str) -> bytes:
    return EVENT + f'["{name}"'.encode()


def event(name: str, *values: object) -> bytes:
    return EVENT + json.dumps([name, *values], separators=(",", ":")).encode()


def typed(prompt: str) -> dict[str, str]:
    """What the composer sends."""
    now = datetime.now(UTC).isoformat()
    return {"id": str(uuid.uuid4()), "name": "user", "type": "user_message", "output": prompt, "createdAt": now}


def events(recording: Recording) -> Iterator[tuple[float, str, Any]]:
    for at, message in recording.pieces:
        if message.startswith(EVENT):
            name, *values = json.loads(message[len(EVENT) :])
            yield at, name, values[0] if values else None
