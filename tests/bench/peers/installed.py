"""A peer in a virtual environment of its own, from the package index; it stays there for the next measurement."""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.bench.processes import ROOT

HOME = ROOT / ".bench"
PIP = ("-m", "pip", "--disable-pip-version-check", "--quiet")


class Unavailable(Exception):
    """A peer that cannot be measured here; the message is a sentence about it."""


@dataclass(frozen=True, slots=True)
class Installed:
    name: str
    packages: tuple[str, ...]
    home: Path = HOME

    @property
    def folder(self) -> Path:
        return self.home / self.name

    @property
    def programs(self) -> Path:
        return self.folder / "bin"

    def bring(self) -> None:
        """Raises Unavailable. Only what was installed whole counts as there."""
        done = self.folder / "installed"
        if done.exists() and done.read_text() == self._wanted:
            return
        self._run(sys.executable, "-m", "venv", "--clear", str(self.folder))
        self._run(str(self.programs / "python"), *PIP, "install", *self.packages)
        done.write_text(self._wanted)

    @property
    def _wanted(self) -> str:
        return "\n".join(self.packages)

    def version(self) -> str:
        asked = f"from importlib.metadata import version; print(version({self.packages[0]!r}))"
        return f"{self.name} {self._run(str(self.programs / 'python'), '-c', asked).strip()}"

    def _run(self, *command: str) -> str:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            said = [line for line in done.stderr.splitlines() if line.strip()] or ["no reason was given"]
            raise Unavailable(f"{self.name} cannot be installed: {said[-1]}")
        return done.stdout
