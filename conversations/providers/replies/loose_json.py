"""JSON as servers really send it, and safe ways into values of unknown shape. Pure functions, no I/O.

Numbers with a fraction are read as Decimal, so that amounts of money stay exact.
"""

import json
from decimal import Decimal, InvalidOperation
from typing import Any

from conversations.providers.turns import Json

LONGEST_INTEGER = 40  # digits; Python refuses to convert some thousands, and nothing here counts that far


class Unreadable(ValueError):
    """Not JSON, not even its beginning."""


def _integer(literal: str) -> int | None:
    return int(literal) if len(literal) <= LONGEST_INTEGER else None


def _fraction(literal: str) -> Decimal | None:
    try:
        return Decimal(literal)
    except InvalidOperation:  # an exponent beyond all bounds
        return None


_NUMBERS: dict[str, Any] = {"parse_int": _integer, "parse_float": _fraction, "parse_constant": lambda name: None}
_STRICT = json.JSONDecoder(**_NUMBERS)
_LENIENT = json.JSONDecoder(strict=False, **_NUMBERS)


def loads(text: str) -> Json:
    """The value of `text`; where that is no JSON, the first complete value in front of whatever follows it.

    Raises Unreadable. Nesting beyond Python's stack is unreadable, too.
    """
    try:
        return _STRICT.decode(text)
    except RecursionError as error:
        raise Unreadable("nested too deeply") from error
    except ValueError:
        return _first_value(text)


def _first_value(text: str) -> Json:
    try:
        return _LENIENT.raw_decode(text.lstrip("\ufeff \t\r\n"))[0]
    except (ValueError, RecursionError) as error:
        raise Unreadable("no JSON") from error


def record(value: Json) -> dict[str, Json]:
    """The object, or an empty one for anything else."""
    return value if isinstance(value, dict) else {}


def items(value: Json) -> list[Json]:
    """The list; a single object or string counts as a list of one, anything else as an empty list."""
    if isinstance(value, list):
        return value
    return [value] if isinstance(value, dict | str) else []


def string(value: Json) -> str:
    """The string, or "" for anything else."""
    return value if isinstance(value, str) else ""


def pick(value: Json, *names: str) -> Json:
    """The first member of an object that is there and not null; proxies spell names in camel and in snake case."""
    if isinstance(value, dict):
        for name in names:
            found = value.get(name)
            if found is not None:
                return found
    return None
