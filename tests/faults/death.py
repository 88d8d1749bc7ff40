"""Dying at a chosen moment: around the so manieth commit or publish of a process, and with whom. No Django.

The order is a file `die-at` in the data folder of the process that counts, for instance

    {"number": 7, "what": "commit", "when": "before", "leaders": [4711]}

`leaders` are processes that die with all their descendants.
"""

import json
import os
import signal
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from tests.bench.processes import descendants

T = TypeVar("T")
KINDS = {
    "before": ("commit", "before"),
    "after": ("commit", "after"),
    "before publish": ("publish", "before"),
    "after publish": ("publish", "after"),
}
"""The kinds of moments: what is counted, and on which side of it to die."""


def end_all(leaders: Iterable[int]) -> None:
    """SIGKILL to all of these and their descendants; whoever calls dies last, if it is among them."""
    for leader in leaders:
        if leader != os.getpid():
            _signal(leader, signal.SIGSTOP)  # so that it begins no further one meanwhile
    doomed = [pid for leader in leaders for pid in descendants(leader)]
    for pid in sorted(doomed, key=lambda pid: pid == os.getpid()):
        _signal(pid, signal.SIGKILL)


def _signal(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, number)


def place_order(data: Path, number: int, kind: str, leaders: list[int]) -> None:
    """For the process with this data folder; it begins to count."""
    what, when = KINDS[kind]
    part = data / "die-at.part"
    part.write_text(json.dumps({"number": number, "what": what, "when": when, "leaders": leaders}))
    part.rename(data / "die-at")


def withdraw_order(data: Path) -> None:
    (data / "die-at").unlink(missing_ok=True)


class Death:
    """Counts once the order is there; a new order begins with one."""

    def __init__(self, data: Path) -> None:
        self._order, self._lock = data / "die-at", threading.Lock()
        self._counted, self._seen = 0, ""

    def around(self, what: str, work: Callable[[], T]) -> T:
        """Do it, and let die before or after it where it is the one."""
        if not self._order.exists():
            return work()
        text = self._order.read_text()
        order = json.loads(text)
        if order["what"] != what:
            return work()
        with self._lock:
            self._counted = self._counted + 1 if text == self._seen else 1
            self._seen = text
            is_it = self._counted == order["number"]
        if is_it and order["when"] == "before":
            end_all(order["leaders"])
        done = work()
        if is_it and order["when"] == "after":
            end_all(order["leaders"])
        return done
