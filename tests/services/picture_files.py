"""Picture files taken apart and put together byte by byte, for what no honest program would write."""

import struct
import zlib
from collections.abc import Iterable

PNG_START = b"\x89PNG\r\n\x1a\n"
SRGB_COLOURS = ((0.4361, 0.2225, 0.0139), (0.3851, 0.7169, 0.0971), (0.1431, 0.0606, 0.7141))


def png(width: int, height: int, depth: int, colour_type: int, rows: Iterable[bytes], *chunks: bytes) -> bytes:
    """A PNG of raw rows (without filter bytes), with `chunks` before its pixels."""
    header = png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour_type, 0, 0, 0))
    pixels = png_chunk(b"IDAT", zlib.compress(b"".join(b"\0" + row for row in rows)))
    return b"".join([PNG_START, header, *chunks, pixels, png_chunk(b"IEND", b"")])


def png_chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def with_png_chunks(file: bytes, *chunks: bytes) -> bytes:
    """With these chunks right after the header, which takes 25 bytes."""
    place = len(PNG_START) + 25
    return b"".join([file[:place], *chunks, file[place:]])


def png_chunk_names(file: bytes) -> list[bytes]:
    """The names of all chunks; raises ValueError where anything but chunks is in the file."""
    names, position = [], len(PNG_START)
    while position < len(file):
        (size,) = struct.unpack_from(">I", file, position)
        names.append(file[position + 4 : position + 8])
        position += 12 + size
    if position != len(file) or names[-1] != b"IEND":
        raise ValueError("bytes behind the last chunk")
    return names


def jpeg_segment(marker: int, data: bytes) -> bytes:
    return bytes([0xFF, marker]) + struct.pack(">H", len(data) + 2) + data


def with_jpeg_segments(file: bytes, *segments: bytes) -> bytes:
    """With these segments right after the start marker."""
    return b"".join([file[:2], *segments, file[2:]])


def jpeg_markers(file: bytes) -> list[int]:
    """The markers up to the first scan, and the end marker; raises ValueError where the file goes on behind it."""
    markers: list[int] = []
    position = 2
    while markers[-1:] != [0xDA]:
        markers.append(file[position + 1])
        position += 2 + struct.unpack_from(">H", file, position + 2)[0]
    if file.index(b"\xff\xd9", position) != len(file) - 2:
        raise ValueError("bytes behind the end marker")
    return [*markers, 0xD9]


def webp_chunk(name: bytes, data: bytes) -> bytes:
    return name + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2)


def webp(*chunks: bytes) -> bytes:
    body = b"WEBP" + b"".join(chunks)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def webp_chunks(file: bytes) -> list[tuple[bytes, bytes]]:
    """Names and contents of all chunks; raises ValueError where anything else is in the file."""
    chunks, position = [], 12
    while position < len(file):
        (size,) = struct.unpack_from("<I", file, position + 4)
        chunks.append((file[position : position + 4], file[position + 8 : position + 8 + size]))
        position += 8 + size + size % 2
    if position != len(file) or struct.unpack_from("<I", file, 4)[0] != len(file) - 8:
        raise ValueError("bytes behind the last chunk")
    return chunks


def gif_block(label: int, *parts: bytes) -> bytes:
    """An extension: comment 0xFE, application 0xFF, plain text 0x01."""
    return bytes([0x21, label]) + b"".join(bytes([len(part)]) + part for part in parts) + b"\0"


def with_gif_blocks(file: bytes, *blocks: bytes) -> bytes:
    """With these extensions behind the header and the global palette."""
    palette = 3 * 2 ** ((file[10] & 7) + 1) if file[10] & 0x80 else 0
    place = 13 + palette
    return b"".join([file[:place], *blocks, file[place:]])


def icc_profile(note: bytes, colours: tuple[tuple[float, ...], ...] = SRGB_COLOURS, gamma: float = 2.2) -> bytes:
    """A display profile of three colours (XYZ under D50) and one gamma, with `note` as its name and its copyright."""
    return _profile(
        b"RGB ",
        note,
        {
            **dict(zip((b"rXYZ", b"gXYZ", b"bXYZ"), map(_xyz, colours), strict=True)),
            **dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), _curve(gamma)),
        },
    )


def srgb_icc_profile() -> bytes:
    """sRGB as scanners and editors write it: its curve in 1,024 points, its colours rounded in another way."""
    rounded = (SRGB_COLOURS[0][0] - 0.0001, *SRGB_COLOURS[0][1:]), SRGB_COLOURS[1], (0.1431, 0.0606, 0.7139)
    points = [_light(step / 1023) for step in range(1024)]
    curve = b"curv" + struct.pack(">II1024H", 0, 1024, *(round(point * 65535) for point in points))
    colours = dict(zip((b"rXYZ", b"gXYZ", b"bXYZ"), map(_xyz, rounded), strict=True))
    return _profile(b"RGB ", b"sRGB", colours | dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), curve))


def _light(value: float) -> float:
    """How much light an sRGB value from 0 to 1 stands for."""
    return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4


def grey_icc_profile(gamma: float) -> bytes:
    return _profile(b"GRAY", b"grey", {b"kTRC": _curve(gamma)})


def cmyk_icc_profile() -> bytes:
    """A printer whose every ink, alone or with others, makes the same light blue of the paper (in Lab)."""
    blue, paper = bytes([180, 110, 90]), bytes([255, 128, 128])
    through = bytes(range(256))
    corners = paper + blue * 15
    matrix = struct.pack(">9i", 65536, 0, 0, 0, 65536, 0, 0, 0, 65536)
    table = b"mft1" + bytes(4) + bytes([4, 3, 2, 0]) + matrix + through * 4 + corners + through * 3
    return _profile(b"CMYK", b"inks", {b"A2B0": table + bytes(-len(table) % 4)}, device=b"prtr", between=b"Lab ")


def _profile(
    space: bytes, note: bytes, tags: dict[bytes, bytes], *, device: bytes = b"mntr", between: bytes = b"XYZ "
) -> bytes:
    name = b"desc" + struct.pack(">II", 0, len(note) + 1) + note + b"\0" + bytes(78)
    tags = tags | {
        b"desc": name + bytes(-len(name) % 4),
        b"cprt": b"text" + bytes(4) + note + bytes(4 - len(note) % 4),
        b"wtpt": _xyz((0.9642, 1.0, 0.8249)),
    }
    table, bodies, position = struct.pack(">I", len(tags)), b"", 128 + 4 + 12 * len(tags)
    for tag, body in tags.items():
        table += tag + struct.pack(">II", position + len(bodies), len(body))
        bodies += body
    start = struct.pack(">I4sI", position + len(bodies), b"test", 0x02100000)
    header = start + device + space + between + bytes(12) + b"acsp"
    return header + bytes(28) + struct.pack(">3i", 63190, 65536, 54061) + bytes(48) + table + bodies


def _curve(gamma: float) -> bytes:
    return b"curv" + struct.pack(">IIH", 0, 1, round(gamma * 256)) + b"\0\0"


def _xyz(values: tuple[float, ...]) -> bytes:
    return b"XYZ " + bytes(4) + struct.pack(">3i", *(round(value * 65536) for value in values))
