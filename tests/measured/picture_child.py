"""Stands before the process that reads pictures while `make coverage` measures: what that runs is noted as well.

Through a link in another folder it notes there, under the name of the test that stands in `now`. Measuring takes
memory of its own, so much of which the limit leaves besides.
"""

import json
import os
import resource
import runpy
import sys
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).resolve().parents[2]
CHILD = ROOT / "conversations" / "services" / "picture_child.py"
ROOM = 20 * 2**20  # bytes


def main() -> None:
    sys.path.extend(json.loads(sys.argv[1])["paths"])  # it was started without site-packages
    elsewhere, sys.platform = sys.platform, "linux"  # where a test says that this is another system
    from coverage import Coverage

    # Its own settings: it stands in another folder, in which those of the project mean nothing.
    now = Path(sys.argv[0]).with_name("now")
    data, test = (now.with_name("child"), now.read_text()) if now.exists() else (ROOT / ".build" / "coverage", None)
    measuring = Coverage(
        data_file=str(data), data_suffix=True, config_file=False, branch=True, include=[str(CHILD)], context=test
    )
    leave, limit = os._exit, resource.setrlimit

    def noted(status: int) -> NoReturn:
        measuring.stop()
        measuring.save()
        leave(status)

    def with_room(what: int, limits: tuple[int, int]) -> None:
        soft, hard = limits
        limit(what, (soft + ROOM, hard + ROOM) if what == resource.RLIMIT_AS else limits)

    os._exit, resource.setrlimit = noted, with_room
    measuring.start()
    sys.platform = elsewhere
    runpy.run_path(str(CHILD), run_name="__main__")


if __name__ == "__main__":
    main()
