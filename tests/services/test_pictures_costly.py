"""Small legal files that cost far more than they look: what the child spends on each is bounded. No database."""

import io
import resource
import struct
import zlib
from collections.abc import Callable
from dataclasses import replace

import pytest
from PIL import Image

from conversations.services import pictures
from conversations.services.pictures import LIMITS, Picture
from tests.services import picture_files
from tests.services.picture_files import gif_block, jpeg_segment, png_chunk, webp_chunk, with_gif_blocks
from tests.services.test_pictures_hostile import file_of, sample, scene

SECONDS = 1  # of processor time; uploads have three
GRACE = 0.5
MANY = 20_000


def interlaced_png(side: int) -> bytes:
    """Black, in the seven passes of Adam7."""
    steps = ((8, 8), (8, 8), (4, 8), (4, 4), (2, 4), (2, 2), (1, 2))
    size = sum(-(-side // down) * (1 + 3 * -(-side // across)) for across, down in steps)
    header = png_chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 1))
    pixels = png_chunk(b"IDAT", zlib.compress(bytes(size), 9))
    return picture_files.PNG_START + header + pixels + png_chunk(b"IEND", b"")


def png_with(*chunks: bytes) -> bytes:
    return picture_files.with_png_chunks(sample("PNG"), *chunks)


def animated(format: str) -> bytes:
    """So many frames as fit into a second of writing, each of another colour."""
    frames = [Image.new("RGB", (16, 16), (number % 256, number // 256, 0)) for number in range(1_000)]
    return file_of(frames[0], format, save_all=True, append_images=frames[1:])


def animated_webp() -> bytes:
    """One frame, MANY times."""
    pixels = webp_chunk(*picture_files.webp_chunks(sample("WEBP"))[0])
    canvas = (95).to_bytes(3, "little") + (63).to_bytes(3, "little")
    frame = webp_chunk(b"ANMF", bytes(6) + canvas + bytes(4) + pixels)
    header = webp_chunk(b"VP8X", struct.pack("<I", 2) + canvas) + webp_chunk(b"ANIM", bytes(6))
    return picture_files.webp(header, *[frame] * (MANY // 2))


def progressive_jpeg() -> bytes:
    """Scans that say nothing new, over 16 megapixels."""
    whole = file_of(Image.new("L", (4_000, 4_000)), "JPEG", progressive=True)
    scan = whole[whole.rindex(b"\xff\xda") : -2]
    return whole[:-2] + scan * 1_000 + whole[-2:]


def nested_heic() -> bytes:
    """A box in a box, MANY deep, behind a picture."""
    inner = b""
    for _ in range(2_000):
        inner = struct.pack(">I", 8 + len(inner)) + b"meta" + inner
    return sample("HEIF") + inner


def grey_profile(points: int) -> bytes:
    """A curve of so many points, where one number would do."""
    curve = b"curv" + struct.pack(">II", 0, points) + bytes(2 * points)
    table = struct.pack(">I4sII", 1, b"kTRC", 144, len(curve))
    header = struct.pack(">I4sI", 144 + len(curve), b"test", 0x02100000) + b"mntrGRAYXYZ " + bytes(12) + b"acsp"
    return header + bytes(128 - len(header)) + table + curve


COSTLY: dict[str, Callable[[], bytes]] = {
    "png in seven passes": lambda: interlaced_png(6_000),
    "png of many chunks": lambda: png_with(*[png_chunk(b"tEXt", b"a\0b")] * (40 * MANY)),
    "png of many texts": lambda: png_with(*[png_chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(900_000), 9))] * 60),
    "png of many frames": lambda: animated("PNG"),
    "png of a profile": lambda: png_with(png_chunk(b"iCCP", b"a\0\0" + zlib.compress(grey_profile(400_000), 9))),
    "jpeg of many scans": progressive_jpeg,
    "jpeg of many remarks": lambda: picture_files.with_jpeg_segments(
        sample("JPEG"), *[jpeg_segment(0xFE, b"a")] * (60 * MANY)
    ),
    "jpeg of many profiles": lambda: picture_files.with_jpeg_segments(
        sample("JPEG"), *[jpeg_segment(0xE2, b"ICC_PROFILE\0\1\xff" + bytes(60_000))] * 250
    ),
    "gif of many frames": lambda: animated("GIF"),
    "gif of many remarks": lambda: with_gif_blocks(sample("GIF"), *[gif_block(0xFE, b"a")] * (40 * MANY)),
    "gif of a large canvas": lambda: sample("GIF")[:6] + struct.pack("<HH", 6_000, 6_000) + sample("GIF")[10:],
    "webp of many frames": animated_webp,
    "webp of many chunks": lambda: picture_files.webp(
        webp_chunk(*picture_files.webp_chunks(sample("WEBP"))[0]), *[webp_chunk(b"CANY", b"")] * (60 * MANY)
    ),
    "heic in many boxes": nested_heic,
    "heic of many frames": lambda: file_of(scene(), "HEIF", save_all=True, append_images=[scene()] * 60),
}


def spent() -> float:
    """Seconds of processor time of all children that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


@pytest.mark.parametrize("name", COSTLY)
def test_what_a_small_file_costs_is_bounded(name: str) -> None:
    data = COSTLY[name]()
    assert len(data) < LIMITS.file_bytes
    before = spent()
    try:
        outcome: Picture | pictures.PictureRefused = pictures.vet(data, limits=replace(LIMITS, cpu_seconds=SECONDS))
    except pictures.PictureRefused as refusal:
        outcome = refusal
    assert spent() - before < SECONDS + GRACE
    assert isinstance(outcome, Picture | pictures.TooSlow | pictures.Broken | pictures.TooMuchMemory)
    if isinstance(outcome, Picture):
        assert getattr(Image.open(io.BytesIO(outcome.data)), "n_frames", 1) == 1
