"""How long a provider asks us to wait: from headers, from Google's error details, or from the words. Pure.

A 429 of Gemini usually has no Retry-After header; the wait stands in the body or only in the message.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from conversations.providers.replies.loose_json import items, pick, string
from conversations.providers.turns import Json

HOUR, DAY = 3_600.0, 86_400.0
LONGEST = 7 * DAY
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_STEP = r"(\d{1,12}(?:\.\d{1,12})?)\s*(ms|milliseconds?|h(?:ours?)?|m(?:in(?:utes?)?)?|s(?:ec(?:onds?)?)?)(?![a-z])"
_DURATION = re.compile(rf"(?:{_STEP}\s*)+", re.IGNORECASE | re.ASCII)
_STEPS = re.compile(_STEP, re.IGNORECASE | re.ASCII)
_NUMBER = re.compile(r"\d{1,40}(?:\.\d{1,12})?", re.ASCII)
_IN_WORDS = re.compile(rf"(?:retry|again|reset\w*)\s+(?:in|after)\s+((?:{_STEP}\s*)+)", re.IGNORECASE | re.ASCII)
_PER_HOUR = re.compile(r"per[\s_-]?hour|hourly", re.IGNORECASE | re.ASCII)
_PER_DAY = re.compile(r"per[\s_-]?day|daily", re.IGNORECASE | re.ASCII)


def wait(headers: Mapping[str, str], error: Json, text: str, now: datetime) -> float | None:
    """Seconds, at most a week; None where nothing is said. Header names in lower case; `now` is aware.

    A quota named per day is not worth waiting for: the wait is then a day, whatever else is said. One named per hour
    means an hour, where nothing else is said.
    """
    if _PER_DAY.search(text) or _PER_DAY.search(_quotas(error)):
        return DAY
    found = next((seconds for seconds in _said(headers, error, text, now) if seconds is not None), None)
    return None if found is None else min(max(found, 0.0), LONGEST)


def _said(headers: Mapping[str, str], error: Json, text: str, now: datetime) -> Iterator[float | None]:
    """Every place, the most exact first."""
    milliseconds = headers.get("retry-after-ms", "").strip()
    yield float(milliseconds) / 1000 if _NUMBER.fullmatch(milliseconds) else None
    retry_after = headers.get("retry-after", "").strip()
    yield _seconds(retry_after)
    yield _until(retry_after, _moment(headers.get("date", "")) or now)
    for detail in items(pick(error, "details")):
        yield _seconds(string(pick(detail, "retryDelay", "retry_delay")))
        yield _seconds(string(pick(pick(detail, "metadata"), "quotaResetDelay")))
    in_words = _IN_WORDS.search(text)
    yield _seconds(in_words[1].strip()) if in_words else None
    yield _until(headers.get("x-rate-limit-reset-at-utc", "").strip(), now)
    yield HOUR if _PER_HOUR.search(text) else None


def _seconds(text: str) -> float | None:
    """A plain number of seconds, or a duration such as 500ms, 26.66s, 1m30s."""
    if _NUMBER.fullmatch(text):
        return float(text)
    if not _DURATION.fullmatch(text):
        return None
    return sum(float(number) * _UNITS[_unit(name)] for number, name in _STEPS.findall(text))


def _unit(name: str) -> str:
    name = name.lower()
    return "ms" if name.startswith(("ms", "mil")) else name[0]


def _until(text: str, now: datetime) -> float | None:
    moment = _moment(text)
    return None if moment is None else (moment - now).total_seconds()


def _moment(text: str) -> datetime | None:
    """An HTTP date or an ISO time; UTC where it names no zone."""
    for parse in (parsedate_to_datetime, datetime.fromisoformat):
        try:
            moment = parse(text)
        except (ValueError, TypeError, IndexError, OverflowError):
            continue
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return None


def _quotas(error: Json) -> str:
    """The names of the quotas that Google says were used up."""
    details = items(pick(error, "details"))
    violations = [violation for detail in details for violation in items(pick(detail, "violations"))]
    names = [pick(violation, "quotaId", "quota_id") for violation in violations]
    names += [pick(pick(detail, "metadata"), "quota_limit") for detail in details]
    return " ".join(string(name) for name in names)
