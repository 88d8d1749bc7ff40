"""The tests once on the code as it is, noting which runs through which line; then forks of that process, each with one
function broken, in which the tests run that go through it. Nothing is loaded anew for them."""

import ast
import functools
import gc
import importlib
import json
import os
import signal
import time
from collections import defaultdict, deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any

import pytest
from coverage import Coverage, CoverageData

from tests.mutants.changes import Change, broken
from tests.mutants.seen import NOWHERE, Seen
from tests.mutants.trial import CHILD, OPTIONS, ROOT, Trial, ended, forked, settle

TIMES, SPARE = 4.0, 2.0  # how often its own processor time a test may take, and seconds beyond that
WALL_TIMES, WALL_SPARE = 30.0, 60.0  # the same by the clock, for one that waits for what never comes

Wanted = Sequence[tuple[str, Change]]


def on_whole(tests: Sequence[str], plugin: "Whole", folder: Path) -> int:
    """Work of a fork."""
    settle(folder)
    plugin.begin()
    return int(pytest.main([*OPTIONS, *tests], plugins=[plugin]))


class Bare:
    """Stands for the next test where there is none: what all tests share stays as it is."""

    def __init__(self, session: pytest.Session) -> None:
        self.session = session

    def listchain(self) -> list[pytest.Session]:
        return [self.session]


class Whole:
    """A plugin in the place of the usual loop over all tests. Leaves in `kept` what it saw and found out.

    `results.json`: whether each change was noticed, by its place in `wanted`; those that are missing need a new start.
    """

    def __init__(
        self, files: Sequence[str], wanted: Wanted, template: Path, jobs: int, budget: float, kept: Path
    ) -> None:
        self.files, self.wanted, self.template, self.jobs = files, wanted, template, jobs
        self.budget, self.kept = budget, kept
        self.seen = Seen()
        self.clock: dict[str, float] = {}  # seconds that each test took
        self.failed: list[str] = []

    def begin(self) -> None:
        """Before anything of the application is loaded."""
        self.measuring = Coverage(
            data_file=str(self.kept / "coverage"),
            config_file=False,
            branch=True,
            include=[str(ROOT / name) for name in self.files],
        )
        self.measuring.start()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self.failed.append(report.nodeid)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        self._see(session)
        session.testsfailed = len(self.failed)
        if not self.failed:
            results = dict(self._broken(session))
            (self.kept / "results.json").write_text(json.dumps(results))
        return True

    def _see(self, session: pytest.Session) -> None:
        from django.urls import get_resolver

        _ = get_resolver().url_patterns
        for name in self.files:
            importlib.import_module(name.removesuffix(".py").removesuffix("/__init__").replace("/", "."))
        child = str(CHILD.relative_to(ROOT))
        with self._noted_child() if child in self.files else nullcontext():
            self._run_all(session)
        self.measuring.stop()
        self.measuring.save()
        data = self.measuring.get_data()
        self.seen.lines = {name: dict(data.contexts_by_lineno(str(ROOT / name))) for name in self.files}
        for path in self.kept.glob("child.*"):
            data = CoverageData(str(path))
            data.read()
            for line, tests in data.contexts_by_lineno(str(CHILD)).items():
                self.seen.lines[child].setdefault(line, []).extend(tests)
        self.seen.save(self.kept / "seen.json")

    @contextmanager
    def _noted_child(self) -> Iterator[None]:
        """What reads pictures runs in processes of its own, which note what they run through in `kept`."""
        from tests import measured

        link = self.kept / CHILD.name
        link.symlink_to(measured.CHILD)
        with measured.by(link):
            yield

    def _run_all(self, session: pytest.Session) -> None:
        for item, following in zip(session.items, [*session.items[1:], Bare(session)], strict=True):
            self.measuring.switch_context(item.nodeid)
            (self.kept / "now").write_text(item.nodeid)
            begun = time.monotonic(), used()
            run(item, following)
            self.clock[item.nodeid] = time.monotonic() - begun[0]
            self.seen.seconds[item.nodeid] = used() - begun[1]

    def _broken(self, session: pytest.Session) -> Iterator[tuple[int, bool]]:
        from django.db import connections

        connections.close_all()
        live = functions({str(ROOT / name) for name in self.files})
        by_name = {item.nodeid: item for item in session.items}
        waiting, running = deque(enumerate(self.wanted)), list[tuple[int, Trial]]()
        while waiting or running:
            while waiting and len(running) < self.jobs:
                place, (name, change) = waiting.popleft()
                through = self.seen.through(name, change)
                is_in_child = ROOT / name == CHILD  # which is loaded anew each time
                if not is_in_child and (not change.is_in_function or NOWHERE in through):
                    continue
                items = [by_name[test] for test in self.seen.quick_first(through, self.budget)]
                swapped = swaps(live, ROOT / name, change)
                if not through:
                    yield place, False
                elif swapped or is_in_child:
                    running.append((place, self._trial(session, swapped, items, change if is_in_child else None)))
            for place, trial in running.copy():
                if end := ended(trial):
                    running.remove((place, trial))
                    yield place, end.is_noticed
            time.sleep(0.02)

    def _trial(
        self,
        session: pytest.Session,
        swapped: Sequence[tuple[FunctionType, CodeType]],
        items: list[pytest.Item],
        in_child: Change | None,
    ) -> Trial:
        limits = [TIMES * self.seen.seconds[item.nodeid] + SPARE for item in items]

        def work(folder: Path) -> int:
            from django.db import connections

            for connection in connections.all():
                connection.settings_dict["NAME"] = str(folder / "data" / "test.sqlite3")
            for function, code in swapped:
                function.__code__ = code
            if in_child:
                break_child(in_child, folder)
            for item, following, limit in zip(items, [*items[1:], Bare(session)], limits, strict=True):
                item._initrequest()  # type: ignore[attr-defined]
                signal.setitimer(signal.ITIMER_PROF, limit)
                signal.setitimer(signal.ITIMER_REAL, WALL_TIMES * self.clock[item.nodeid] + WALL_SPARE)
                run(item, following)
                if self.failed:
                    return 1
            return 0

        return forked(self.template, sum(limits), work)


