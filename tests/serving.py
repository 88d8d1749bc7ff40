"""A real server process on its own data folder, for tests that talk to it over sockets."""

import atexit
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import requests

ROOT = Path(__file__).resolve().parents[1]
PASSWORD = "a long password for tests"
START_DEADLINE = 180.0  # seconds
SECRET = re.compile(r"KEY|TOKEN|SECRET|PASSWORD")  # in names of settings

_launched: list["Server"] = []
_made: dict[tuple[str, ...], Path] = {}

ADD_PEOPLE = """
from django.core.management import call_command
from conversations.models import User
call_command("migrate", verbosity=0)
for name in {names!r}:
    is_root = name == "root"
    User.objects.create_user(name, name + "@example.com", {password!r}, is_staff=is_root, is_superuser=is_root)
"""


def free_port() -> int:
    """One that stays free until its server takes it: systems give nobody one of these who asks for any."""
    while True:
        port = 20_000 + secrets.randbelow(12_000)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def until(condition: Callable[[], bool], what: str, deadline: float = 90.0) -> None:
    """Wait for a condition; raises TimeoutError that says what did not happen."""
    end = time.monotonic() + deadline
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(f"{what} did not happen within {deadline:g} s")
        time.sleep(0.02)


def leaks() -> list[str]:
    """Which secrets the servers of this process have logged since they were last asked about. Those that ended and told
    nothing are forgotten."""
    found = [leak for server in _launched for leak in server.leaks()]
    _launched[:] = [one for one in _launched if one.process and one.process.poll() is None]
    return found


@dataclass
class Server:
    """`manage.py serve` in a process group of its own. Values of `settings` are environment variables."""

    data: Path
    settings: Mapping[str, str] = field(default_factory=dict)
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        inherited = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        own = {"CHATSITE_DATA": str(self.data), "PORT": str(self.port), "CHATSITE_LOCAL_MODEL": "false"}
        return inherited | own | dict(self.settings)

    @property
    def command(self) -> list[str]:
        return [sys.executable, "manage.py", "serve"]

    @property
    def handed_over(self) -> tuple[int, ...]:
        """Descriptors that the process inherits."""
        return ()

    def manage(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "manage.py", *arguments]
        return subprocess.run(command, cwd=ROOT, env=self.environment, check=check, capture_output=True, text=True)

    def add_people(self, *names: str) -> None:
        """Accounts with PASSWORD; the one called root is an administrator. For SQLite they are made once and copied."""
        if "DATABASE_URL" in self.settings or (self.data / "chatsite.sqlite3").exists():
            self._make_people(names)
            return
        if names not in _made:
            _made[names] = Path(tempfile.mkdtemp(prefix="chatsite-people-"))
            atexit.register(shutil.rmtree, _made[names], ignore_errors=True)
            Server(_made[names])._make_people(names)
        for file in _made[names].iterdir():
            shutil.copyfile(file, self.data / file.name)

    def _make_people(self, names: tuple[str, ...]) -> None:
        self.manage("shell", "-v0", "-c", ADD_PEOPLE.format(names=names, password=PASSWORD))

    def start(self) -> Self:
        self.launch()
        until(self.answers, "the server's first answer", START_DEADLINE)
        return self

    def launch(self) -> None:
        """Start it without waiting for it."""
        log = (self.data / "server.log").open("ab")
        self.process = subprocess.Popen(
            self.command,
            cwd=ROOT,
            env=self.environment,
            stdout=log,
            stderr=log,
            start_new_session=True,
            pass_fds=self.handed_over,
        )
        log.close()
        _launched.append(self)

    def answers(self) -> bool:
        assert self.process is not None
        if self.process.poll() is not None:
            raise RuntimeError(f"the server ended with {self.process.returncode}:\n{self.log}")
        try:
            return requests.get(f"{self.url}/healthz", timeout=2).ok
        except (requests.ConnectionError, requests.Timeout):
            return False

    @property
    def log(self) -> str:
        return (self.data / "server.log").read_text(errors="replace")

    def leaks(self) -> list[str]:
        """Names of secrets that stand in the log."""
        if not (self.data / "server.log").exists():
            return []
        known = {name: value for name, value in self.settings.items() if SECRET.search(name)}
        kept, said = self.data / "secret-key", self.log
        known |= {"password": PASSWORD} | ({"secret-key": kept.read_text()} if kept.exists() else {})
        parts = [(name, one) for name, value in known.items() for one in value.split(",") if len(one) >= 8]
        return [name for name, one in parts if one in said]

    def kill(self) -> None:
        """What a power supply or the kernel's memory killer does."""
        assert self.process is not None
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(60)

    def terminate(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Ask the server to end; returns its exit status."""
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.wait(90)

    def stop(self) -> None:
        if self.process and self.process.poll() is None:
            self.terminate()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_exc: object) -> None:
        if self.process and self.process.poll() is None:
            self.kill()
