"""One hostile picture in, a clean one and its thumbnail out. Runs in its own process; imports nothing of the app.

Standard input: the bytes of the picture. First argument: the fields of `Task` as JSON. Standard output: a line of JSON,
either `{"refused": code}` or media types, width and height (pixels) and the length (bytes) of the first of the two
blocks that follow it, the picture and the thumbnail. Whatever a decoder throws ends as one refusal; the parent reads
what kills the process.

Pillow is imported inside functions: only after the limits hold, and only the plugins which this one picture needs.
"""

import importlib
import io
import json
import os
import resource
import signal
import sys
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageCms import ImageCmsTransform
    from PIL.ImageFile import ImageFile

    Hidden = int | bytes | tuple[int, ...]
    Option = bool | int | str

READERS = {
    "png": ("PIL.PngImagePlugin", "PngImageFile"),
    "jpeg": ("PIL.JpegImagePlugin", "JpegImageFile"),
    "webp": ("PIL.WebPImagePlugin", "WebPImageFile"),
    "gif": ("PIL.GifImagePlugin", "GifImageFile"),
    "heic": ("pillow_heif", "HeifImageFile"),
}
STORED_AS = {"png": "png", "jpeg": "jpeg", "webp": "webp", "gif": "png", "heic": "jpeg"}
ORIENTATION_TAG = 0x0112
JPEG_QUALITY = WEBP_QUALITY = 90
THUMBNAIL_QUALITY = 80
# libwebp holds two canvases while Pillow copies the frame out of them and then into its own memory.
WEBP_BYTES_PER_PIXEL = 16
INTERPRETER_BYTES = 48 * 2**20
PLAIN_MODES = ("L", "LA", "RGB", "RGBA", "CMYK")


class Task(NamedTuple):
    """What the parent asks for; memory in bytes, processor time in seconds, sides in pixels."""

    kind: str
    parent: int
    paths: list[str]
    longest_side: int | None
    thumbnail_side: int
    pixels: int
    side: int
    cpu_seconds: int
    memory: int


class Refused(Exception):
    """The one argument is the code that the parent turns into words."""


class _File(io.BytesIO):
    """A file with a name: Pillow then loads the one plugin for that ending instead of all common ones."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.name = f"picture.{kind}"


def main() -> None:
    task = Task(**json.loads(sys.argv[1]))
    bind_to_parent(task.parent)
    use_every_core()
    limit(task)
    sys.path.extend(task.paths)
    answer = answered(sys.stdin.buffer.read(), task)
    sys.stdout.buffer.write(answer)
    sys.stdout.buffer.flush()
    os._exit(0)  # giving back the memory piece by piece would only take time


def bind_to_parent(parent: int) -> None:
    """Die with the process `parent`, also when it is killed."""
    if sys.platform == "linux":
        import ctypes

        set_parent_death_signal = 1
        ctypes.CDLL(None).prctl(set_parent_death_signal, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:  # it died before the line above
        os._exit(1)


def use_every_core() -> None:
    """The server stays on one processor; what it has us do is better done on another."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, range(os.cpu_count() or 1))


def limit(task: Task) -> None:
    """Bound time and memory from the inside; the parent watches its own clock."""
    lower(resource.RLIMIT_CORE, 0, 0)
    lower(resource.RLIMIT_CPU, task.cpu_seconds, task.cpu_seconds + 1)
    if sys.platform == "linux":  # elsewhere the kernel refuses or ignores it
        lower(resource.RLIMIT_AS, task.memory, task.memory)


def lower(what: int, soft: int, hard: int) -> None:
    """Set a limit, but never try to raise one that is already lower."""
    ceiling = resource.getrlimit(what)[1]
    if ceiling != resource.RLIM_INFINITY:
        soft, hard = min(soft, ceiling), min(hard, ceiling)
    resource.setrlimit(what, (soft, hard))


def answered(data: bytes, task: Task) -> bytes:
    try:
        return cleaned(data, task)
    except Refused as refusal:
        code = str(refusal)
    except MemoryError:
        code = "too_much_memory"
    except Exception:  # noqa: BLE001 - decoders of hostile bytes throw anything; it all means the same to a person
        code = "broken"
    return json.dumps({"refused": code}).encode() + b"\n"


