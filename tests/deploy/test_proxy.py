"""nginx as docs/deploy/nginx.conf has it, in front of a real server: TLS, HTTP/2, streams that are not held back."""

import os
import shutil
import signal
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import requests

from tests.live.browserless import Person
from tests.live.conftest import settings_for, simulator, standing, template_data
from tests.services.photographs import photograph
from tests.serving import PASSWORD, ROOT, Server, free_port, until
from tests.simulator import Simulator

__all__ = ["simulator", "standing", "template_data"]

FLASH = "aimlapi/google/gemini-2.5-flash"
CONFIGURATION = ROOT / "docs" / "deploy" / "nginx.conf"
CERTIFICATE = ROOT / "tests" / "wire" / "localhost.pem"


def program(name: str) -> str:
    found = shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin")
    assert found, f"these tests need {name}; see tests/system-packages.sh"
    return found


DEAF = "http {\nproxy_ignore_headers X-Accel-Buffering;"
"""Lets nginx not hear that the application asks it not to hold streams back: its own configuration has to do it."""


def configured(folder: Path, backend: int, ports: tuple[int, int]) -> Path:
    """The configuration for this machine: only addresses and places differ."""
    text = CONFIGURATION.read_text()
    changes = {
        "pid /run/nginx.pid;": f"pid {folder}/nginx.pid;",
        "http {": DEAF,
        "server web:8000 max_fails=0;": f"server 127.0.0.1:{backend};",
        "listen 80;": f"listen 127.0.0.1:{ports[0]};",
        "listen 443 ssl http2;": f"listen 127.0.0.1:{ports[1]} ssl http2;",
        "server_name chat.example.com;": "server_name localhost;",
        "/etc/nginx/certificates/chat.example.com.pem": str(CERTIFICATE),
        "/etc/nginx/certificates/chat.example.com.key": str(CERTIFICATE),
        "proxy_set_header Host $host;": f"proxy_set_header Host $host:{ports[1]};",  # the port is not the usual one
    }
    for given, here in changes.items():
        assert text.count(given) == 1, given
        text = text.replace(given, here)
    if os.getuid():  # nobody but root may write where nginx keeps large bodies by itself
        places = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        text = text.replace("http {", "http {\n" + "".join(f"{one}_temp_path {folder}/{one};\n" for one in places))
    (folder / "nginx.conf").write_text(text)
    return folder / "nginx.conf"


@dataclass
class Proxy:
    server: Server
    port: int
    log: Path

    @property
    def url(self) -> str:
        return f"https://localhost:{self.port}"

    def person(self, name: str) -> Person:
        somebody = Person(self.url)
        somebody.session.verify = str(CERTIFICATE)
        somebody.log_in(name, PASSWORD)
        return somebody


@pytest.fixture
def proxy(tmp_path: Path, template_data: Path, simulator: Simulator) -> Iterator[Proxy]:
    for name in ("chatsite.sqlite3", "secret-key"):
        (tmp_path / name).write_bytes((template_data / name).read_bytes())
    more = {"CHATSITE_BEHIND_PROXY": "true", "CHATSITE_HTTPS": "true", "CHATSITE_LOG": "json"}
    ports = (free_port(), free_port())
    with Server(tmp_path, settings_for(simulator) | more) as server:
        configuration = configured(tmp_path, server.port, ports)
        log = tmp_path / "nginx.log"
        with log.open("wb") as output:
            nginx = subprocess.Popen(
                [program("nginx"), "-c", configuration, "-e", "stderr", "-g", "daemon off;"],
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        try:
            running = Proxy(server, ports[1], log)
            until(lambda: _answers(running), "nginx' first answer")
            yield running
        finally:
            os.killpg(nginx.pid, signal.SIGTERM)
            nginx.wait(10)


def _answers(proxy: Proxy) -> bool:
    try:
        return requests.get(f"{proxy.url}/healthz", verify=str(CERTIFICATE), timeout=5).ok
    except requests.ConnectionError:
        return False


@dataclass
class Curl:
    """A client that speaks HTTP/2; `text` is what has come so far."""

    address: str
    session: requests.Session
    text: str = ""
    process: subprocess.Popen[bytes] = field(init=False)

    def __enter__(self) -> "Curl":
        cookies = "; ".join(f"{cookie.name}={cookie.value}" for cookie in self.session.cookies)
        command = [program("curl"), "--http2", "--silent", "--no-buffer", "--include", "--cacert", str(CERTIFICATE)]
        self.process = subprocess.Popen(
            [*command, "--header", f"Cookie: {cookies}", self.address], stdout=subprocess.PIPE
        )
        threading.Thread(target=self._read, daemon=True).start()
        return self

    def _read(self) -> None:
        assert self.process.stdout
        while data := os.read(self.process.stdout.fileno(), 65536):
            self.text += data.decode()

    def __exit__(self, *_exc: object) -> None:
        self.process.terminate()
        self.process.wait(10)
        assert self.process.stdout
        self.process.stdout.close()


def test_nginx_takes_the_configuration(tmp_path: Path) -> None:
    configuration = configured(tmp_path, free_port(), (free_port(), free_port()))
    result = subprocess.run(
        [program("nginx"), "-t", "-q", "-c", configuration, "-e", "stderr"], check=False, capture_output=True, text=True
    )
    assert (result.returncode, result.stderr) == (0, "")


def test_a_reply_arrives_word_by_word_over_http2(proxy: Proxy, simulator: Simulator) -> None:
    alice = proxy.person("alice")
    sent = alice.send("[[tokens:60]] [[hold:30]]", model=FLASH)
    with Curl(f"{proxy.url}/replies/{sent.reply_uuid}/events/", alice.session) as stream:
        until(lambda: "w30" in stream.text, "the first half of the reply, while the second is held back")
        assert stream.text.startswith("HTTP/2 200")
        assert "event: final" not in stream.text
        simulator.release()
        until(lambda: "event: end" in stream.text, "the end of the stream")
        assert "w60" in stream.text


def test_pictures_and_the_id_of_a_request_pass_through(proxy: Proxy) -> None:
    alice = proxy.person("alice")
    picture = ("large.jpg", photograph(1800, 1200), "image/jpeg")
    sent = alice.send("Describe [[fault:401]]", model=FLASH, images=[picture])
    identifier = sent.response.headers["X-Request-ID"]
    until(lambda: f"request={identifier}" in proxy.log.read_text(), "a line of nginx")
    until(lambda: f'"request": "{identifier}"' in proxy.server.log, "a line of the reply with the same id")


def test_what_is_not_for_everybody_stays_inside(proxy: Proxy) -> None:
    answer = requests.get(f"{proxy.url}/metrics", verify=str(CERTIFICATE), timeout=60)
    assert (answer.status_code, "nginx" in answer.text) == (404, True)
