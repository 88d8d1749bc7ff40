"""Somebody who looks at every page they can reach, and a watch over what other processes get to know."""

import re
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self
from urllib.parse import urljoin, urlsplit

import requests

from tests.live.browserless import Person
from tests.live.forms import forms
from tests.live.pages import Page
from tests.security.canaries import Search
from tests.serving import Server

ID = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}|\d+")
ENDS = ("/accounts/logout/",)  # what a link must not lead to
OF_A_KIND = 1  # pages that differ only in whose they are, or in what is asked about them
REASON = "a complaint about this"


class Guest(Person):
    """A person of whose every answer the search hears, head and body, but for cookies, which are theirs."""

    def __init__(self, server: Server, search: Search) -> None:
        super().__init__(server.url, timeout=180)
        self._search = search
        self.session.hooks["response"].append(self._note)

    def _note(self, response: requests.Response, **_more: Any) -> None:
        path = urlsplit(response.url).path
        head = {name: value for name, value in response.headers.items() if name.lower() != "set-cookie"}
        self._search.hears(f"{response.request.method} {path}", str(head), response.content)

    def reads(self, reply: str) -> None:
        """Follows a reply to its end."""
        shown = self.follow(reply, reconnect=True)
        self._search.hears(f"events of {reply}", "\n".join(seen.event.data for seen in shown.events))

    def wander(self, *begin: str) -> set[str]:
        """The kinds of pages that were seen, by their addresses without ids."""
        seen: Counter[str] = Counter()
        ahead = [self.base_url + path for path in begin]
        known = set(ahead)
        while ahead:
            address = ahead.pop(0)
            kind = _kind(address)
            if seen[kind] < OF_A_KIND:
                seen[kind] += 1
                new = [one for one in self._links(address) if one not in known]
                ahead += new
                known |= set(new)
        return set(seen)

    def _links(self, address: str) -> list[str]:
        response = self.session.get(address, timeout=self.timeout)
        if "html" not in response.headers.get("Content-Type", ""):
            return []
        page = Page(response.url, response.status_code, response.text)
        if "reason" in page.html and any(form.has_control("reason") for form in forms(page.root, page.url)):
            page = self.submit(page.form_with("reason"), {"reason": REASON}).page
        links = (urljoin(page.url, link.get("href")) for link in page.root.find_all("a", {"href": None}))
        return [link.partition("#")[0] for link in links if self._is_ours(link)]

    def _is_ours(self, link: str) -> bool:
        return link.startswith(self.base_url + "/") and not urlsplit(link).path.startswith((*ENDS, "/static/"))


def _kind(address: str) -> str:
    parts = urlsplit(address)
    return ID.sub("*", parts.path) + ("?" if parts.query else "")


class Watch:
    """Notes what stands in the arguments and the environment of every process below another one while it lives."""

    def __init__(self, parent: int, hears: Callable[[str, bytes], None]) -> None:
        self._parent, self._hears = parent, hears
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._look)
        self.seen: set[int] = set()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_exc: object) -> None:
        self._is_over.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._is_over.wait(0.01):
            for child in children_of(self._parent) - self.seen:
                read = {name: content(child, name) for name in ("cmdline", "environ")}
                if read["environ"] and b"MALLOC" in read["environ"]:  # before that it is still a copy of its parent
                    self.seen.add(child)
                    for name, said in read.items():
                        self._hears(f"/proc/{child}/{name}", said)


def children_of(process: int) -> set[int]:
    tasks = Path(f"/proc/{process}/task").glob("*/children")
    return {int(child) for task in tasks for child in _read(task).split()}


def content(process: int, name: str) -> bytes:
    return _read(Path(f"/proc/{process}/{name}"))


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:  # it has ended
        return b""
