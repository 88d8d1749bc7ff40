"""`make mutants`: the score of each file, and what nobody noticed. See the package's docstring.

python -m tests.mutants                          everything
python -m tests.mutants replies --most 50        one group, and of each file 50 changes, drawn by a fixed seed
"""

import argparse
import json
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

from tests.mutants.changes import Change, broken, changes
from tests.mutants.groups import GROUPS, Group
from tests.mutants.seen import Seen
from tests.mutants.trial import ROOT, Trial, ended, forked, fresh
from tests.mutants.whole import Wanted, Whole, on_whole

WANTED = 85  # per cent
START = 20.0  # seconds of processor time that the application may take to be loaded
LONG = 100_000.0  # seconds
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
    for name in ("pytest", "coverage", "django.test", "django.contrib.admin", "requests"):
        __import__(name)
    for name in ("PIL.Image", "cryptography.fernet", "markdown_it", "nh3", "pygments.lexers", "urllib3"):
        __import__(name)


def drawn(group: Group, arguments: argparse.Namespace) -> Wanted:
    """The changes to be tried, with their files."""
    chosen: list[tuple[str, Change]] = []
    for name in group.files:
        if not arguments.files or any(part in name for part in arguments.files):
            made = changes((ROOT / name).read_text())
            if not arguments.lines:
                made = random.Random(6).sample(made, min(arguments.most, len(made)))
            chosen += [(name, change) for change in made if not arguments.lines or change.line in arguments.lines]
    return chosen


def on_running(
    group: Group, wanted: Wanted, template: Path, arguments: argparse.Namespace
) -> tuple[Seen, dict[int, bool]]:
    """What tests run through, and which changes within functions were noticed. Raises SystemExit where tests fail."""
    kept = ROOT / ".build" / "mutants" / group.name
    shutil.rmtree(kept, ignore_errors=True)
    kept.mkdir(parents=True)
    plugin = Whole(group.files, wanted, template, arguments.jobs, arguments.budget, kept)
    trial = forked(template, LONG, lambda folder: on_whole(group.tests, plugin, folder))
    while (end := ended(trial)) is None:
        time.sleep(0.1)
    if end.status:
        sys.exit(f"{group.name}: the tests fail on the code as it is.\n{end.log[-3000:]}")
    print(
        f"{group.name}: the tests have run, and changes within functions have been tried", file=sys.stderr, flush=True
    )
    results = json.loads((kept / "results.json").read_text())
    return Seen.load(kept / "seen.json"), {int(place): noticed for place, noticed in results.items()}


def on_new(
    group: Group, wanted: Wanted, places: Sequence[int], seen: Seen, template: Path, arguments: argparse.Namespace
) -> Iterator[tuple[int, bool]]:
    """The same for changes of what is only loaded once."""
    sources = {name: (ROOT / name).read_text() for name in group.files}

    def begun(name: str, change: Change) -> Trial:
        through = seen.through_names(change, sources)
        tests = [*group.always, *seen.quick_first(through, arguments.budget)]
        tree = broken(sources[name], change.number)
        seconds = START + 4 * sum(seen.seconds.get(test, START) for test in tests)
        return forked(template, seconds, lambda folder: fresh(ROOT / name, tree, tests, folder))

    waiting, running = deque(places), list[tuple[int, Trial]]()
    while waiting or running:
        while waiting and len(running) < arguments.jobs:
            place = waiting.popleft()
            running.append((place, begun(*wanted[place])))
        time.sleep(0.05)
        for place, trial in running.copy():
            if end := ended(trial):
                running.remove((place, trial))
                yield place, end.is_noticed
    print(f"{group.name}: {len(places)} changes of what is loaded once have been tried", file=sys.stderr, flush=True)


def scored(group: Group, arguments: argparse.Namespace, template: Path) -> tuple[int, int]:
    """Prints the files of a group; how many changes were noticed, of how many."""
    wanted = drawn(group, arguments)
    seen, noticed = on_running(group, wanted, template, arguments)
    missing = [place for place in range(len(wanted)) if place not in noticed]
    noticed |= on_new(group, wanted, missing, seen, template, arguments)
    for file in group.files:
        places = [place for place, (name, _) in enumerate(wanted) if name == file]
        count = sum(noticed[place] for place in places)
        print(f"{group.name:12} {100 * count / max(1, len(places)):4.0f} %  {count}/{len(places)}  {file}")
        for place in sorted((place for place in places if not noticed[place]), key=lambda at: wanted[at][1].line):
            change = wanted[place][1]
            nobody = "" if seen.through(file, change) else "  (no test runs it)"
            print(f"    {file}:{change.line}  {change.what}{nobody}", flush=True)
    return sum(noticed.values()), len(wanted)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("groups", nargs="*", choices=[group.name for group in GROUPS] + [[]])
    parser.add_argument("--files", nargs="*", help="parts of names of files; the others are left out")
    parser.add_argument("--lines", nargs="*", type=int, help="only changes in these lines, all of them")
    parser.add_argument("--most", type=int, default=10**6, help="changes of each file")
    parser.add_argument("--budget", type=float, default=10.0, help="seconds of tests for each change, quick ones first")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    arguments = parser.parse_args()
    template = made_database()
    preload()
    try:
        scores = {
            group.name: scored(group, arguments, template)
            for group in GROUPS
            if not arguments.groups or group.name in arguments.groups
        }
    finally:
        shutil.rmtree(template)
    for name, (noticed, total) in scores.items():
        print(f"{name}: {100 * noticed / max(1, total):.0f} % of {total} changes noticed")
    return int(any(100 * noticed < WANTED * total for noticed, total in scores.values()))


if __name__ == "__main__":
    sys.exit(main())
