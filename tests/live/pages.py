"""What stands on a page of the site, by the names that people, assistive technology and tests share. No I/O."""

from dataclasses import dataclass
from functools import cached_property
from urllib.parse import urljoin

from tests.live import forms, hypertext
from tests.live.forms import Form
from tests.live.hypertext import Element


@dataclass(frozen=True, slots=True)
class Remark:
    """A sentence beside the answer with its stable code: an error or a notice."""

    code: str
    text: str


@dataclass(frozen=True, slots=True)
class Article:
    """One message. `text` is the answer alone; `images` are the addresses of the pictures as shown, in order."""

    uuid: str
    role: str
    status: str
    text: str
    images: tuple[str, ...]
    originals: tuple[str, ...]
    reasoning: str
    error: Remark | None
    notices: tuple[Remark, ...]
    footer: str
    sse_url: str
    element: Element

    @property
    def error_code(self) -> str:
        return self.error.code if self.error else ""

    @property
    def is_running(self) -> bool:
        return self.status in {"pending", "streaming"}


def beside_the_answer(element: Element) -> bool:
    """What may stand inside a body without being part of the answer."""
    return (
        element.tag in {"button", "footer"}
        or element.has("data-reasoning")
        or element.has("data-notice")
        or element.get("role") == "alert"
    )


def answer_text(root: Element) -> str:
    return hypertext.visible_text(root, leaving_out=beside_the_answer)


def letters(text: str) -> str:
    """The text without any white space: what must stay equal however blocks and lines are drawn."""
    return "".join(text.split())


def articles_in(root: Element, url: str = "") -> list[Article]:
    return [_article(element, url) for element in root.find_all("article", {"data-message": None})]


def _article(element: Element, url: str) -> Article:
    body = element.find("", {"data-body": None}) or Element("div", {})
    reasoning = element.find("", {"data-reasoning": None})
    error = element.find("", {"data-error": None})
    footer = element.find("footer")
    return Article(
        uuid=element.get("data-message"),
        role=element.get("data-role"),
        status=element.get("data-status"),
        text=answer_text(body),
        images=tuple(urljoin(url, image.get("src")) for image in body.find_all("img")),
        originals=tuple(urljoin(url, link.get("href")) for link in body.find_all("a") if link.find("img")),
        reasoning=reasoning.text if reasoning else "",
        error=Remark(error.get("data-error"), error.text) if error else None,
        notices=tuple(
            Remark(note.get("data-notice"), note.text) for note in element.find_all("", {"data-notice": None})
        ),
        footer=footer.text if footer else "",
        sse_url=_stream_address(element, url),
        element=element,
    )


def _stream_address(element: Element, url: str) -> str:
    connected = element if element.has("sse-connect") else element.find("", {"sse-connect": None})
    return urljoin(url, connected.get("sse-connect")) if connected else ""


@dataclass(frozen=True)
class Page:
    """A page, or the fragment that an htmx request got, as it came."""

    url: str
    status_code: int
    html: str

    @cached_property
    def root(self) -> Element:
        return hypertext.parse(self.html)

    @cached_property
    def articles(self) -> list[Article]:
        return articles_in(self.root, self.url)

    @property
    def replies(self) -> list[Article]:
        return [article for article in self.articles if article.role == "assistant"]

    @property
    def text(self) -> str:
        return self.root.text

    @property
    def title(self) -> str:
        title = self.root.find("title")
        return "".join(child for child in title.children if isinstance(child, str)).strip() if title else ""

    @property
    def alerts(self) -> list[str]:
        """Every sentence that is announced as an alert, in a message or anywhere else on the page."""
        return [element.text for element in self.root.find_all("", {"role": "alert"})]

    @property
    def conversations(self) -> list[str]:
        """The uuids of the conversations that the page links to, newest mention first as it stands, each once."""
        links = [link.get("href") for link in self.root.find_all("a", {"href": None})]
        return list(dict.fromkeys(uuid for link in links if (uuid := conversation_in(link))))

    def article(self, uuid: str) -> Article:
        """Raises LookupError where the page does not show this message."""
        for article in self.articles:
            if article.uuid == uuid:
                return article
        raise LookupError(f"no message {uuid} on {self.url} ({self.status_code})")

    def form_with(self, control: str) -> Form:
        """The first form that holds a control of this name. Raises LookupError."""
        for form in forms.forms(self.root, self.url):
            if form.has_control(control):
                return form
        raise LookupError(f"no form with {control!r} on {self.url} ({self.status_code})")

    def button(self, name: str, within: Element | None = None) -> tuple[Form, Element]:
        """The first button of this accessible name that sends a form, and the form. Raises LookupError."""
        inside = {id(element) for element in (within or self.root).walk()}
        for form in forms.forms(self.root, self.url):
            for control in form.controls():
                if id(control) in inside and _sends(control) and accessible_name(control) == name:
                    return form, control
        raise LookupError(f"no button {name!r} on {self.url} ({self.status_code})")


def conversation_in(url: str) -> str:
    """The uuid in an address such as https://host/c/<uuid>/, or ""."""
    _, found, rest = url.partition("/c/")
    return rest.split("/")[0].split("?")[0].split("#")[0] if found else ""


def accessible_name(control: Element) -> str:
    return control.get("aria-label") or (control.get("value") if control.tag == "input" else control.text)


def _sends(control: Element) -> bool:
    kind = control.get("type", "submit" if control.tag == "button" else "text")
    return control.tag in {"button", "input"} and kind == "submit" and not control.has("disabled")