def break_child(change: Change, folder: Path) -> None:
    from conversations.services import pictures

    pictures.CHILD = folder / CHILD.name
    pictures.CHILD.write_text(ast.unparse(broken(CHILD.read_text(), change.number)))


def used() -> float:
    """Seconds of processor time, those of ended children included."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def run(item: pytest.Item, following: Any) -> None:
    item.ihook.pytest_runtest_protocol(item=item, nextitem=following)


Live = dict[tuple[str, str, int], list[FunctionType]]


def functions(files: set[str]) -> Live:
    """All functions that live in these files, by file, name and line; what was remembered of their results is gone."""
    found: Live = defaultdict(list)
    for each in gc.get_objects():
        if type(each) is FunctionType and each.__code__.co_filename in files:
            found[each.__code__.co_filename, each.__code__.co_qualname, each.__code__.co_firstlineno].append(each)
        elif type(each) is functools._lru_cache_wrapper and each.__module__.startswith(("conversations", "chatsite")):
            each.cache_clear()
    return found


def swaps(live: Live, path: Path, change: Change) -> list[tuple[FunctionType, CodeType]]:
    """What has to run in the place of what, for the change to be there; nothing where that cannot be done."""
    made = _codes(compile(broken(path.read_text(), change.number), str(path), "exec"))
    found = [
        (function, code)
        for code in made
        for function in live.get((str(path), code.co_qualname, code.co_firstlineno), ())
        if function.__code__ != code
    ]
    return [] if any(one.__code__.co_freevars != code.co_freevars for one, code in found) else found


def _codes(code: CodeType) -> Iterator[CodeType]:
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield constant
            yield from _codes(constant)