def cleaned(data: bytes, task: Task) -> bytes:
    source = opened(data, task)
    profile = source.info.get("icc_profile")
    size = decode(source, task)
    turn = orientation(source)
    image = scaled(without_idle_alpha(plain(source)), size)
    image = upright(in_srgb(image, profile), turn)
    image.info.clear()  # writers take comments, profiles and more from here
    picture_type, picture = encoded(image, task.kind, data)
    thumbnail_type, thumbnail = encoded_thumbnail(image, task.thumbnail_side)
    header = {
        "media_type": picture_type,
        "width": image.width,
        "height": image.height,
        "bytes": len(picture),
        "thumbnail_media_type": thumbnail_type,
    }
    return b"".join([json.dumps(header).encode(), b"\n", picture, thumbnail])


def opened(data: bytes, task: Task) -> "ImageFile":
    """The picture with its size known and checked, not yet decoded; an animation stands at its first frame."""
    from PIL import Image

    # Where opening alone takes memory (WebP), Pillow by itself refuses more than twice this number.
    Image.MAX_IMAGE_PIXELS = (task.pixels + 1) // 2
    module, name = READERS[task.kind]
    try:
        source: ImageFile = getattr(importlib.import_module(module), name)(io.BytesIO(data))
    except Image.DecompressionBombError as exc:
        raise Refused("too_many_pixels") from exc
    check_size(source.size, task)
    if task.kind == "webp":  # which calls a failed allocation a damaged file
        room = task.memory - INTERPRETER_BYTES - 2 * len(data)
        if source.width * source.height * WEBP_BYTES_PER_PIXEL > room:
            raise Refused("too_much_memory")
    return source


def decode(source: "ImageFile", task: Task) -> tuple[int, int]:
    """Load the pixels; the size in which they are wanted, which may be smaller than the one they now have."""
    size = fitted(source.size, task.longest_side)
    if task.kind == "jpeg":  # which can leave out detail while it decodes; HEIC would show an embedded thumbnail
        source.draft(None, size)
    source.load()
    return size


def check_size(size: tuple[int, int], task: Task) -> None:
    width, height = size
    if max(size) > task.side or width * height > task.pixels:
        raise Refused("too_many_pixels")


def fitted(size: tuple[int, int], longest_side: int | None) -> tuple[int, int]:
    """`size` scaled down, in proportion, until neither side is longer than `longest_side`."""
    longest = max(size)
    if longest_side is None or longest <= longest_side:
        return size
    width, height = size
    return max(1, round(width * longest_side / longest)), max(1, round(height * longest_side / longest))


def orientation(source: "ImageFile") -> int:
    """The EXIF orientation, 1 to 8; 1 where there is none or where nobody can read it."""
    try:
        return int(source.getexif().get(ORIENTATION_TAG, 1))
    except Exception:  # noqa: BLE001 - broken EXIF comes as any exception; the picture itself is fine
        return 1


def plain(image: "Image") -> "Image":
    """The same picture in one of PLAIN_MODES, with 8 bits a channel and transparency in a channel of its own."""
    hidden = image.info.get("transparency")
    if image.mode == "I;16":  # converting alone would turn everything above 255 to white
        image = image.point(lambda value: value / 256).convert("L")
    if hidden is not None:
        image.info["transparency"] = eight_bits(hidden)
        return image.convert("LA" if image.mode in ("1", "L") else "RGBA")
    if image.mode in PLAIN_MODES:
        return image
    if image.mode == "1":
        return image.convert("L")
    return image.convert("RGBA" if image.has_transparency_data else "RGB")


def without_idle_alpha(image: "Image") -> "Image":
    """Without the alpha channel where all of it is opaque: it shows nothing and slows everything after this."""
    if image.mode.endswith("A") and image.getchannel("A").getextrema()[0] == 255:
        return image.convert(image.mode.removesuffix("A"))
    return image


def eight_bits(hidden: "Hidden") -> "Hidden":
    """The colour that stands for transparent, in the 8 bits that pixels of 16 bits are read with."""
    if isinstance(hidden, tuple):
        return tuple(value >> 8 for value in hidden) if max(hidden) > 255 else hidden
    return hidden >> 8 if isinstance(hidden, int) and hidden > 255 else hidden


def scaled(image: "Image", size: tuple[int, int]) -> "Image":
    if image.size == size:
        return image
    from PIL.Image import Resampling

    return image.resize(size, Resampling.BICUBIC, reducing_gap=2.0)


def in_srgb(image: "Image", profile: bytes | None) -> "Image":
    """The picture in grey or RGB, its colours converted out of `profile` (ignored where it is unusable)."""
    if profile:
        image = converted(image, profile)
    return image.convert("RGB") if image.mode == "CMYK" else image


