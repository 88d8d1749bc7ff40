"""The one path for picture bytes, uploaded or drawn by a model: checked, cleaned and scaled by a bounded child process.

No models and no settings in here. What comes back was written by our own encoders, without any metadata.

PictureRefused
├── TooLarge        too_large        more bytes than a file may have
├── NotAPicture     not_an_image     none of the formats that are taken, whatever its name says
├── TooManyPixels   too_many_pixels  read from the header, before anything is decoded
├── Broken          broken           cut off, damaged, or made to hurt the decoder
├── TooSlow         too_slow         decoding took more time than it may
└── TooMuchMemory   too_much_memory  decoding took more memory than it may
"""

import hashlib
import json
import os
import selectors
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Any

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True, slots=True)
class Limits:
    """Sizes in bytes, times in seconds, sides in pixels. `pixels` and `side` bind before a picture is decoded."""

    file_bytes: int = 20 * 2**20
    pixels: int = 40_000_000
    side: int = 12_000
    cpu_seconds: int = 3
    wall_seconds: float = 10.0
    memory: int = 512 * 2**20
    thumbnail_side: int = 512
    output_bytes: int = 64 * 2**20


LIMITS = Limits()
CHILD = Path(__file__).with_name("picture_child.py")
HEADER_BYTES = 500
MEDIA_TYPES = {"png": "image/png", "jpeg": "image/jpeg", "webp": "image/webp"}
HEIC_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1"}

# Each child may take `Limits.memory`; a crowd of uploads must not take that many times over.
_places = threading.BoundedSemaphore(4)


@dataclass(frozen=True, slots=True)
class Picture:
    """A clean picture: `data` and `thumbnail` are whole files, width and height (of `data`) are in pixels."""

    media_type: str
    width: int
    height: int
    data: bytes
    thumbnail: bytes
    thumbnail_media_type: str

    @property
    def sha256(self) -> str:
        """Hex digest of `data`; the same file always gives the same one."""
        return hashlib.sha256(self.data).hexdigest()


class PictureRefused(Exception):
    """These bytes are not taken. `code` is stable, `sentence` says to a person what to do."""

    code = "refused"
    sentence = _("This picture cannot be used. Choose another one.")


class TooLarge(PictureRefused):
    code = "too_large"
    sentence = format_lazy(
        _("The file is too large. Pictures may have up to {megabytes} MB: save it smaller and try again."),
        megabytes=LIMITS.file_bytes // 2**20,
    )


class NotAPicture(PictureRefused):
    code = "not_an_image"
    sentence = _("This is not a picture that can be used. Choose a PNG, JPEG, WebP, GIF or HEIC file.")


class TooManyPixels(PictureRefused):
    code = "too_many_pixels"
    sentence = format_lazy(
        _("The picture has too many pixels. Scale it to {megapixels} megapixels or less, no side above {side} pixels."),
        megapixels=LIMITS.pixels // 1_000_000,
        side=LIMITS.side,
    )


class Broken(PictureRefused):
    code = "broken"
    sentence = _("The picture is damaged or incomplete. Open it in another program, save it again and try that file.")


class TooSlow(PictureRefused):
    code = "too_slow"
    sentence = _("The picture takes too long to read. Save it smaller, or as PNG or JPEG, and try again.")


class TooMuchMemory(PictureRefused):
    code = "too_much_memory"
    sentence = _("The picture takes too much memory to read. Save it smaller, or as PNG or JPEG, and try again.")


REFUSALS = {refusal.code: refusal for refusal in (TooManyPixels, Broken, TooSlow, TooMuchMemory)}


def vet(data: bytes, *, longest_side: int | None = 2048, limits: Limits = LIMITS) -> Picture:
    """The picture in `data`, upright, without metadata and scaled down to `longest_side` pixels (None: as it is).

    PNG, JPEG and WebP keep their format, GIF (its first frame) becomes PNG and HEIC becomes JPEG.
    Raises PictureRefused.
    """
    if len(data) > limits.file_bytes:
        raise TooLarge
    kind = kind_of(data)
    if kind is None:
        raise NotAPicture
    with _places:
        answer, status = _ask_child(data, _task(kind, longest_side, limits), limits)
    return _read_answer(answer, status)


def vet_all(files: Sequence[bytes], *, longest_side: int | None = 2048) -> list[Picture | PictureRefused]:
    """For each file, in order, its picture or why it was refused; two at a time."""

    def result(data: bytes) -> Picture | PictureRefused:
        try:
            return vet(data, longest_side=longest_side)
        except PictureRefused as refusal:
            return refusal

    with ThreadPoolExecutor(max_workers=2) as pool:
        return list(pool.map(result, files))


