"""Stands before the process that reads pictures while `make coverage` measures: what that runs is noted as well."""

import json
import os
import runpy
import sys
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).resolve().parents[2]
CHILD = ROOT / "conversations" / "services" / "picture_child.py"


def main() -> None:
    sys.path.extend(json.loads(sys.argv[1])["paths"])  # it was started without site-packages
    from coverage import Coverage

    # Its own settings: it stands in another folder, in which those of the project mean nothing.
    data = str(ROOT / ".build" / "coverage")
    measuring = Coverage(data_file=data, data_suffix=True, config_file=False, branch=True, include=[str(CHILD)])
    leave = os._exit

    def noted(status: int) -> NoReturn:
        measuring.stop()
        measuring.save()
        leave(status)

    os._exit = noted
    measuring.start()
    runpy.run_path(str(CHILD), run_name="__main__")


if __name__ == "__main__":
    main()
