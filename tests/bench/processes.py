"""The processes of a measurement: started, watched through /proc, and ended. Linux only."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TICKS = os.sysconf("SC_CLK_TCK")
REFERENCE = 2_000_000  # additions of the loop that tells how quick the machine is just now


@dataclass(frozen=True, slots=True)
class Spent:
    """What a process and all its descendants used: CPU in seconds, memory in bytes (resident now, highest so far)."""

    cpu: float
    resident: int
    peak: int


def descendants(pid: int) -> list[int]:
    """The process itself and its living descendants."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and (fields := stat_fields(int(entry.name))):
            children.setdefault(int(fields[1]), []).append(int(entry.name))
    found = [pid]
    for parent in found:
        found.extend(children.get(parent, []))
    return found


def stat_fields(pid: int) -> list[str]:
    """The fields of /proc/<pid>/stat behind the command's name (the state is number 0), or none if it is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def spent(pid: int) -> Spent:
    """CPU of ended children that were waited for counts as their parent's."""
    cpu, resident, peak = 0, 0, 0
    for member in descendants(pid):
        cpu += sum(int(ticks) for ticks in stat_fields(member)[11:15])
        memory = memory_fields(member)
        resident += memory.get("VmRSS", 0)
        peak += memory.get("VmHWM", 0)
    return Spent(cpu / TICKS, resident, peak)


def memory_fields(pid: int) -> dict[str, int]:
    """The sizes in /proc/<pid>/status, in bytes."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return {}
    sizes = (line.replace(":", "").split() for line in lines if line.endswith("kB"))
    return {name: int(number) * 1024 for name, number, _unit in sizes}


@contextmanager
def started(
    command: Sequence[str], environment: Mapping[str, str], log: Path | None = None, folder: Path = ROOT
) -> Iterator[subprocess.Popen[str]]:
    """A process in a group of its own; its output goes to `log` or, without one, to the reader of `stdout`."""
    output = log.open("a") if log else subprocess.PIPE
    process = subprocess.Popen(
        command,
        cwd=folder,
        env=dict(environment),
        stdout=output,
        stderr=subprocess.STDOUT if log else None,
        text=True,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        end(process)
        for stream in (output, process.stdout):
            if stream is not None and not isinstance(stream, int):
                stream.close()


def comes_up(process: subprocess.Popen[str], answers: Callable[[], bool], deadline: float) -> bool:
    """Wait for its first answer; False if it ends instead, or is silent until the deadline."""
    until = time.monotonic() + deadline
    while process.poll() is None and time.monotonic() < until:
        if answers():
            return True
        time.sleep(0.003)
    return False


def end(process: subprocess.Popen[str], patience: float = 10.0) -> None:
    """Ask it to end; after `patience` seconds end it and everything it started."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
    try:
        process.wait(patience)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@contextmanager
def upstream() -> Iterator[tuple[str, int]]:
    """The fake upstream: its address and its process id."""
    with started([sys.executable, "-m", "tests.bench.upstream"], os.environ) as process:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{int(process.stdout.readline())}", process.pid


def reference() -> float:
    """CPU seconds of a loop that is always the same: more on a slow machine, and where others use its caches."""
    begun, total = time.process_time(), 0
    for number in range(REFERENCE):
        total += number
    return time.process_time() - begun