def kind_of(data: bytes) -> str | None:
    """The format by its first bytes: png, jpeg, gif, webp, heic, or None for everything else."""
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "png"
    if data.startswith(b"\xff\xd8\xff"):
        return "jpeg"
    if data.startswith((b"GIF87a", b"GIF89a")):
        return "gif"
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return "webp"
    if data[4:8] == b"ftyp" and data[8:12] in HEIC_BRANDS:
        return "heic"
    return None


def _task(kind: str, longest_side: int | None, limits: Limits) -> str:
    """What the child is told; its fields are those of `picture_child.Task`."""
    return json.dumps(
        {
            "kind": kind,
            "parent": os.getpid(),
            "paths": _library_paths(),
            "longest_side": longest_side,
            "thumbnail_side": limits.thumbnail_side,
            "pixels": limits.pixels,
            "side": limits.side,
            "cpu_seconds": limits.cpu_seconds,
            "memory": limits.memory,
        }
    )


@cache
def _library_paths() -> list[str]:
    """Where the child finds its two libraries: to start quickly, it does not look for site-packages itself."""
    specs = [find_spec(name) for name in ("PIL", "pillow_heif")]
    return sorted({str(Path(spec.origin).parents[1]) for spec in specs if spec and spec.origin})


def _ask_child(data: bytes, task: str, limits: Limits) -> tuple[bytes, int]:
    """What a fresh child wrote, and its return code. The child ends with this call. Raises TooSlow, TooLarge."""
    command = [sys.executable, "-I", "-S", str(CHILD), task]
    # One arena: the limit counts address space, of which every further arena takes 64 MiB.
    environment = {"MALLOC_ARENA_MAX": "1"}
    with (
        _as_file(data) as source,
        subprocess.Popen(  # noqa: S603 - our own script; hostile bytes are no part of the command
            command,
            stdin=source,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
            cwd="/",
            start_new_session=True,
        ) as child,
    ):
        assert child.stdout is not None
        try:
            answer = _read(child.stdout, limits)
        finally:
            child.kill()  # without effect on the return code of one that ended by itself
    return answer, child.returncode


@contextmanager
def _as_file(data: bytes) -> Iterator[IO[bytes]]:
    """The bytes as an open file at its start: unlike a pipe it needs nobody to feed it while the child reads."""
    linux = sys.platform == "linux"
    with os.fdopen(os.memfd_create("picture"), "w+b") if linux else tempfile.TemporaryFile() as file:
        file.write(data)
        file.seek(0)
        yield file


def _read(pipe: IO[bytes], limits: Limits) -> bytes:
    """Everything up to the end of the pipe, within the time and the size; a child that was taken over obeys neither."""
    deadline = time.monotonic() + limits.wall_seconds
    received = bytearray()
    with selectors.PollSelector() as selector:
        selector.register(pipe, selectors.EVENT_READ)
        while selector.select(max(0.0, deadline - time.monotonic())):
            piece = os.read(pipe.fileno(), 2**20)
            if not piece:
                return bytes(received)
            received += piece
            if len(received) > limits.output_bytes:
                raise TooLarge
    raise TooSlow


def _read_answer(answer: bytes, status: int) -> Picture:
    """The picture, from a child that is no more to be trusted than the bytes it was given."""
    line, _newline, blocks = answer.partition(b"\n")
    try:
        header = json.loads(line[:HEADER_BYTES])
        if "refused" in header:
            raise REFUSALS[header["refused"]]
        picture = _picture(header, blocks)
    except (KeyError, TypeError, ValueError):  # not what our own code writes, or nothing at all
        raise _cause_of_death(status) from None
    return picture


def _picture(header: dict[str, Any], blocks: bytes) -> Picture:
    """Raises KeyError, TypeError or ValueError where header and blocks do not make one consistent picture."""
    size = header["bytes"]
    picture = Picture(
        media_type=header["media_type"],
        width=header["width"],
        height=header["height"],
        data=blocks[:size],
        thumbnail=blocks[size:],
        thumbnail_media_type=header["thumbnail_media_type"],
    )
    for data, media_type in (
        (picture.data, picture.media_type),
        (picture.thumbnail, picture.thumbnail_media_type),
    ):
        if media_type != MEDIA_TYPES[kind_of(data) or ""]:
            raise ValueError("the bytes are not of the type they are called")
    if type(picture.width) is not int or type(picture.height) is not int or min(picture.width, picture.height) < 1:
        raise ValueError("sides are not whole positive numbers")
    return picture


def _cause_of_death(status: int) -> type[PictureRefused]:
    """Why a child fell silent, from its return code: the kernel kills it for the time it took, a decoder crashes it."""
    return TooSlow if status in (-signal.SIGXCPU, -signal.SIGKILL) else Broken