def converted(image: "Image", profile: bytes) -> "Image":
    colours = image.convert(image.mode.removesuffix("A")) if image.mode.endswith("A") else image
    transform = transform_to_srgb(profile, colours.mode)
    if transform is None or is_neutral(transform, colours.mode):
        return image
    result = transform.apply(colours)
    if colours.mode == "L":
        result = result.convert("L")
    if image.mode.endswith("A"):
        result.putalpha(image.getchannel("A"))
    return result


def transform_to_srgb(profile: bytes, mode: str) -> "ImageCmsTransform | None":
    """From the profile's colours to sRGB; None where the profile is broken or belongs to another kind of picture."""
    from PIL import ImageCms

    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        return ImageCms.buildTransform(source, ImageCms.createProfile("sRGB"), mode, "RGB")
    except (ImageCms.PyCMSError, OSError, TypeError, ValueError):
        return None


def is_neutral(transform: "ImageCmsTransform", mode: str) -> bool:
    """Whether it changes no colour by more than a rounding step, as with sRGB itself: then the pixels must stay."""
    from PIL import Image, ImageChops

    steps = range(0, 256, 15)
    if mode == "L":
        probe = Image.frombytes("L", (256, 1), bytes(range(256)))
    elif mode == "RGB":
        colours = bytes(value for r in steps for g in steps for b in steps for value in (r, g, b))
        probe = Image.frombytes("RGB", (len(colours) // 3, 1), colours)
    else:
        return False
    return max(ImageChops.difference(transform.apply(probe), probe.convert("RGB")).tobytes()) <= 1


def upright(image: "Image", turn: int) -> "Image":
    from PIL.Image import Transpose

    turns = {
        2: Transpose.FLIP_LEFT_RIGHT,
        3: Transpose.ROTATE_180,
        4: Transpose.FLIP_TOP_BOTTOM,
        5: Transpose.TRANSPOSE,
        6: Transpose.ROTATE_270,
        7: Transpose.TRANSVERSE,
        8: Transpose.ROTATE_90,
    }
    return image.transpose(turns[turn]) if turn in turns else image


def encoded(image: "Image", kind: str, data: bytes) -> tuple[str, bytes]:
    """Media type and bytes, in the format that keeps what the original kept."""
    stored = STORED_AS[kind]
    if stored == "jpeg":
        # Only the untouched object of a JPEG file still knows how the file was quantised.
        picture = written(opaque(image), "jpeg", quality="keep" if image.format == "JPEG" else JPEG_QUALITY)
    elif stored == "webp" and is_lossless_webp(data):
        picture = written(image, "webp", lossless=True, exact=True, quality=20, method=1)
    elif stored == "webp":
        picture = written(image, "webp", quality=WEBP_QUALITY, method=2)
    else:
        picture = written(image, "png", compress_level=4)  # 6 took three times as long and was no smaller
    return f"image/{stored}", picture


def encoded_thumbnail(image: "Image", longest_side: int) -> tuple[str, bytes]:
    small = scaled(image, fitted(image.size, longest_side))
    if small.mode.endswith("A"):
        return "image/webp", written(small, "webp", quality=THUMBNAIL_QUALITY, method=2)
    return "image/jpeg", written(opaque(small), "jpeg", quality=THUMBNAIL_QUALITY)


def opaque(image: "Image") -> "Image":
    """The picture on white where it is transparent, as a JPEG needs it."""
    if not image.mode.endswith("A"):
        return image
    from PIL import Image

    paper = Image.new(image.mode.removesuffix("A"), image.size, "white")
    paper.paste(image.convert(paper.mode), mask=image.getchannel("A"))
    return paper


def is_lossless_webp(data: bytes) -> bool:
    """Whether the first image chunk, directly or inside the first frame of an animation, is a lossless one."""
    position = len("RIFF....WEBP")
    while position + 8 <= len(data):
        name, size = data[position : position + 4], int.from_bytes(data[position + 4 : position + 8], "little")
        if name in (b"VP8 ", b"VP8L"):
            return name == b"VP8L"
        # An animation frame holds chunks of its own behind its 16 bytes of position and size.
        position += 8 + (16 if name == b"ANMF" else size + size % 2)
    return False


def written(image: "Image", kind: str, **options: "Option") -> bytes:
    file = _File(kind)
    image.save(file, None, **options)
    return file.getvalue()


if __name__ == "__main__":
    main()
