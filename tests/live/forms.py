"""Forms of a page, and what a browser would send for them. No I/O."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias
from urllib.parse import urlencode, urljoin

from urllib3.fields import RequestField
from urllib3.filepost import encode_multipart_formdata

from tests.live.hypertext import Element

Upload: TypeAlias = tuple[str, bytes, str]
"""File name, content, media type."""


@dataclass(frozen=True, slots=True)
class Submission:
    """A form as it goes over the wire; `url` is absolute."""

    method: str
    url: str
    body: bytes
    content_type: str


@dataclass(frozen=True, slots=True)
class Form:
    """A form of a page: `root` is the document (controls may stand outside and name the form), `url` the page's."""

    element: Element
    root: Element
    url: str

    @property
    def by_htmx(self) -> bool:
        return self.element.has("hx-post")

    @property
    def action(self) -> str:
        """The absolute address; without an own action a form goes to its page."""
        return urljoin(self.url, self.element.get("hx-post") or self.element.get("action") or self.url)

    @property
    def plain_action(self) -> str:
        return urljoin(self.url, self.element.get("action") or self.url)

    def controls(self) -> list[Element]:
        inside = {id(element) for element in self.element.walk()}
        name = self.element.get("id")
        return [
            element
            for element in self.root.walk()
            if (element.get("form") == name if element.has("form") else id(element) in inside)
        ]

    def has_control(self, name: str) -> bool:
        return any(control.get("name") == name for control in self.controls())

    def fields(self) -> list[tuple[str, str]]:
        """The successful controls with their present values; files and buttons are not among them."""
        return [
            (control.get("name"), value)
            for control in self.controls()
            if control.get("name") and not control.has("disabled")
            for value in _values(control)
        ]

    def submission(
        self,
        values: Mapping[str, str] | None = None,
        files: Mapping[str, list[Upload]] | None = None,
        *,
        button: Element | None = None,
        htmx: bool = False,
        ticked: Sequence[tuple[str, str]] = (),
    ) -> Submission:
        """The form with these values typed in, files chosen and boxes (name, value) ticked, sent by `button`."""
        fields = replaced(self.fields(), values or {}) + [self._box(name, value) for name, value in ticked]
        if button is not None and button.get("name"):
            fields.append((button.get("name"), button.get("value")))
        target = self.action if htmx else self.plain_action
        if button is not None and button.has("formaction"):
            target = urljoin(self.url, button.get("formaction"))
        body, content_type = self._encoded(fields, files or {})
        return Submission(self.element.get("method", "post").upper(), target, body, content_type)

    def _box(self, name: str, value: str) -> tuple[str, str]:
        """Raises LookupError where there is no such box to tick."""
        if not any(
            (one.get("type"), one.get("name"), one.get("value", "on")) == ("checkbox", name, value)
            for one in self.controls()
        ):
            raise LookupError(f"the form has no box {name}={value}")
        return name, value

    def _encoded(self, fields: list[tuple[str, str]], files: Mapping[str, list[Upload]]) -> tuple[bytes, str]:
        if self.element.get("enctype") != "multipart/form-data":
            return urlencode(fields).encode(), "application/x-www-form-urlencoded"
        parts = [_part(name, value.replace("\r\n", "\n").replace("\n", "\r\n")) for name, value in fields]
        to_choose = dict(files)
        for control in self.controls():
            if control.tag == "input" and control.get("type") == "file":
                # The first input of a name is used; a browser sends an empty part for one in which nothing was chosen.
                chosen = to_choose.pop(control.get("name"), None) or [("", b"", "application/octet-stream")]
                parts += [_part(control.get("name"), content, name, kind) for name, content, kind in chosen]
        return encode_multipart_formdata(parts)


def replaced(fields: list[tuple[str, str]], values: Mapping[str, str]) -> list[tuple[str, str]]:
    """The fields with new values; a name that the form lacks is an error, because nobody could have typed it."""
    missing = set(values) - {name for name, _ in fields}
    if missing:
        raise LookupError(f"the form has no field named {', '.join(sorted(missing))}")
    return [(name, values.get(name, value)) for name, value in fields]


def _values(control: Element) -> list[str]:
    match control.tag:
        case "textarea":
            return ["".join(child for child in control.children if isinstance(child, str)).removeprefix("\n")]
        case "select":
            return _chosen(control)
        case "input":
            return _input_values(control)
    return []


def _input_values(control: Element) -> list[str]:
    kind = control.get("type", "text")
    if kind in {"submit", "button", "image", "reset", "file"}:
        return []
    if kind in {"checkbox", "radio"}:
        return [control.get("value", "on")] if control.has("checked") else []
    return [control.get("value")]


def _chosen(select: Element) -> list[str]:
    options = select.find_all("option")
    chosen = [option for option in options if option.has("selected")]
    if not select.has("multiple"):
        chosen = chosen[-1:] or [option for option in options if not option.has("disabled")][:1]
    return [option.get("value", option.text) for option in chosen]


def _part(name: str, content: str | bytes, filename: str | None = None, kind: str | None = None) -> RequestField:
    part = RequestField(name, content, filename=filename)
    part.make_multipart(content_type=kind)
    return part


def forms(root: Element, url: str) -> list[Form]:
    return [Form(element, root, url) for element in root.find_all("form")]
