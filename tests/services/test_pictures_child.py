"""The process that reads hostile pictures: what bounds it, what it may know, and that it always ends.

No database, but Linux's /proc. Where a test needs a child that misbehaves, a script of its own stands in for it.
"""

import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import pytest
from PIL import Image

from conversations.services import pictures
from conversations.services.pictures import LIMITS, Picture
from tests import measured

Found = TypeVar("Found")
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def large() -> bytes:
    """A picture that keeps a child busy long enough to be looked at."""
    file = io.BytesIO()
    Image.new("RGB", (5_000, 3_000), "navy").save(file, "PNG", compress_level=1)
    return file.getvalue()


@pytest.fixture(scope="module")
def small() -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (60, 40), "navy").save(file, "PNG")
    return file.getvalue()


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(8) as pool:
        yield pool


def until(condition: Callable[[], Found], seconds: float = 60) -> Found:
    """What `condition` gives as soon as that is true."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.001)
    return found


def read(path: Path) -> bytes:
    """The content of a file under /proc; empty where its process is gone."""
    try:
        return path.read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return b""


def children(of: int | None = None) -> set[int]:
    """The picture children of a process, dead ones that nobody waited for included."""
    parent = f"PPid:\t{of or os.getpid()}\n".encode()
    pids = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdecimal()]
    mine = [pid for pid in pids if parent in read(Path(f"/proc/{pid}/status"))]
    return {pid for pid in mine if is_picture_child(pid)}


def is_picture_child(pid: int) -> bool:
    """A child between fork and exec still carries its parent's command, a dead one carries none."""
    command = read(Path(f"/proc/{pid}/cmdline"))
    return not command or b"picture_child.py" in command


def state(pid: int) -> str:
    """The letter of /proc: R running, T stopped, Z dead and not waited for; empty where there is no such process."""
    return read(Path(f"/proc/{pid}/stat")).decode().rpartition(")")[2].strip()[:1]


def stopped_child() -> int:
    """The one picture child of this process, held still."""
    (pid,) = until(children)
    os.kill(pid, signal.SIGSTOP)
    until(lambda: state(pid) == "T")
    return pid


