"""The server under test on a data folder of its own, with people who are already logged in."""

import http.client
import json
import os
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.bench import processes
from tests.bench.processes import ROOT, Spent
from tests.serving import free_port

START_DEADLINE = 60.0  # seconds

# Sessions are made directly, so that no password is ever hashed while something is measured.
SESSIONS = """
import json
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.db import transaction
from conversations.models import User

def logged_in(number):
    user = User.objects.create_user(f"person{number}", f"person{number}@example.com")
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.save()
    return session.session_key

with transaction.atomic():
    print(json.dumps([settings.SESSION_COOKIE_NAME, [logged_in(number) for number in range(COUNT)]]))
"""


@dataclass
class Site:
    """`settings` are environment variables beside those that every measurement needs."""

    data: Path
    upstream_url: str
    command: str = ""
    settings: dict[str, str] | None = None
    port: int = 0
    pid: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        inherited = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        return inherited | {
            "CHATSITE_DATA": str(self.data / "data"),
            "CHATSITE_STATIC": str(self.data / "static"),
            "CHATSITE_LOCAL_MODEL": "false",
            "AIMLAPI_API_KEY": "key-of-the-benchmark",
            "AIMLAPI_BASE_URL": f"{self.upstream_url}/v1",
            "HOST": "127.0.0.1",
            "PORT": str(self.port),
            **(self.settings or {}),
        }

    def manage(self, *arguments: str) -> str:
        """The output of a management command; raises CalledProcessError."""
        command = [sys.executable, "manage.py", *arguments]
        return subprocess.run(
            command, cwd=ROOT, env=self.environment, check=True, stdout=subprocess.PIPE, text=True
        ).stdout

    def prepare(self, people: int) -> list[dict[str, str]]:
        """Migrate, collect the static files, and log that many people in: the cookie header of each."""
        self.manage("migrate", "-v0")
        self.manage("collectstatic", "--noinput", "-v0")
        name, keys = json.loads(
            self.manage("shell", "-v0", "-c", SESSIONS.replace("COUNT", str(people))).splitlines()[-1]
        )
        return [{"Cookie": f"{name}={key}"} for key in keys]

    @contextmanager
    def running(self, log: Path) -> Iterator[float]:
        """Serve on a new port; gives the seconds from the start of the process to its first answer."""
        self.port = free_port()
        command = shlex.split(self.command) or [sys.executable, "manage.py", "serve"]
        begun = time.monotonic()
        with processes.started(command, self.environment, log) as process:
            if not processes.comes_up(process, self.answers, START_DEADLINE):
                raise RuntimeError(f"the server did not start (status {process.poll()}), see {log}")
            self.pid = process.pid
            yield time.monotonic() - begun

    def answers(self) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request("GET", "/healthz")
            return connection.getresponse().status == 200
        except OSError:
            return False
        finally:
            connection.close()

    def spent(self) -> Spent:
        return processes.spent(self.pid)
