"""What the measurement knows of one peer."""

import http.client
import os
import time
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, TypeAlias

from tests.bench import processes
from tests.bench.figures import Seen
from tests.bench.load import Exchange
from tests.bench.peers.installed import Installed, Unavailable
from tests.serving import free_port

APPS = Path(__file__).parent / "apps"
START_DEADLINE = 120.0  # seconds
Send: TypeAlias = Callable[[], Awaitable[Exchange]]


@dataclass
class Peer(ABC):
    """`folder` is where its server runs and keeps what it writes."""

    folder: Path
    upstream_url: str
    port: int = 0
    pid: int = 0
    name: ClassVar[str]
    packages: ClassVar[tuple[str, ...]]
    settings: ClassVar[dict[str, str]] = {}

    @property
    def installed(self) -> Installed:
        return Installed(self.name, self.packages)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @abstractmethod
    def command(self) -> list[str]:
        """What starts its server at the port."""

    @abstractmethod
    async def open(self, prompt: str, tag: str, tokens: int) -> Send:
        """Open what its page opens and type; the result presses Send and follows the reply to its end."""

    @staticmethod
    @abstractmethod
    def read(exchange: Exchange) -> Seen:
        """What arrived."""

    @property
    def environment(self) -> dict[str, str]:
        home = {"PATH": os.environ["PATH"], "HOME": str(self.folder)}
        provider = {"OPENAI_BASE_URL": f"{self.upstream_url}/v1", "OPENAI_API_KEY": "key-of-the-benchmark"}
        return home | provider | self.settings

    @contextmanager
    def running(self, log: Path) -> Iterator[float]:
        """Serve on a new port; gives the seconds from the start of the process to its first answer."""
        self.port = free_port()
        begun = time.monotonic()
        with processes.started(self.command(), self.environment, log, self.folder) as process:
            if not processes.comes_up(process, self._answers, START_DEADLINE):
                raise Unavailable(f"{self.name} cannot be measured: its server did not start, see {log}")
            self.pid = process.pid
            yield time.monotonic() - begun

    def _answers(self) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request("GET", "/")
            return connection.getresponse().status == 200
        except OSError:
            return False
        finally:
            connection.close()