def test_the_child_knows_nothing_of_the_server(
    large: bytes, pool: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SEGMIND_API_KEY", "sk-canary")
    with (tmp_path / "database").open("w") as file:
        os.set_inheritable(file.fileno(), True)
        outcome = pool.submit(pictures.vet, large)
        pid = stopped_child()
        environment = read(Path(f"/proc/{pid}/environ"))
        command = read(Path(f"/proc/{pid}/cmdline"))
        open_files = {os.readlink(link) for link in Path(f"/proc/{pid}/fd").iterdir()}
        folder = os.readlink(f"/proc/{pid}/cwd")
        session = os.getsid(pid)
        os.kill(pid, signal.SIGCONT)

    assert environment == b"MALLOC_ARENA_MAX=1\0"
    assert b"canary" not in command
    assert file.name not in open_files
    assert not [name for name in open_files if name.startswith("socket:")]
    assert folder == "/"
    assert session == pid  # an interrupt from the keyboard is the parent's to handle
    assert outcome.result().width == 2048


def test_the_child_is_bound_in_time_and_memory(large: bytes, pool: ThreadPoolExecutor) -> None:
    outcome = pool.submit(pictures.vet, large)
    (pid,) = until(children)

    until(lambda: is_bound(pid))
    os.kill(pid, signal.SIGSTOP)

    assert limits_of(pid)["Max cpu time"] == ["3", "4"]
    assert limits_of(pid)["Max core file size"] == ["0", "0"]
    os.kill(pid, signal.SIGCONT)
    assert outcome.result().width == 2048


def limits_of(pid: int) -> dict[str, list[str]]:
    """Soft and hard limit by name."""
    lines = read(Path(f"/proc/{pid}/limits")).decode().splitlines()
    return {line[:26].strip(): line[26:].split()[:2] for line in lines}


def is_bound(pid: int, *, room: int | None = None) -> bool:
    """Whether the child has come to its last limit, and so to its parent's death before it."""
    room = measured.room() if room is None else room
    return limits_of(pid).get("Max address space") == [str(512 * 2**20 + room)] * 2


def test_the_child_works_on_every_processor_even_where_the_server_stays_on_one(
    large: bytes, pool: ThreadPoolExecutor
) -> None:
    processors = os.sched_getaffinity(0)

    def vet_on_one_processor() -> Picture:
        os.sched_setaffinity(0, {min(processors)})  # of this thread, from which the child has it
        return pictures.vet(large)

    outcome = pool.submit(vet_on_one_processor)
    (pid,) = until(children)
    until(lambda: is_bound(pid))
    os.kill(pid, signal.SIGSTOP)

    assert os.sched_getaffinity(pid) == processors
    os.kill(pid, signal.SIGCONT)
    assert outcome.result().width == 2048


def test_a_child_that_hangs_is_killed(large: bytes, pool: ThreadPoolExecutor) -> None:
    outcome = pool.submit(pictures.vet, large, limits=replace(LIMITS, wall_seconds=1))
    pid = stopped_child()

    with pytest.raises(pictures.TooSlow):
        outcome.result()
    assert state(pid) == ""


def test_a_picture_that_needs_more_memory_is_refused(large: bytes) -> None:
    with pytest.raises(pictures.TooMuchMemory):
        pictures.vet(large, limits=replace(LIMITS, memory=64 * 2**20))


def test_a_large_jpeg_is_decoded_in_less_than_its_full_size() -> None:
    """Its 24 million pixels alone would take more memory than there is."""
    file = io.BytesIO()
    Image.new("RGB", (6_000, 4_000), "navy").save(file, "JPEG")

    picture = pictures.vet(file.getvalue(), longest_side=1_500, limits=replace(LIMITS, memory=80 * 2**20))

    assert (picture.width, picture.height) == (1_500, 1_000)


def test_a_child_that_cannot_even_start_refuses_the_picture(small: bytes) -> None:
    with pytest.raises(pictures.PictureRefused):
        pictures.vet(small, limits=replace(LIMITS, memory=2**20))


def test_no_child_is_left_behind(small: bytes, large: bytes) -> None:
    pictures.vet(small)
    for data, limits in (
        (small[: len(small) // 2], LIMITS),
        (large, replace(LIMITS, memory=64 * 2**20)),
        (large, replace(LIMITS, wall_seconds=0.01)),
        (large, replace(LIMITS, output_bytes=100)),
    ):
        with pytest.raises(pictures.PictureRefused):
            pictures.vet(data, limits=limits)

    assert children() == set()


def test_no_open_file_is_left_behind(small: bytes) -> None:
    before = len(os.listdir("/proc/self/fd"))

    for data in (small, small[: len(small) // 2], small):
        pictures.vet_all([data])

    assert len(os.listdir("/proc/self/fd")) == before


def test_the_child_dies_with_its_parent(large: bytes, tmp_path: Path) -> None:
    (tmp_path / "large.png").write_bytes(large)
    program = (
        "import pathlib, sys; from conversations.services import pictures;"
        "pictures.vet(pathlib.Path(sys.argv[1]).read_bytes())"
    )
    with subprocess.Popen([sys.executable, "-c", program, str(tmp_path / "large.png")], cwd=ROOT) as parent:
        (pid,) = until(lambda: children(parent.pid))
        until(lambda: is_bound(pid, room=0))  # this parent's child is never measured
        os.kill(pid, signal.SIGSTOP)  # it cannot end by itself now
        until(lambda: state(pid) == "T")
        parent.kill()

    until(lambda: state(pid) in ("", "Z", "X"))


def test_a_child_whose_parent_is_gone_does_nothing(small: bytes) -> None:
    task = json.loads(pictures._task("png", None, LIMITS)) | {"parent": 1}

    child = subprocess.run(
        [sys.executable, "-I", "-S", str(pictures.CHILD), json.dumps(task)], input=small, capture_output=True
    )

    assert (child.returncode, child.stdout) == (1, b"")


def test_at_most_four_children_run_at_once(large: bytes, pool: ThreadPoolExecutor) -> None:
    outcomes = [pool.submit(pictures.vet, large) for _ in range(7)]

    assert most_children(outcomes, pause_at=4) == 4
    assert {outcome.result().width for outcome in outcomes} == {2048}


def test_several_files_are_vetted_two_at_a_time(large: bytes, pool: ThreadPoolExecutor) -> None:
    outcome = pool.submit(pictures.vet_all, [large] * 4)

    assert most_children([outcome], pause_at=2) == 2
    assert len(outcome.result()) == 4


def most_children(outcomes: Sequence[Future[Any]], pause_at: int) -> int:
    """The largest number of children seen at once; the first ones are held until there are `pause_at` of them."""
    held: set[int] = set()

    def hold_all() -> bool:
        for pid in children() - held:
            os.kill(pid, signal.SIGSTOP)
            held.add(pid)
        return len(held) >= pause_at

    until(hold_all)
    most = len(children())
    for pid in held:
        os.kill(pid, signal.SIGCONT)
    while not all(outcome.done() for outcome in outcomes):
        most = max(most, len(children()))
    return most
