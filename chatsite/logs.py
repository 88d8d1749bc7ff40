"""Log lines, for people or as JSON, with the ids of the request and the reply they are about.

Of exceptions the place and the kind are written, not their words: those may repeat what people wrote. Only kinds whose
words come from the system or the database itself are written out.
"""

import datetime as dt
import json
import logging
import re
import traceback
from collections.abc import Iterator
from smtplib import SMTPException
from typing import Any

from django.conf import settings
from django.db import OperationalError

from conversations.services.tracing import present

REPLY = re.compile(r"reply=(\d+) ")
OUTSPOKEN = (OSError, OperationalError)
SILENT = (SMTPException,)  # an OSError whose words are those of another server, which may repeat a password
LINKS = re.compile(r"(/(?:setup|invitations|password/reset/key|confirm-email)/)[^/\s]+", re.IGNORECASE)
HARMLESS = re.compile(r"[\w\s,.:;'\"/()\[\]-]{1,500}")  # no sign of an address with something in its query


class Ids(logging.Filter):
    """Adds `request_id`, `reply_id` and `user_id`, empty where there is none; cuts the secrets of links."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.request_id, reply = present.request, present.reply
        if reply is None and (found := REPLY.match(record.getMessage())):
            reply = int(found[1])
        record.reply_id = reply or ""
        record.user_id = getattr(record, "user_id", None) or _number_of(getattr(record, "request", None))
        if record.name.startswith("django.") and LINKS.search(said := record.getMessage()):
            record.msg, record.args = LINKS.sub(r"\1…", said), ()
        return True


class Quiet(logging.Formatter):
    """Exceptions without their words, where those could be anybody's. With DEBUG they are whole."""

    def formatException(self, exc_info: Any) -> str:
        return super().formatException(exc_info) if settings.DEBUG else "\n".join(_parts(exc_info[1]))


class Text(Quiet):
    """A line for people: time, level, place, ids, message."""

    def formatMessage(self, record: logging.LogRecord) -> str:
        request, reply = getattr(record, "request_id", ""), getattr(record, "reply_id", "")
        user = getattr(record, "user_id", "")
        ids = (f"request={request} " if request else "") + (f"user={user} " if user else "")
        if reply and not REPLY.match(record.message):
            ids += f"reply={reply} "
        return f"{self.formatTime(record)} {record.levelname} {record.name} {ids}{record.message}"

    def usesTime(self) -> bool:
        return True


class Json(Quiet):
    """A line for programs: one object, the time in UTC."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "time": dt.datetime.fromtimestamp(record.created, dt.UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            "request": getattr(record, "request_id", "") or None,
            "reply": getattr(record, "reply_id", "") or None,
            "user": getattr(record, "user_id", "") or None,
            "event": getattr(record, "event", None),
            **getattr(record, "details", {}),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps({name: value for name, value in line.items() if value is not None}, ensure_ascii=False)


def configured(*, as_json: bool, level: str) -> dict[str, Any]:
    """Django's LOGGING."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "filters": {"ids": {"()": "chatsite.logs.Ids"}},
        "formatters": {"line": {"()": "chatsite.logs.Json" if as_json else "chatsite.logs.Text"}},
        "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["ids"]}},
        "root": {"handlers": ["console"], "level": level},
        "loggers": {"django": {"handlers": [], "propagate": True}},
    }


def _number_of(request: Any) -> int | str:
    """Of whoever sent this request, where that was looked up: nothing is asked for a line of the log."""
    return getattr(getattr(request, "_cached_user", None), "pk", None) or ""


def _parts(error: BaseException | None) -> Iterator[str]:
    """The exception and what led to it, oldest first."""
    if error is None:
        return
    yield from _parts(error.__cause__ or (None if error.__suppress_context__ else error.__context__))
    yield "Traceback (most recent call last):"
    yield "".join(traceback.format_tb(error.__traceback__)).rstrip("\n")
    kind = f"{type(error).__module__}.{type(error).__qualname__}"
    said = str(error) if isinstance(error, OUTSPOKEN) and not isinstance(error, SILENT) else ""
    yield f"{kind}: {said}" if HARMLESS.fullmatch(said) else kind
