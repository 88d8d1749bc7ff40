"""Rows as lines and back: every kind of value, in pages and batches of bounded size; damaged lines are refused."""

import datetime as dt
import json
import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from conversations.backup import rows
from conversations.backup.archive import Unusable
from conversations.models import Label, Message, Prompt, ProviderCall, User
from tests.conftest import send

pytestmark = pytest.mark.django_db


class Statements:
    """How many rows each INSERT brought, and how many each SELECT asked for."""

    def __init__(self) -> None:
        self.inserted: list[int] = []
        self.asked: list[int] = []

    def __call__(self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        if sql.startswith("INSERT"):
            assert many
            self.inserted.append(len(params))
        if found := re.search(r"LIMIT (\d+)$", sql):
            self.asked.append(int(found[1]))
        return execute(sql, params, many, context)


def saved(model: type[Any]) -> list[bytes]:
    return list(rows.lines(model))


def stored(model: type[Any]) -> list[tuple[Any, ...]]:
    names = [field.attname for field in model._meta.concrete_fields]
    return list(model._base_manager.order_by("pk").values_list(*names))


def brought_back(model: type[Any], lines: list[bytes]) -> int:
    model._base_manager.all().delete()
    return rows.load(model, iter(lines))


def test_every_kind_of_value_comes_back_as_it_was(alice: User) -> None:
    reply = send(alice, "Grüße 👋\u2028").reply
    Message.objects.filter(pk=reply.pk).update(
        cost_usd=Decimal("0.0000012345"), notices=["truncated", "ä"], started_at=timezone.now(), error_detail="a\nb"
    )
    ProviderCall.objects.create(message=reply, attempt=1, model="m", request_deflated=b"\0\xff\x80", status_code=200)
    calls, messages = stored(ProviderCall), stored(Message)
    lines = saved(Message)
    assert brought_back(ProviderCall, saved(ProviderCall)) == 1
    assert stored(ProviderCall) == calls
    with connection.constraint_checks_disabled():
        Message.objects.filter(pk=reply.pk).delete()
        header, *found = lines
        assert rows.load(Message, iter([header, *[line for line in found if json.loads(line)[0] == reply.pk]])) == 1
    assert stored(Message) == messages


def labels(count: int) -> None:
    Label.objects.bulk_create(Label(pk=1000 + number, name=f"{number:04}") for number in range(count))


def test_many_rows_are_read_in_pages_that_grow_and_written_in_batches() -> None:
    labels(1103)
    reading, writing = Statements(), Statements()
    with connection.execute_wrapper(reading):
        lines = saved(Label)
    assert len(lines) == 1104
    assert reading.asked == [20, 40, 80, 160, 320, 500, 500]
    there = stored(Label)
    Label.objects.all().delete()
    with connection.execute_wrapper(writing):
        assert rows.load(Label, iter(lines)) == 1103
    assert writing.inserted == [1000, 103]
    assert stored(Label) == there


def prompts(owner: User, count: int, size: int) -> None:
    Prompt.objects.bulk_create(Prompt(owner=owner, name=f"{number:04}", text="x" * size) for number in range(count))


def test_of_large_rows_few_are_held_at_a_time(alice: User) -> None:
    prompts(alice, 38, 250_000)
    reading, writing = Statements(), Statements()
    with connection.execute_wrapper(reading):
        lines = saved(Prompt)
    assert reading.asked == [20, 10, 20, 40]
    Prompt.objects.all().delete()
    with connection.execute_wrapper(writing):
        assert rows.load(Prompt, iter(lines)) == 38
    assert writing.inserted == [16, 16, 6]  # of at most 4 MiB


def test_rows_of_megabytes_are_read_and_written_one_by_one(alice: User) -> None:
    prompts(alice, 3, 5 << 20)
    writing = Statements()
    lines = saved(Prompt)
    Prompt.objects.all().delete()
    with connection.execute_wrapper(writing):
        assert rows.load(Prompt, iter(lines)) == 3
    assert writing.inserted == [1, 1, 1]


def asked_for(count: int) -> list[int]:
    labels(count)
    reading = Statements()
    with connection.execute_wrapper(reading):
        saved(Label)
    return reading.asked


def bytes_of_first(count: int) -> int:
    return sum(map(len, saved(Label)[1 : count + 1]))


def test_pages_grow_up_to_the_byte_and_shrink_down_to_one_row(monkeypatch: pytest.MonkeyPatch) -> None:
    labels(40)
    monkeypatch.setattr(rows, "BATCH_BYTES", bytes_of_first(20) + 1)
    assert asked_for(0)[:2] == [20, 40]
    monkeypatch.setattr(rows, "BATCH_BYTES", bytes_of_first(20))
    assert asked_for(0)[:2] == [20, 10]
    monkeypatch.setattr(rows, "BATCH_BYTES", 1)
    assert asked_for(0) == [20, 10, 5, 2, 1, 1, 1, 1]


def test_batches_are_filled_to_the_byte(monkeypatch: pytest.MonkeyPatch) -> None:
    labels(6)
    lines = saved(Label)
    assert len({len(line) for line in lines[1:]}) == 1
    for size, batches in ((2 * len(lines[1]), [2, 2, 2]), (2 * len(lines[1]) - 1, [1] * 6)):
        monkeypatch.setattr(rows, "BATCH_BYTES", size)
        Label.objects.all().delete()
        writing = Statements()
        with connection.execute_wrapper(writing):
            rows.load(Label, iter(lines))
        assert writing.inserted == batches


def test_other_programs_read_text_as_it_was_written() -> None:
    Label.objects.create(name="Prüfen 👋")
    assert "Prüfen 👋".encode() in saved(Label)[1]


def test_a_table_without_rows_is_its_columns() -> None:
    (header,) = saved(Label)
    assert set(json.loads(header)) == {field.attname for field in Label._meta.concrete_fields}
    assert rows.load(Label, iter([header])) == 0


def test_columns_in_another_order_are_the_same_columns() -> None:
    labels(2)
    there = stored(Label)
    turned = [json.dumps(json.loads(line)[::-1]).encode() + b"\n" for line in saved(Label)]
    assert brought_back(Label, turned) == 2
    assert stored(Label) == there


def with_row(change: Callable[[list[Any]], object]) -> list[bytes]:
    labels(1)
    header, row = saved(Label)
    return [header, json.dumps(change(json.loads(row))).encode() + b"\n"]


def with_header(change: Callable[[list[str]], object]) -> list[bytes]:
    header, *found = saved(Label)
    return [json.dumps(change(json.loads(header))).encode() + b"\n", *found]


DAMAGED: list[tuple[Callable[[], list[bytes]], str]] = [
    (list, "cannot be read"),
    (lambda: with_header(lambda names: [*names, "more"]), "has other columns"),
    (lambda: with_header(lambda names: names[1:]), "has other columns"),
    (lambda: with_header(lambda names: [*names[1:], 7]), "has other columns"),
    (lambda: with_header(lambda names: "names"), "cannot be read"),
    (lambda: with_row(lambda values: [*values, 1]), "has other columns"),
    (lambda: with_row(lambda values: values[1:]), "has other columns"),
    (lambda: with_row(lambda values: ["one", *values[1:]]), "holds a value of another kind"),
    (lambda: with_row(lambda values: {"id": 1}), "cannot be read"),
    (lambda: [*with_row(lambda values: values)[:1], b"[1, \n"], "cannot be read"),
    (lambda: [*with_row(lambda values: values)[:1], b"\xff\xfe\n"], "cannot be read"),
]


@pytest.mark.parametrize("number", range(len(DAMAGED)))
def test_what_is_no_row_of_the_table_is_refused_by_the_name_of_the_table(number: int) -> None:
    lines, sentence = DAMAGED[number]
    with pytest.raises(Unusable, match=f"^The backup is damaged: .*conversations_label.* {sentence}"):
        rows.load(Label, iter(lines()))


def test_a_character_that_postgresql_refuses_becomes_a_sign_for_it() -> None:
    labels(1)
    header, row = saved(Label)
    assert brought_back(Label, [header, row.replace(b"0000", b"00\\u000000")]) == 1
    assert Label.objects.get().name == "00\ufffd00"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (dt.date(2026, 11, 22), "2026-11-22"),
        (dt.time(3, 55), "03:55:00"),
        (memoryview(b"\xff"), "/w=="),
        (Decimal("1E-10"), "1E-10"),
    ],
)
def test_values_become_what_their_fields_read(value: object, text: str) -> None:
    assert json.loads(rows._line([value])) == [text]


def test_a_kind_of_value_that_nobody_thought_of_is_an_error_and_no_guess() -> None:
    with pytest.raises(TypeError, match="a backup cannot hold set"):
        rows._line([{1}])


def test_new_rows_are_numbered_behind_those_that_were_loaded() -> None:
    labels(2)
    lines = saved(Label)
    header, first, second = lines
    far: Iterator[bytes] = iter([header, first, json.dumps([5000, *json.loads(second)[1:]]).encode()])
    Label.objects.all().delete()
    rows.load(Label, far)
    rows.reset_sequences([Label])
    assert Label.objects.create(name="new").pk > 5000
