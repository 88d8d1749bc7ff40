"""Gradio by its queue: join it for the chat function, then follow the session's events."""

import json
import secrets
import time
from collections.abc import Iterator
from typing import Any

from tests.bench.figures import Seen, last_word, said_wrong
from tests.bench.load import Exchange
from tests.bench.peers.peer import APPS, Peer, Send
from tests.live import rawhttp
from tests.live.eventstream import EventStream
from tests.live.rawhttp import Recording

API = "/gradio_api/queue"


class Gradio(Peer):
    name = "gradio"
    packages = ("gradio", "openai")
    settings = {"GRADIO_ANALYTICS_ENABLED": "False", "HF_HUB_OFFLINE": "1"}
    function: int | None = None

    def command(self) -> list[str]:
        return [str(self.installed.programs / "python"), str(APPS / "gradio_app.py")]

    @property
    def environment(self) -> dict[str, str]:
        return super().environment | {"GRADIO_SERVER_PORT": str(self.port), "GRADIO_TEMP_DIR": str(self.folder)}

    async def open(self, prompt: str, tag: str, tokens: int) -> Send:
        function = await self._chat_function()
        session = secrets.token_hex(6)
        body = json.dumps({"data": [prompt, None], "fn_index": function, "session_hash": session}).encode()
        join = rawhttp.request("POST", f"{self.url}{API}/join", {"Content-Type": "application/json"}, body)
        events = rawhttp.request("GET", f"{self.url}{API}/data?session_hash={session}", {"Accept": "text/event-stream"})

        async def send() -> Exchange:
            pressed = time.monotonic()
            connection = await rawhttp.connect(self.url)
            try:
                reply, _ = (await connection.ask(join)).body()
                answered = time.monotonic()
                if reply.status != 200:
                    return Exchange(tag, tokens, self.name, pressed, answered, failure=f"status {reply.status}")
                return Exchange(tag, tokens, self.name, pressed, answered, await connection.ask(events))
            finally:
                connection.close()

        return send

    async def _chat_function(self) -> int:
        """The number of the function that the app calls "chat", as its own client finds it."""
        if self.function is None:
            connection = await rawhttp.connect(self.url)
            _, body = (await connection.ask(rawhttp.request("GET", f"{self.url}/config", {}))).body()
            connection.close()
            functions = json.loads(body)["dependencies"]
            self.function = next(each["id"] for each in functions if each["api_name"] == "chat")
        return self.function

    @staticmethod
    def read(exchange: Exchange) -> Seen:
        assert exchange.recording is not None
        seen, text = Seen(), ""
        for at, message in messages(exchange.recording):
            seen.events += 1
            if message["msg"] == "process_generating" and message["success"]:
                text = grown(text, message["output"]["data"][0])
                seen.arrivals.append((at, last_word(text[-20:])))
            elif message["msg"] == "process_completed":
                final = message["output"].get("data", [""])[0]
                seen.failure = "" if message["success"] else "not completed"
                seen.lost = said_wrong(text, final, exchange.tokens)
                return seen
        seen.failure = "the stream ended early"
        return seen


def messages(recording: Recording) -> Iterator[tuple[float, dict[str, Any]]]:
    stream = EventStream()
    for at, body in recording.arrivals():
        for event in stream.feed(body):
            yield at, json.loads(event.data)


def grown(text: str, output: Any) -> str:
    """The first output is the text itself, later ones are lists of changes to it."""
    if isinstance(output, str):
        return output
    for action, path, value in output:
        if path or action not in ("append", "replace"):
            raise ValueError(f"a change of another kind: {action} {path}")
        text = text + value if action == "append" else value
    return text
