"""What the tests ran through when nothing was broken, and which of them are to be tried on a change."""

import ast
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from tests.mutants.changes import Change

NOWHERE = ""  # the name of what runs before any test


@dataclass(slots=True)
class Seen:
    """`seconds`: of processor time, of each test. `lines`: of each file, which tests ran through each line."""

    seconds: dict[str, float] = field(default_factory=dict)
    lines: dict[str, dict[int, list[str]]] = field(default_factory=dict)

    def through(self, name: str, change: Change) -> set[str]:
        """The tests that run what is changed; NOWHERE among them if it ran before all of them."""
        for lines in change.lines:
            if found := self._of(name, lines):
                return found
        return set()

    def through_names(self, change: Change, sources: dict[str, str]) -> set[str]:
        """Those that run a function which names what is changed where the application is loaded; all if none does."""
        found = {
            test for name, source in sources.items() for lines in uses(source, change) for test in self._of(name, lines)
        }
        return found - {NOWHERE} or set(self.seconds)

    def quick_first(self, tests: set[str], budget: float) -> list[str]:
        """These tests without those that would begin after `budget` seconds of processor time."""
        chosen, left = [], budget
        for test in sorted(tests & self.seconds.keys(), key=lambda test: (self.seconds[test], test)):
            if left > 0:
                chosen.append(test)
            left -= self.seconds[test]
        return chosen

    def save(self, path: Path) -> None:
        path.write_text(json.dumps(asdict(self)))

    @classmethod
    def load(cls, path: Path) -> "Seen":
        kept = json.loads(path.read_text())
        lines = {name: {int(line): tests for line, tests in of.items()} for name, of in kept["lines"].items()}
        return cls(kept["seconds"], lines)

    def _of(self, name: str, lines: Sequence[int]) -> set[str]:
        of_lines = self.lines.get(name, {})
        return {test for line in lines for test in of_lines.get(line, ())}


def uses(source: str, change: Change) -> Iterator[range]:
    """The lines of the functions in which one of the names of a change stands."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            named = {each.id for each in ast.walk(node) if isinstance(each, ast.Name)}
            named |= {each.attr for each in ast.walk(node) if isinstance(each, ast.Attribute)}
            if change.names & (named | {node.name}):
                yield range(node.body[0].lineno, (node.end_lineno or node.lineno) + 1)
