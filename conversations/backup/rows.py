"""Rows as lines of JSON, the same for every database: one by one out, in batches of bounded size in."""

import base64
import datetime as dt
import json
import uuid
from collections.abc import Iterable, Iterator
from decimal import Decimal
from itertools import chain
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.color import no_style
from django.db import connection
from django.db.models import Field, Model

from conversations.backup.archive import Unusable

FIRST, MOST = 20, 500  # rows read at a time; a row may hold a megabyte
BATCH_ROWS, BATCH_BYTES = 1000, 4 << 20


def lines(model: type[Model]) -> Iterator[bytes]:
    """The names of the columns, then the rows in the order of their primary keys."""
    names = [field.attname for field in model._meta.concrete_fields]
    yield _line(names)
    key = names.index(model._meta.pk.attname)
    rows = model._base_manager.order_by("pk").values_list(*names)
    # Page by page: a cursor of the database could not be kept where PgBouncer stands in between.
    page, count = list(rows[:FIRST]), FIRST
    while page:
        size = 0
        for row in page:
            size += len(line := _line(row))
            yield line
        count = min(MOST, count * 2) if size < BATCH_BYTES else max(1, count // 2)
        page = list(rows.filter(pk__gt=page[-1][key])[:count])


def load(model: type[Model], lines: Iterator[bytes]) -> int:
    """Insert what `lines` gave for the same table, primary keys and times included; returns how many rows."""
    fields = {field.attname: field for field in model._meta.concrete_fields}
    header = _parsed(model, next(lines, b""))
    if not all(isinstance(name, str) for name in header) or sorted(header) != sorted(fields):
        raise Unusable(f"The backup is damaged: {model._meta.db_table} has other columns.")
    ordered = [fields[name] for name in header]
    quoted = connection.ops.quote_name
    columns = ", ".join(quoted(field.column or "") for field in ordered)
    places = ", ".join(["%s"] * len(ordered))
    statement = f"INSERT INTO {quoted(model._meta.db_table)} ({columns}) VALUES ({places})"  # noqa: S608
    count = 0
    with connection.cursor() as cursor:
        for batch in _batches(lines):
            cursor.executemany(statement, [_values(model, ordered, line) for line in batch])
            count += len(batch)
    return count


def reset_sequences(models: Iterable[type[Model]]) -> None:
    """Let new rows be numbered behind those that were loaded, where the database does not see to it."""
    with connection.cursor() as cursor:
        for statement in connection.ops.sequence_reset_sql(no_style(), list(models)):
            cursor.execute(statement)


def _batches(lines: Iterator[bytes]) -> Iterator[list[bytes]]:
    batch: list[bytes] = []
    size = 0
    for line in chain(lines, [b""]):
        if batch and (not line or len(batch) >= BATCH_ROWS or size + len(line) > BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(line)
        size += len(line)


def _values(model: type[Model], fields: "list[Field[Any, Any]]", line: bytes) -> list[Any]:
    row = _parsed(model, line)
    if len(row) != len(fields):
        raise Unusable(f"The backup is damaged: a row of {model._meta.db_table} has other columns.")
    try:
        values = [field.to_python(_storable(value)) for field, value in zip(fields, row, strict=True)]
    except ValidationError as exc:
        raise Unusable(f"The backup is damaged: {model._meta.db_table} holds a value of another kind.") from exc
    return [field.get_db_prep_save(value, connection) for field, value in zip(fields, values, strict=True)]


def _storable(value: Any) -> Any:
    """SQLite keeps the character NUL in a text, PostgreSQL refuses it."""
    return value.replace("\0", "\ufffd") if isinstance(value, str) else value


def _parsed(model: type[Model], line: bytes) -> list[Any]:
    try:
        row = json.loads(line)
    except ValueError as exc:
        raise Unusable(f"The backup is damaged: a row of {model._meta.db_table} cannot be read.") from exc
    if not isinstance(row, list):
        raise Unusable(f"The backup is damaged: a row of {model._meta.db_table} cannot be read.")
    return row


def _line(row: Iterable[Any]) -> bytes:
    return json.dumps(list(row), default=_plain, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def _plain(value: Any) -> str:
    """What the fields' `to_python` reads. Raises TypeError for a kind of value that no table had so far."""
    match value:
        case dt.datetime() | dt.date() | dt.time():
            return value.isoformat()
        case uuid.UUID() | Decimal():
            return str(value)
        case bytes() | memoryview():
            return base64.b64encode(value).decode()
    raise TypeError(f"a backup cannot hold {type(value).__name__}")
