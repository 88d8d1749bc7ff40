"""Which ProviderError an HTTP status and an error body amount to. Pure.

The tables are the union of what Segmind, AI/ML API, Google and OpenAI document and what their clients have met:
Segmind answers 406 where the credits are used up, AI/ML API 403; Google calls a bad key a 400.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus

from conversations.providers.errors import (
    AuthenticationFailed,
    Blocked,
    NotFound,
    OutOfCredit,
    ProviderError,
    RateLimited,
    Rejected,
    SystemRefused,
    TimedOut,
    TooLarge,
    Unavailable,
    UnexpectedReply,
)
from conversations.providers.replies import waits
from conversations.providers.replies.censor import Censor
from conversations.providers.replies.loose_json import Unreadable, items, loads, pick, record, string
from conversations.providers.turns import Json

_ANSWERS = ("choices", "candidates")
_STATUS_MEMBERS = ("code", "statusCode", "status_code", "status")

_BY_STATUS: dict[int, type[ProviderError]] = {
    401: AuthenticationFailed,
    404: NotFound,
    408: TimedOut,
    413: TooLarge,
    429: RateLimited,
    504: TimedOut,
    522: TimedOut,  # Cloudflare's words for a server behind it that does not answer
    524: TimedOut,
}

# Words of the protocol itself: `code`, `status`, `type` or `reason` of an error, in small letters.
_BY_NAME: dict[str, type[ProviderError]] = {
    "api_key_invalid": AuthenticationFailed,
    "invalid_api_key": AuthenticationFailed,
    "authentication_error": AuthenticationFailed,
    "unauthenticated": AuthenticationFailed,
    "insufficient_quota": OutOfCredit,
    "insufficient_credits": OutOfCredit,
    "billing_not_active": OutOfCredit,
    "billing_hard_limit_reached": OutOfCredit,
    "content_filter": Blocked,
    "content_policy_violation": Blocked,
    "context_length_exceeded": TooLarge,
    "exceed_context_size_error": TooLarge,
}
# The same, but only where no HTTP status says it: an error inside a reply of status 200.
_STATUS_BY_NAME = {
    "invalid_argument": 400,
    "failed_precondition": 400,
    "invalid_request_error": 400,
    "permission_denied": 403,
    "permission_error": 403,
    "not_found": 404,
    "not_found_error": 404,
    "model_not_found": 404,
    "request_too_large": 413,
    "resource_exhausted": 429,
    "rate_limit_error": 429,
    "rate_limit_exceeded": 429,
    "internal": 500,
    "server_error": 500,
    "unavailable": 503,
    "unavailable_error": 503,
    "overloaded_error": 503,
    "deadline_exceeded": 504,
}

_NO_CREDIT = re.compile(r"credit|balance|top.?up|billing|insufficient funds|payment")
_NO_CREDIT_FOR_SURE = re.compile(r"(?:insufficient|not enough|out of|no) (?:credit|balance|funds)|credit balance")
_NO_CREDIT_OR_PLAN = re.compile(rf"{_NO_CREDIT.pattern}|limit")
_ABOUT_FORMAT = re.compile(r"\b(?:messages|contents?|prompt)\b")
_SYSTEM_REFUSED = "instruction is not enabled"
_TEMPLATE_REFUSED = re.compile(r"must alternate|only.{0,40}system message|system role not supported")
_TOO_LONG = re.compile(r"context (?:length|size|window)|maximum (?:number of tokens|context)|prompt is too long")
_TOO_MANY = re.compile(r"rate.?limit|too many requests")


@dataclass(frozen=True, slots=True)
class _Complaint:
    """An error as its sender put it. `status`: of HTTP, or a number in its place inside the body; None for neither."""

    text: str
    names: tuple[str, ...]
    status: int | None
    details: Json

    @property
    def words(self) -> str:
        return self.text.lower()


def of_status(status: int, headers: Mapping[str, str], body: bytes, censor: Censor, now: datetime) -> ProviderError:
    """The error behind a reply whose status is not 2xx. Header names in lower case."""
    complaint = _from_body(status, body)
    shown = censor(complaint.text) or _phrase(status)
    error = _kind(complaint)(shown, status=status)
    error.retry_after = _wait(error, complaint, headers, now)
    return error


def in_reply(value: Json, headers: Mapping[str, str], censor: Censor, now: datetime) -> ProviderError | None:
    """The error that a JSON value is although the status was 2xx; None where it is a reply.

    `error: null`, which many servers send beside an answer, is none.
    """
    if not _is_error(value):
        return None
    return as_error(value, headers, censor, now)


def as_error(value: Json, headers: Mapping[str, str], censor: Censor, now: datetime) -> ProviderError:
    """A value that can only be an error, such as the data of an event of that name."""
    complaint = _from_value(value, None)
    kind = _kind(complaint)
    error = kind(censor(complaint.text) or "the provider reported an error")
    error.retry_after = _wait(error, complaint, headers, now)
    return error


def _is_error(value: Json) -> bool:
    members = record(value)
    if members.get("error"):
        return True
    if not string(members.get("message")) or any(name in members for name in _ANSWERS):
        return False
    status = _number(pick(value, "statusCode", "status_code"))
    return status is not None and status >= 400


def _wait(error: ProviderError, complaint: _Complaint, headers: Mapping[str, str], now: datetime) -> float | None:
    if not isinstance(error, RateLimited | Unavailable):
        return None
    return waits.wait(headers, complaint.details, complaint.text, now)


# Reading an error body


def _from_body(status: int, body: bytes) -> _Complaint:
    text = body.decode(errors="replace").lstrip("\ufeff \t\r\n")
    if text.startswith("data:"):  # some gateways answer a whole call with one event
        text = text.removeprefix("data:").lstrip()
    if text.startswith("<"):  # a page of some proxy, never to be shown
        return _Complaint("", (), status, None)
    try:
        value = loads(text)
    except Unreadable:
        return _Complaint(text, (), status, None)
    return _from_value(value, status)


def _from_value(value: Json, status: int | None) -> _Complaint:
    if isinstance(value, list):  # Google wraps the error of a stream into a list
        value = value[0] if value else None
    error = pick(value, "error")
    inner = error if isinstance(error, dict) else value
    names = tuple(_names(inner))
    if status is None:
        numbers = (_number(pick(source, name)) for source in (inner, value) for name in _STATUS_MEMBERS)
        by_name = (_STATUS_BY_NAME.get(name) for name in names)
        status = next((number for number in (*numbers, *by_name) if number is not None), None)
    return _Complaint(_text(value), names, status, inner)


def _text(value: Json) -> str:
    """The first place where somebody has put a sentence."""
    error = pick(value, "error")
    places = (pick(error, "message"), error, pick(value, "message"), _detail(value), pick(value, "title"), value)
    return next((place.strip() for place in places if isinstance(place, str) and place.strip()), "")


def _detail(value: Json) -> str:
    """`detail` as a sentence, or as the list of messages that FastAPI makes of it."""
    parts = items(pick(value, "detail"))
    return "; ".join(part if isinstance(part, str) else string(pick(part, "msg", "message")) for part in parts)


def _names(error: Json) -> Iterator[str]:
    details = items(pick(error, "details"))
    named = [pick(error, name) for name in ("code", "status", "type", "reason")]
    for name in (*named, *(pick(detail, "reason") for detail in details)):
        if isinstance(name, str):
            yield name.lower()


def _number(value: Json) -> int | None:
    """An HTTP error status; AI/ML API documents it as a string."""
    text = str(value) if isinstance(value, int | str) and not isinstance(value, bool) else ""
    return int(text) if re.fullmatch(r"[1-5]\d\d", text, re.ASCII) else None


def _phrase(status: int) -> str:
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)


# What it amounts to


def _kind(complaint: _Complaint) -> type[ProviderError]:
    by_name = next((_BY_NAME[name] for name in complaint.names if name in _BY_NAME), None)
    if by_name:
        return by_name
    status, words = complaint.status, complaint.words
    if status is None:
        return _by_words(words)
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    if _TEMPLATE_REFUSED.search(words):
        return Rejected
    if status in (402, 406):
        is_format = _ABOUT_FORMAT.search(words) and not _NO_CREDIT.search(words)
        return Rejected if is_format else OutOfCredit
    if status == 403:
        return OutOfCredit if _NO_CREDIT_OR_PLAN.search(words) else AuthenticationFailed
    if status == 400:
        return _bad_request(words)
    if status >= 500:
        return Unavailable
    return Rejected if status >= 400 else UnexpectedReply


def _bad_request(words: str) -> type[ProviderError]:
    if _SYSTEM_REFUSED in words:
        return SystemRefused
    if _TOO_LONG.search(words):
        return TooLarge
    return OutOfCredit if _NO_CREDIT_FOR_SURE.search(words) and not _ABOUT_FORMAT.search(words) else Rejected


def _by_words(words: str) -> type[ProviderError]:
    """An error without any number: LM Studio and some gateways send only a sentence."""
    if _NO_CREDIT_FOR_SURE.search(words):
        return OutOfCredit
    if _TOO_MANY.search(words):
        return RateLimited
    if _TOO_LONG.search(words):
        return TooLarge
    if _TEMPLATE_REFUSED.search(words):
        return Rejected
    return AuthenticationFailed if "api key" in words else Unavailable
