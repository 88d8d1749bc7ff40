"""`make mutants`: the score of each file, and what nobody noticed. See the package's docstring.

python -m tests.mutants                          everything; takes an afternoon
python -m tests.mutants replies --most 50        one group, and of each file 50 changes, drawn by a fixed seed
"""

import argparse
import ast
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.mutants.changes import Change, changes
from tests.mutants.groups import GROUPS, Group
from tests.mutants.trial import ROOT, SPARE, Ended, Trial, begin, end

WANTED = 85  # per cent
DATABASE = """
import django
django.setup()
from django.test.utils import setup_databases
setup_databases(0, False)
"""


def made_database() -> Path:
    """A data folder with the empty database of tests, made once and copied for each trial."""
    folder = Path(tempfile.mkdtemp(prefix="mutants-"))
    environment = os.environ | {"CHATSITE_DATA": str(folder), "DJANGO_SETTINGS_MODULE": "tests.settings"}
    subprocess.run([sys.executable, "-c", DATABASE], check=True, env=environment, cwd=ROOT)
    return folder


def preload() -> None:
    """What every trial needs and is not ours; each import here is one that no fork has to do."""
    for name in ("pytest", "django.test", "django.contrib.admin", "requests"):
        __import__(name)
    for name in ("PIL.Image", "cryptography.fernet", "markdown_it", "nh3", "pygments.lexers", "urllib3"):
        __import__(name)


def tried(
    group: Group, path: Path, chosen: Sequence[Change], template: Path, jobs: int, seconds: float
) -> Iterator[tuple[Change, Ended]]:
    """Each change with how the tests ended on it."""
    waiting, running = deque(chosen), list[tuple[Change, Trial]]()
    while waiting or running:
        while waiting and len(running) < jobs:
            change = waiting.popleft()
            running.append((change, begin(template, path, change.source, group.tests, seconds)))
        time.sleep(0.05)
        for change, trial in running.copy():
            if ended := end(trial, seconds):
                running.remove((change, trial))
                yield change, ended


def whole(group: Group, template: Path) -> float:
    """Seconds of processor time of the tests on a file that is not broken. Raises SystemExit where they fail."""
    path = ROOT / group.files[0]
    trial = begin(template, path, ast.unparse(ast.parse(path.read_text())), group.tests, 3600)
    while (ended := end(trial, 3600)) is None:
        time.sleep(0.1)
    if ended.is_noticed:
        sys.exit(f"{group.name}: the tests fail on the code as it is.\n{ended.log[-3000:]}")
    return ended.seconds


def scored(group: Group, arguments: argparse.Namespace, template: Path) -> tuple[int, int]:
    """Prints the files of a group; how many changes were noticed, of how many."""
    seconds = 5 * whole(group, template) + SPARE
    noticed = total = 0
    for name in group.files:
        if arguments.files and not any(part in name for part in arguments.files):
            continue
        made = changes((ROOT / name).read_text())
        chosen = random.Random(6).sample(made, min(arguments.most, len(made)))
        survivors = [
            change
            for change, ended in tried(group, ROOT / name, chosen, template, arguments.jobs, seconds)
            if not ended.is_noticed
        ]
        noticed += len(chosen) - len(survivors)
        total += len(chosen)
        score = 100 * (1 - len(survivors) / len(chosen)) if chosen else 100.0
        print(
            f"{group.name:12} {score:4.0f} %  {len(chosen) - len(survivors)}/{len(chosen)} of {len(made)}  {name}",
            flush=True,
        )
        for change in sorted(survivors, key=lambda change: change.line):
            print(f"    {name}:{change.line}  {change.what}", flush=True)
    return noticed, total


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("groups", nargs="*", choices=[group.name for group in GROUPS] + [[]])
    parser.add_argument("--files", nargs="*", help="parts of names of files; the others are left out")
    parser.add_argument("--most", type=int, default=10**6, help="changes of each file")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    arguments = parser.parse_args()
    template = made_database()
    preload()
    scores = {
        group.name: scored(group, arguments, template)
        for group in GROUPS
        if not arguments.groups or group.name in arguments.groups
    }
    shutil.rmtree(template)
    for name, (noticed, total) in scores.items():
        print(f"{name}: {100 * noticed / max(1, total):.0f} % of {total} changes noticed")
    return int(any(100 * noticed < WANTED * total for noticed, total in scores.values()))


if __name__ == "__main__":
    sys.exit(main())
