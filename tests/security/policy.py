"""Reads policy.toml: who is to be answered what, cell by cell."""

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from tests.security.asking import METHODS, PRINCIPALS

FILE = Path(__file__).with_name("policy.toml")
MODEL = "{model}"


@dataclass(frozen=True, slots=True)
class Entry:
    """One address of the policy. `answers`: by method, then by who asks; `objects`: the rows that are asked for;
    `writes`: tables that a safe method may change, which `what` gives the reason for."""

    route: str
    what: str
    answers: dict[str, dict[str, str]]
    objects: dict[str, str]
    body: dict[str, Any]
    is_stated: bool
    is_again: bool
    writes: frozenset[str]


@cache
def entries() -> tuple[Entry, ...]:
    return tuple(_entries(tomllib.loads(FILE.read_text())))


def _entries(read: dict[str, Any]) -> Iterator[Entry]:
    for group in read["addresses"]:
        answers = _answers(group["answers"], read["sets"])
        for written in group["routes"]:
            for model in group.get("models", [""]):
                route = written.replace(MODEL, model)
                yield Entry(
                    route=route,
                    what=group["what"],
                    answers=answers,
                    objects=read["objects"] | _rows(route) | _filled(group.get("objects", {}), route),
                    body=read["bodies"].get(route) or read["bodies"].get(written, {}),
                    is_stated=group.get("stated", False),
                    is_again=group.get("again", False),
                    writes=frozenset(group.get("writes", ())),
                )


def _answers(lines: list[str], sets: dict[str, list[str]]) -> dict[str, dict[str, str]]:
    """`"GET POST: nobody login, owner ok, others missing"`. A single person wins over a set, a set over "others"."""
    found: dict[str, dict[str, str]] = {}
    for line in lines:
        methods, _colon, said = line.partition(": ")
        words = dict(one.split() for one in said.split(", "))
        by_set = {person: word for name, word in words.items() for person in sets.get(name, [])}
        row = {person: words.get(person) or by_set.get(person) or words.get("others", "") for person in PRINCIPALS}
        assert all(row.values()), f"somebody is left out: {line}"
        assert words.keys() <= {*PRINCIPALS, *sets, "others"}, line
        for method in methods.split():
            assert method in METHODS, line
            assert method not in found, line
            found[method] = row
    found.setdefault("HEAD", found["GET"])
    assert set(found) == set(METHODS), f"a method is left out: {lines}"
    return found


NAMES = {"offeredmodel": "offered model", "ledgerentry": "ledger entry", "emailaddress": "address", "user": "person"}


def _rows(route: str) -> dict[str, str]:
    """The row that an address of the administration or the library is about, by its word for the kind."""
    words = route.split("/")
    if words[0] in ("prompts", "presets"):
        return {"item_uuid": f"@{words[0].removesuffix('s')}"}
    if words[0] == "admin" and len(words) > 3:
        row = f"#{NAMES.get(words[2], words[2])}"
        return {"object_id": row, "pk": row}
    return {}


def _filled(objects: dict[str, str], route: str) -> dict[str, str]:
    kind = route.partition("/")[0].removesuffix("s")
    return {name: value.replace("{kind}", kind) for name, value in objects.items()}
