"""A throw-away PostgreSQL server from the system's packages, on loopback, in a temporary folder.

`python -m tests.postgres COMMAND …` runs a command with DATABASE_URL naming a database on one.
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from tests.serving import free_port, until

# Nobody will read this data again: the disk is not waited for.
OPTIONS = "-c fsync=off -c full_page_writes=off -c listen_addresses=127.0.0.1 -c max_connections=200"


def binaries() -> Path:
    """Where PostgreSQL's programs are; Debian keeps them out of the search path."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    path = str(found[-1]) if found else shutil.which("initdb")
    assert path, "these tests need PostgreSQL; see tests/system-packages.sh"
    return Path(path).resolve().parent


@dataclass
class Postgres:
    """One server with one empty database. As root it runs as the user postgres, since it refuses to be root."""

    port: int = field(default_factory=free_port)
    folder: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="chatsite-postgres-")))
    options: str = ""  # of the server, behind OPTIONS

    @property
    def url(self) -> str:
        return f"postgres://chatsite@127.0.0.1:{self.port}/postgres"

    def __enter__(self) -> "Postgres":
        try:
            if os.getuid() == 0:
                shutil.chown(self.folder, "postgres", "postgres")
            self._run(
                "initdb", "--username=chatsite", "--auth=trust", "--no-sync", "--encoding=UTF8", "--locale=C.UTF-8"
            )
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def start(self) -> None:
        self._run(
            "pg_ctl",
            "start",
            "--wait",
            f"--log={self.folder}/log",
            f"--options={OPTIONS} {self.options} -p {self.port} -k ''",
        )

    def start_again(self) -> None:
        """After a kill; the last of its processes may still hold its memory for a moment."""
        until(self._starts, "PostgreSQL's return")

    def _starts(self) -> bool:
        try:
            self.start()
        except subprocess.CalledProcessError:
            return False
        return True

    def stop(self, mode: str = "fast") -> None:
        """`fast` drops all connections, `immediate` is a crash."""
        self._run("pg_ctl", "stop", "--wait", f"--mode={mode}")

    @property
    def leader(self) -> int | None:
        """The process id of the one that started all others, while it is alive."""
        try:
            pid = int((self.folder / "data" / "postmaster.pid").read_text().split()[0])
            command = Path(f"/proc/{pid}/cmdline").read_text()
        except FileNotFoundError:
            return None
        return pid if str(self.folder) in command else None  # else a number that somebody else got since

    def kill(self) -> None:
        """Every process of it at once, by SIGKILL."""
        leader = self.leader
        assert leader
        children = Path(f"/proc/{leader}/task/{leader}/children").read_text().split()
        for process in (leader, *map(int, children)):
            os.kill(process, signal.SIGKILL)
        until(lambda: not Path(f"/proc/{leader}").exists(), "the end of PostgreSQL")

    def __exit__(self, *_exc: object) -> None:
        if self.leader:
            self.stop("immediate")
        shutil.rmtree(self.folder, ignore_errors=True)

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(binaries() / program), f"--pgdata={self.folder}/data", *arguments]
        user = "postgres" if os.getuid() == 0 else None
        subprocess.run(
            command, check=True, stdout=subprocess.DEVNULL, user=user, cwd=self.folder, env={"PATH": os.defpath}
        )


if __name__ == "__main__":
    # Its statistics would come at some moment of a run, from whatever stands in the tables then, and change plans.
    with Postgres(options="-c autovacuum=off") as server:
        # The test databases go with the server; removing them would have to wait for every last connection.
        environment = os.environ | {"DATABASE_URL": server.url, "PYTEST_ADDOPTS": "--reuse-db"}
        sys.exit(subprocess.run(sys.argv[1:], env=environment, check=False).returncode)
