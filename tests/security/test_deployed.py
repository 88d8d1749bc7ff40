"""A server as it stands behind a proxy with TLS: its headers, its cookies, and forms of others."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.live.conftest import template_data
from tests.security import observatory
from tests.serving import PASSWORD, Server

__all__ = ["template_data"]

HOST = "chat.example.org"
PAGES = ["/accounts/login/", "/accounts/signup/", "/nothing/here/", "/setup/x/", "/admin/", "/healthz", "/favicon.ico"]
TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="(\w+)"')


class Visitor:
    """What the proxy passes on of somebody's browser."""

    def __init__(self, server: Server) -> None:
        self._server, self._session = server, requests.Session()
        self.cookies: dict[str, str] = {}
        self.lines: list[str] = []

    def ask(self, method: str, path: str, *, scheme: str = "https", host: str = HOST, **more: Any) -> requests.Response:
        headers = {"Host": host, "X-Forwarded-Proto": scheme, **more.pop("headers", {})}
        headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        response = self._session.request(
            method, self._server.url + path, headers=headers, allow_redirects=False, timeout=60, **more
        )
        for line in response.raw.headers.getlist("set-cookie"):
            self.lines.append(line)
            name, _, value = line.partition(";")[0].partition("=")
            self.cookies[name] = value.strip('"')
        self._session.cookies.clear()
        return response

    def send(self, path: str, fields: dict[str, str], *, page: str = "", **headers: str) -> requests.Response:
        token = TOKEN.search(self.ask("GET", page or path).text)
        given = {"Origin": f"https://{HOST}", "Referer": f"https://{HOST}{path}"} | headers
        given = {name: value for name, value in given.items() if value}
        return self.ask("POST", path, data=fields | {"csrfmiddlewaretoken": token[1] if token else ""}, headers=given)

    def log_in(self, **headers: str) -> requests.Response:
        return self.send("/accounts/login/", {"login": "alice", "password": PASSWORD}, **headers)


@pytest.fixture(scope="module")
def deployed(template_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    data = tmp_path_factory.mktemp("deployed")
    shutil.copytree(template_data, data, dirs_exist_ok=True)
    hosts = {"ALLOWED_HOSTS": f"{HOST},127.0.0.1", "CHATSITE_BEHIND_PROXY": "true", "CHATSITE_SIGNUP": "open"}
    with Server(data, hosts) as running:
        yield running


@pytest.fixture
def visitor(deployed: Server) -> Visitor:
    return Visitor(deployed)


def test_headers_are_worth_more_than_an_a_plus(visitor: Visitor) -> None:
    redirect = visitor.ask("GET", "/", scheme="http").headers["Location"]
    page = visitor.ask("GET", "/accounts/login/")
    assert page.status_code == 200
    assert visitor.lines
    headers = {name.lower(): value for name, value in page.headers.items()}
    assert observatory.score(headers, visitor.lines, redirect) >= 115


def test_the_rules_of_the_score_tell_good_from_bad() -> None:
    assert observatory.score({}, ["sessionid=1"], "http://x") == 0
    good = {
        "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
        "x-content-type-options": "nosniff",
    }
    assert observatory.score(good | {"strict-transport-security": "max-age=31536000"}, [], "https://x") == 115
    assert observatory.score(good | {"strict-transport-security": "max-age=1"}, [], "https://x") == 105
    assert observatory.policy("default-src 'none'; script-src 'unsafe-inline'") == -20
    assert observatory.all_cookies(["session=1; Secure; SameSite=Lax"]) == -30


@pytest.mark.parametrize("path", PAGES)
def test_every_answer_is_closed_to_other_origins(visitor: Visitor, path: str) -> None:
    visitor.log_in()
    for method in ("GET", "HEAD", "POST", "OPTIONS"):
        headers = visitor.ask(method, path, headers={"Origin": "https://evil.example"}).headers
        assert [name for name in headers if name.lower().startswith("access-control")] == []
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
        assert headers["Referrer-Policy"] == "same-origin"
        assert "'unsafe" not in headers["Content-Security-Policy"]
        assert "max-age=31536000" in headers["Strict-Transport-Security"] or path == "/healthz"


def test_cookies_are_bound_to_this_host_and_out_of_reach_of_scripts(visitor: Visitor) -> None:
    assert visitor.log_in().status_code == 302
    visitor.send("/language/", {"language": "de"}, page="/settings/")
    found = {line.partition("=")[0]: line.lower() for line in visitor.lines}
    assert set(found) >= {"__Host-session", "__Host-csrf", "__Host-device", "__Host-language"}
    for name, line in found.items():
        assert name.startswith("__Host-")
        assert {"secure", "httponly", "samesite=lax", "path=/"} <= {word.strip() for word in line.split(";")}
        assert "domain=" not in line


def test_the_session_is_another_one_after_the_login(visitor: Visitor) -> None:
    visitor.cookies["__Host-session"] = "chosen-by-somebody-else-00000000"
    visitor.log_in()
    first = visitor.cookies["__Host-session"]
    assert first != "chosen-by-somebody-else-00000000"
    visitor.log_in()
    assert visitor.send("/accounts/logout/", {}, page="/settings/").status_code == 302
    visitor.cookies["__Host-session"] = first
    assert visitor.ask("GET", "/").status_code == 302


@pytest.mark.parametrize(
    "origin", ["null", "https://evil.example", "http://chat.example.org", f"https://{HOST}:444", ""]
)
def test_forms_of_other_origins_are_refused_at_the_login_and_after_it(visitor: Visitor, origin: str) -> None:
    """Without an origin, the address of the page counts, which other sites cannot make either."""
    referer = "https://evil.example/" if not origin else f"https://{HOST}/"
    assert visitor.log_in(Origin=origin, Referer=referer).status_code == 403
    assert visitor.log_in().status_code == 302
    assert visitor.send("/accounts/logout/", {}, page="/settings/", Origin=origin, Referer=referer).status_code == 403
    assert visitor.ask("GET", "/").status_code == 200


@pytest.mark.parametrize("host", ["evil.example", "chat.example.org.evil.example", "chat.example.org@evil.example", ""])
def test_other_names_of_the_host_are_refused(visitor: Visitor, host: str) -> None:
    assert visitor.ask("GET", "/accounts/login/", host=host).status_code == 400
    told = visitor.ask("GET", "/", headers={"X-Forwarded-Host": host})
    assert "evil" not in told.headers["Location"]


def test_plain_http_leads_to_https_and_says_nothing_else(visitor: Visitor) -> None:
    response = visitor.ask("GET", "/c/?page=2", scheme="http")
    assert (response.status_code, response.headers["Location"]) == (301, f"https://{HOST}/c/?page=2")
    assert visitor.lines == []
