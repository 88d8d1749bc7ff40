"""An OpenID provider: a process of its own on loopback, made by others, in which anybody can be anybody."""

import subprocess
import sys
from dataclasses import dataclass, field
from typing import Self

import requests

from tests.serving import free_port, until


@dataclass
class Provider:
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def issuer(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def settings(self) -> dict[str, str]:
        return {
            "CHATSITE_OIDC_ISSUER": self.issuer,
            "CHATSITE_OIDC_CLIENT_ID": "chatsite",
            "CHATSITE_OIDC_CLIENT_SECRET": "a secret for tests",
            "CHATSITE_OIDC_NAME": "Example Login",
        }

    def knows(self, sub: str, **claims: object) -> None:
        requests.put(f"{self.issuer}/users/{sub}", json=claims, timeout=10).raise_for_status()

    def _answers(self) -> bool:
        try:
            return requests.get(f"{self.issuer}/.well-known/openid-configuration", timeout=2).ok
        except (requests.ConnectionError, requests.Timeout):
            return False

    def __enter__(self) -> Self:
        command = [sys.executable, "-W", "ignore", "-m", "oidc_provider_mock", "--port", str(self.port)]
        environment = {"AUTHLIB_INSECURE_TRANSPORT": "1", "PYTHONDONTWRITEBYTECODE": "1"}
        self.process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until(self._answers, "the provider's first answer", 90)
        return self

    def __exit__(self, *_exc: object) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait(10)
