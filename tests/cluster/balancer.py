"""nginx in front of several web processes, as docs/deploy/nginx.conf has it but for names, ports and TLS."""

import os
import re
import shutil
from pathlib import Path

import requests

from tests.cluster.processes import Process
from tests.serving import ROOT, free_port, until

CONFIGURATION = ROOT / "docs" / "deploy" / "nginx.conf"


class Balancer:
    def __init__(self, folder: Path, backends: list[int]) -> None:
        self.port = free_port()
        (folder / "nginx.conf").write_text(_configured(folder, backends, self.port))
        program = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
        assert program, "these tests need nginx; see tests/system-packages.sh"
        command = [program, "-c", str(folder / "nginx.conf"), "-e", "stderr", "-g", "daemon off;"]
        self.process = Process("nginx", command, folder, {"PATH": os.defpath})

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        self.process.start()
        until(self._answers, "nginx' first answer")

    def kill(self) -> None:
        self.process.kill()

    def _answers(self) -> bool:
        try:
            return requests.get(f"{self.url}/healthz", timeout=5).ok
        except requests.ConnectionError:
            return False


def _configured(folder: Path, backends: list[int], port: int) -> str:
    text = CONFIGURATION.read_text()
    server = re.search(r"server web:8000(.*);.*", text)
    assert server
    listed = "\n".join(f"server 127.0.0.1:{backend}{server[1]};" for backend in backends)
    changes = {
        "pid /run/nginx.pid;": f"pid {folder}/nginx.pid;",
        "worker_rlimit_nofile 65536;": "",
        "listen 80;": f"listen 127.0.0.1:{free_port()};",
        "listen 443 ssl http2;": f"listen 127.0.0.1:{port};",
        "server_name chat.example.com;": "server_name localhost;",
        "proxy_set_header Host $host;": "proxy_set_header Host $http_host;",  # the port is not the usual one
        server[0]: listed,
    }
    for given, here in changes.items():
        assert text.count(given) == 1, given
        text = text.replace(given, here)
    text = re.sub(r"(?m)^ *ssl_.*\n", "", text)
    places = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    return text.replace("http {", "http {\n" + "".join(f"{one}_temp_path {folder}/{one};\n" for one in places))
