"""Refusals, and the bodies in which each vendor words them. No I/O.

Segmind documents no error body: its gateway is imitated with `{"error": "..."}`, and what the model behind it refuses
comes through in Google's form. AI/ML API answers `{"message", "path", "requestId", "statusCode", "timestamp"}`; the
local server answers like OpenAI.
"""

import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from http.client import responses
from typing import Literal

from .reply import Json, Reply, encode

Vendor = Literal["segmind", "aimlapi", "local", "google"]

GOOGLE_STATUS = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}


class Refused(Exception):
    """The request is not answered. `style`: the form of the body where it is not the vendor's own."""

    def __init__(self, status: int, message: str, style: str = "") -> None:
        super().__init__(message)
        self.status, self.message, self.style = status, message, style


def html_page(status: int) -> bytes:
    title = f"{status} {responses.get(status, 'Unknown')}"
    page = f"<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n<center><h1>{title}</h1></center>\r\n"
    return (page + "<hr><center>nginx/1.24.0</center>\r\n</body>\r\n</html>\r\n").encode()


def google(status: int, message: str, details: Json = None) -> Json:
    error = {"code": status, "message": message, "status": GOOGLE_STATUS.get(status, "UNKNOWN")}
    return {"error": error | ({"details": details} if details else {})}


def openai(status: int, message: str) -> Json:
    kind = "invalid_request_error" if status < 500 else "server_error"
    return {"error": {"message": message, "type": kind, "param": None, "code": status}}


def aimlapi(status: int, message: str, path: str) -> Json:
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return {"message": message, "path": path, "requestId": str(uuid.uuid4()), "statusCode": status, "timestamp": now}


# The forms that `[[error:...]]` names, each from status, message and path.
STYLES: dict[str, Callable[[int, str, str], Json]] = {
    "string": lambda status, message, path: {"error": message},
    "message": lambda status, message, path: {"message": message},
    "object": lambda status, message, path: openai(status, message),
    "google": lambda status, message, path: google(status, message),
    "google-list": lambda status, message, path: [google(status, message)],
    "aimlapi": aimlapi,
    "aimlapi-string": lambda status, message, path: aimlapi(status, message, path) | {"statusCode": str(status)},
    "detail": lambda status, message, path: {"detail": message},
    "detail-list": lambda status, message, path: {"detail": [{"loc": ["body"], "msg": message, "type": "value_error"}]},
    "title": lambda status, message, path: {"title": message, "status": status},
}
OWN_STYLE: dict[Vendor, str] = {"segmind": "string", "aimlapi": "aimlapi", "local": "object", "google": "google"}
PLAIN_STYLES = ("text", "html", "empty")


def reply(vendor: Vendor, status: int, message: str, path: str, style: str = "") -> Reply:
    """The refusal as `vendor` words it, or in the named style."""
    style = style or OWN_STYLE[vendor]
    if style == "html":
        return Reply(status, (html_page(status),), "text/html")
    if style == "text":
        return Reply(status, (message.encode(),), "text/plain; charset=utf-8")
    if style == "empty":
        return Reply(status, (), "")
    return Reply(status, (encode(STYLES[style](status, message, path)),))
