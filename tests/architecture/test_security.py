"""docs/security.md names for each rule of security the tests that hold it: none is left out, and each test exists."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest
from django.conf import settings

from chatsite.celery import app as celery

ROOT = Path(__file__).resolve().parents[2]
COUNTS = {"S": 9, "A": 9, "Z": 7, "I": 10, "O": 9, "P": 8, "C": 6, "D": 9, "K": 4, "X": 6, "R": 7}
RULES = [f"{group}{number}" for group, count in COUNTS.items() for number in range(1, count + 1)]
ROW = re.compile(r"\| ([A-Z]\d+) \| (.+?) \| (.+) \|")
NAMED = re.compile(r"`([a-z_]+(?:/[a-z_]+)*)::(test_\w+)`")
DOCUMENTS = ["security.md", "asvs.md"]


def named(document: str) -> list[tuple[str, str]]:
    path = ROOT / "docs" / document
    return NAMED.findall(path.read_text(encoding="utf-8")) if path.exists() else []


@cache
def collected(module: str) -> frozenset[str]:
    tree = ast.parse((ROOT / "tests" / f"{module}.py").read_text(encoding="utf-8"))
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def test_every_rule_has_one_row_with_a_test_or_a_reason() -> None:
    rows = [ROW.fullmatch(line) for line in (ROOT / "docs" / "security.md").read_text(encoding="utf-8").splitlines()]
    found = {row[1]: row[3] for row in rows if row}
    assert sorted(row[1] for row in rows if row) == sorted(RULES)
    assert [rule for rule, why in found.items() if not NAMED.search(why) and len(why) < 30] == []


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_test_that_is_named_exists(document: str) -> None:
    missing = [f"{module}::{name}" for module, name in named(document) if name not in collected(module)]
    assert missing == []


def test_nothing_from_outside_is_unpickled() -> None:
    """Sessions, the cache, tasks of workers and archives hold JSON."""
    code = [path for folder in ("chatsite", "conversations") for path in (ROOT / folder).rglob("*.py")]
    assert [path.name for path in code if re.search(r"\b(pickle|marshal|shelve|dill)\b", path.read_text())] == []
    assert settings.SESSION_SERIALIZER == "django.contrib.sessions.serializers.JSONSerializer"
    assert {one["BACKEND"] for one in settings.CACHES.values()} == {"chatsite.cache.StoredCache"}
    assert tuple(celery.conf.accept_content) == ("json",)
    assert (celery.conf.task_serializer, celery.conf.result_serializer) == ("json", "json")


@pytest.mark.parametrize("lock", sorted(path.name for path in ROOT.glob("requirements*.txt")))
def test_every_package_is_pinned_by_digest_and_by_no_host(lock: str) -> None:
    text = (ROOT / lock).read_text(encoding="utf-8").replace("\\\n", "")
    packages = [line for line in text.splitlines() if line and not line.lstrip().startswith("#")]
    assert packages
    assert [
        one for one in packages if not re.match(r"[\w.-]+(\[[\w,-]+\])?==\S+ .*--hash=sha256:[0-9a-f]{64}", one)
    ] == []
    assert "://" not in "".join(packages)


ASVS = {
    "V1": (2, 9, 11, 3, 2),
    "V2": (3, 3, 4, 1),
    "V3": (0, 2, 4, 6, 5, 0, 2),
    "V4": (3, 1, 2, 4),
    "V5": (1, 3, 2, 3),
    "V6": (3, 12, 4, 4, 5, 3, 0, 4),
    "V7": (3, 4, 2, 5, 2, 2),
    "V8": (2, 3, 1, 1),
    "V11": (2, 3, 3, 4, 1, 1),
    "V12": (3, 2, 4),
    "V13": (1, 5, 2, 5),
    "V14": (2, 4, 3),
    "V15": (3, 3, 7),
    "V16": (1, 5, 4, 3, 3),
}
"""How many requirements of levels 1 and 2 each section of the standard has; they are the first ones of each."""


def test_every_requirement_of_the_standard_has_an_answer() -> None:
    text = (ROOT / "docs" / "asvs.md").read_text(encoding="utf-8")
    answers = dict(re.findall(r"^\| (V\d+\.\d+\.\d+) \| (.+) \|$", text, re.M))
    wanted = [
        f"{chapter}.{section}.{number}"
        for chapter, sections in ASVS.items()
        for section, count in enumerate(sections, start=1)
        for number in range(1, count + 1)
    ]
    assert len(wanted) == 210
    assert sorted(answers) == sorted(wanted)
    named_rules = {rule for answer in answers.values() for rule in re.findall(r"\b[SAZIOPCDKXR]\d\b", answer)}
    assert named_rules <= set(RULES)
    bare = [
        one for one, why in answers.items() if not (NAMED.search(why) or re.search(r"\b[A-Z]\d", why)) and len(why) < 15
    ]
    assert bare == []
