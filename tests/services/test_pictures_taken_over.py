"""What is believed of the process that reads pictures once a decoder in it was taken over, or stands elsewhere.

No database. A script of its own stands in for the child, or prepares what the child finds.
"""

import json
import os
import signal
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from conversations.services import pictures
from conversations.services.pictures import LIMITS, Picture
from tests.services.test_pictures_child import children, is_bound, large, limits_of, pool, small, until

__all__ = ["large", "pool", "small"]  # fixtures


@pytest.fixture
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Puts a program in the child's place, as if a decoder had been taken over."""

    def put(program: str) -> None:
        script = tmp_path / "picture_child.py"
        script.write_text(f"import os, signal, sys, time\n{program}\n")
        monkeypatch.setattr(pictures, "CHILD", script)

    return put


def child_after(preparation: str) -> str:
    """A program that does this, then what the child does."""
    return f"import resource, runpy\n{preparation}\nrunpy.run_path({str(pictures.CHILD)!r}, run_name='__main__')"


def test_a_limit_that_is_lower_already_stays(
    large: bytes, pool: ThreadPoolExecutor, stand_in: Callable[[str], None]
) -> None:
    stand_in(child_after("resource.setrlimit(resource.RLIMIT_CPU, (1, 2))"))
    outcome = pool.submit(pictures.vet, large)
    (pid,) = until(children)
    until(lambda: is_bound(pid))
    os.kill(pid, signal.SIGSTOP)

    assert limits_of(pid)["Max cpu time"] == ["2", "2"]
    os.kill(pid, signal.SIGCONT)
    assert outcome.result().width == 2048


def test_where_there_is_no_linux_pictures_are_read_all_the_same(small: bytes, stand_in: Callable[[str], None]) -> None:
    stand_in(child_after("sys.platform = 'darwin'; del os.sched_setaffinity"))

    assert pictures.vet(small).width == 60


@pytest.mark.parametrize(
    ("name", "refusal"),
    [
        ("SIGSEGV", pictures.Broken),
        ("SIGABRT", pictures.Broken),
        ("SIGXCPU", pictures.TooSlow),
        ("SIGKILL", pictures.TooSlow),
    ],
)
def test_a_crash_is_a_refusal(
    name: str, refusal: type[pictures.PictureRefused], small: bytes, stand_in: Callable[[str], None]
) -> None:
    stand_in(f"os.kill(os.getpid(), signal.{name})")

    with pytest.raises(pictures.PictureRefused) as caught:
        pictures.vet(small)

    assert caught.type is refusal


def reply(data: bytes = b"", **changes: object) -> bytes:
    """An answer as the child gives it, but for `changes` (None leaves a field out)."""
    header: dict[str, object] = {
        "media_type": "image/png",
        "width": 60,
        "height": 40,
        "bytes": len(PNG),
        "thumbnail_media_type": "image/jpeg",
    }
    changed = {name: value for name, value in (header | changes).items() if value is not None}
    return json.dumps(changed).encode() + b"\n" + (data or PNG + JPEG)


PNG, JPEG = b"\x89PNG\r\n\x1a\n...", b"\xff\xd8\xff..."
LIES = {
    "nothing": b"",
    "an empty line": b"\n",
    "no JSON": b"picture\n" + PNG + JPEG,
    "a list": b"[]\n" + PNG + JPEG,
    "a number": b"7\n" + PNG + JPEG,
    "deep nesting": b"[" * 100_000,
    "an unknown refusal": b'{"refused": "whim"}\n',
    "a refusal that is no code": b'{"refused": ["too_slow"]}\n',
    "a foreign type": reply(b"<svg onload=alert(1)>" + JPEG, media_type="image/svg+xml", bytes=21),
    "bytes of another type": reply(JPEG + JPEG, bytes=len(JPEG)),
    "markup called a PNG": reply(b"<script>" + JPEG, bytes=8),
    "markup called a thumbnail": reply(PNG + b"<script>"),
    "a thumbnail of another type": reply(thumbnail_media_type="image/webp"),
    "a picture without thumbnail": reply(PNG),
    "a width in words": reply(width="60"),
    "a width in parts": reply(width=60.5),
    "a width of nothing": reply(width=0),
    "a height below nothing": reply(height=-40),
    "a height in parts": reply(height=40.5),
    "a missing width": reply(width=None),
    "a missing length": reply(bytes=None),
    "a length in words": reply(bytes="11"),
    "a length beyond the end": reply(bytes=10**9),
}


def test_an_honest_answer_is_believed(small: bytes, stand_in: Callable[[str], None]) -> None:
    stand_in(f"sys.stdout.buffer.write({reply()!r})")

    assert pictures.vet(small) == Picture("image/png", 60, 40, PNG, JPEG, "image/jpeg")


@pytest.mark.parametrize("lie", LIES)
def test_a_lie_is_a_refusal(lie: str, small: bytes, stand_in: Callable[[str], None]) -> None:
    stand_in(f"sys.stdout.buffer.write({LIES[lie]!r})")

    with pytest.raises(pictures.Broken):
        pictures.vet(small)


def test_endless_output_is_cut_off(small: bytes, stand_in: Callable[[str], None]) -> None:
    stand_in("while True: sys.stdout.buffer.write(bytes(65536))")

    with pytest.raises(pictures.TooLarge):
        pictures.vet(small, limits=replace(LIMITS, output_bytes=2**20))
    assert children() == set()


def test_a_child_that_lives_on_behind_its_answer_is_killed(small: bytes, stand_in: Callable[[str], None]) -> None:
    stand_in(f"os.write(1, {reply()!r}); os.close(1); time.sleep(600)")

    assert pictures.vet(small).width == 60
    assert children() == set()


def test_a_child_that_ignores_signals_is_killed(small: bytes, stand_in: Callable[[str], None]) -> None:
    stand_in("for number in range(1, 16): number in (9,) or signal.signal(number, signal.SIG_IGN)\ntime.sleep(600)")

    with pytest.raises(pictures.TooSlow):
        pictures.vet(small, limits=replace(LIMITS, wall_seconds=0.5))
    assert children() == set()
