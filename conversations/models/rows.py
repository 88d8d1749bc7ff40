"""Single rows by statements that are composed once: for the way of a send, where composing costs more than running.

They do what `save`, `update` and `get` do for rows of one table, on every database, without signals (we have none).
"""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from operator import attrgetter
from typing import Any, NamedTuple, TypeVar

from django.db import connection, models

M = TypeVar("M", bound=models.Model)

PLAIN: frozenset[type] = frozenset((str, int, bool, type(None)))
ONLY_NONE: frozenset[type] = frozenset((type(None),))


class Store(NamedTuple):
    """What the database is given for the value of a field: itself where it is of one of these types."""

    as_it_is: frozenset[type]
    converted: Callable[[Any], Any]

    def __call__(self, value: Any) -> Any:
        return value if value.__class__ in self.as_it_is else self.converted(value)


def insert(row: M) -> M:
    """Store a new row, which then has its primary key."""
    insertion = _insertion(type(row))
    for set_own_value in insertion.own_values:
        set_own_value(row, True)
    columns = zip(insertion.read(row), insertion.stores, strict=True)
    # Written out, because calling a Store for each of thirty columns would cost more than the statement.
    values: list[Any] = [one if one.__class__ in as_it_is else converted(one) for one, (as_it_is, converted) in columns]
    with connection.cursor() as cursor:
        cursor.execute(insertion.statement, values)
        row.pk = cursor.fetchone()[0]
    row._state.adding, row._state.db = False, connection.alias
    return row


def update(model: type[models.Model], where: Mapping[str, Any], changes: Mapping[str, Any]) -> int:
    """Change the rows whose fields have the values of `where`; returns how many they were."""
    values = [_store(model, name)(value) for name, value in (*changes.items(), *where.items())]
    with connection.cursor() as cursor:
        cursor.execute(_change(model, tuple(changes), tuple(where)), values)
        count: int = cursor.rowcount
    return count


def find(model: type[M], **where: Any) -> M | None:
    """A row whose fields have these values."""
    found = _finding(model, tuple(where))
    with connection.cursor() as cursor:
        cursor.execute(found.statement, [_store(model, name)(value) for name, value in where.items()])
        row = cursor.fetchone()
    return None if row is None else model.from_db(connection.alias, found.names, found.read(row))


class _Finding:
    """A SELECT of all fields, and how the values of its rows become those of the fields."""

    def __init__(self, model: type[models.Model], where: Sequence[str]) -> None:
        compiler = model._base_manager.order_by().query.get_compiler(connection.alias)
        select, _parameters = compiler.as_sql()
        columns = [column for column, *_ in compiler.select]
        self.statement = f"{select} WHERE {_conditions(model, where)} LIMIT 1"
        self.names = [column.target.attname for column in columns]
        self._converters = compiler.get_converters(columns)

    def read(self, row: Sequence[Any]) -> list[Any]:
        values = list(row)
        for place, (converters, expression) in self._converters.items():
            for convert in converters:
                values[place] = convert(values[place], expression, connection)
        return values


class _Insertion(NamedTuple):
    """An INSERT of all fields: what sets values of its own (times), how all are read, and how each is stored."""

    statement: str
    own_values: Sequence[Callable[[Any, bool], Any]]
    read: Callable[[Any], tuple[Any, ...]]
    stores: Sequence[Store]


@cache
def _insertion(model: type[models.Model]) -> _Insertion:
    fields = [field for field in model._meta.concrete_fields if not field.primary_key]
    names = ", ".join(_quoted(field.column) for field in fields)
    places = ", ".join(["%s"] * len(fields))
    key, table = _quoted(_field(model, "pk").column), _quoted(model._meta.db_table)
    return _Insertion(
        f"INSERT INTO {table} ({names}) VALUES ({places}) RETURNING {key}",  # noqa: S608, names of our own tables
        [field.pre_save for field in fields if type(field).pre_save is not models.Field.pre_save],
        attrgetter(*(field.attname for field in fields)),
        [_store(model, field.name) for field in fields],
    )


@cache
def _change(model: type[models.Model], changes: tuple[str, ...], where: tuple[str, ...]) -> str:
    changed = ", ".join(f"{_quoted(_field(model, name).column)} = %s" for name in changes)
    return f"UPDATE {_quoted(model._meta.db_table)} SET {changed} WHERE {_conditions(model, where)}"  # noqa: S608


@cache
def _finding(model: type[models.Model], where: tuple[str, ...]) -> _Finding:
    return _Finding(model, where)


@cache
def _store(model: type[models.Model], name: str) -> Store:
    field = _field(model, name)
    as_it_is = ONLY_NONE if isinstance(field, models.JSONField) else PLAIN
    return Store(as_it_is, lambda value: field.get_db_prep_save(value, connection=connection))


def _conditions(model: type[models.Model], where: Sequence[str]) -> str:
    table = _quoted(model._meta.db_table)
    return " AND ".join(f"{table}.{_quoted(_field(model, name).column)} = %s" for name in where)


def _field(model: type[models.Model], name: str) -> Any:
    return model._meta.pk if name == "pk" else model._meta.get_field(name)


def _quoted(name: str | None) -> str:
    assert name  # every table and column has one
    return connection.ops.quote_name(name)
