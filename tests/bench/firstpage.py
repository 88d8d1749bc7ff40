"""What a browser fetches for a first page: bytes on the wire, headers included, and the number of requests."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit

from tests.live import hypertext, rawhttp
from tests.live.hypertext import Element

BROWSER = {"Accept-Encoding": "gzip, deflate, br, zstd", "Accept-Language": "en"}
CSS_REFERENCE = re.compile(r"""@import\s+["']([^"']+)["']|url\(\s*["']?([^"')]+)["']?\s*\)""")
FONT_FACE = re.compile(r"@font-face\s*\{[^}]*\}")  # loaded when text of the page uses it
JS_IMPORT = re.compile(r"""^\s*(?:import|export)\b(?!\s*\()[^"';]*?["']([./][^"']*)["']""", re.MULTILINE)
LOADED_LINKS = frozenset(["stylesheet", "manifest", "preload", "modulepreload"])


@dataclass(frozen=True, slots=True)
class Fetched:
    url: str
    status: int
    wire_bytes: int


async def fetch(url: str, headers: Mapping[str, str]) -> tuple[Fetched, str]:
    """The size as a browser would cause it, and the content (asked for once more, not compressed)."""
    connection = await rawhttp.connect(url)
    compressed = await connection.ask(rawhttp.request("GET", url, {**headers, **BROWSER}))
    connection.close()
    connection = await rawhttp.connect(url)
    reply, body = (await connection.ask(rawhttp.request("GET", url, headers))).body()
    connection.close()
    size = sum(len(data) for _, data in compressed.pieces)
    return Fetched(url, reply.status, size), body.decode("utf-8", "replace")


async def first_page(url: str, headers: Mapping[str, str]) -> list[Fetched]:
    """The page and everything it loads by itself, each address once."""
    page, html = await fetch(url, headers)
    fetched, waiting = {url: page}, list(resources(hypertext.parse(html), url))
    while waiting:
        address = waiting.pop(0).partition("#")[0]
        if address in fetched or not address.startswith(("http://", "https://")):
            continue
        fetched[address], content = await fetch(address, headers)
        waiting += [urljoin(address, found) for found in referenced(urlsplit(address).path, content)]
    return list(fetched.values())


def resources(root: Element, url: str) -> Iterator[str]:
    """Absolute addresses that the page loads: styles, scripts, pictures, one icon, fragments asked for at once."""
    icons = [link.get("href") for link in root.find_all("link") if "icon" in link.get("rel").split()]
    yield urljoin(url, next((icon for icon in icons if ".svg" in icon), icons[0] if icons else "/favicon.ico"))
    for element in root.walk():
        if address := loaded_by(element):
            yield urljoin(url, address)


def loaded_by(element: Element) -> str:
    if element.tag == "link" and LOADED_LINKS & set(element.get("rel").split()):
        return element.get("href")
    if element.tag in {"script", "img", "iframe"}:
        return element.get("src")
    if element.tag == "use":
        return element.get("href")
    return element.get("hx-get") if "load" in element.get("hx-trigger") else ""


def referenced(path: str, content: str) -> list[str]:
    if path.endswith(".css"):
        content = FONT_FACE.sub("", content)
        return ["".join(found) for found in CSS_REFERENCE.findall(content) if not "".join(found).startswith("data:")]
    return JS_IMPORT.findall(content) if path.endswith(".js") else []
