"""What becomes of hostile pictures: hidden data, lies, bombs, polyglots, cut files. No database."""

import io
import random
import struct
import zlib
from collections.abc import Callable
from dataclasses import replace
from functools import cache

import pytest
from PIL import Image, PngImagePlugin

from conversations.services import pictures
from conversations.services.pictures import LIMITS, Picture
from tests.services import photographs, picture_files
from tests.services.picture_files import (
    gif_block,
    icc_profile,
    jpeg_markers,
    jpeg_segment,
    png_chunk,
    png_chunk_names,
    webp_chunk,
    webp_chunks,
    with_gif_blocks,
    with_jpeg_segments,
    with_png_chunks,
)

CANARY = b"CaNaRy-6e41"
XMP = b"<x:xmpmeta xmlns:x='adobe:ns:meta/'>" + CANARY + b"</x:xmpmeta>"
HTML = b"<html><script>alert(1)</script></html>"
FORMATS = ["PNG", "JPEG", "WEBP", "GIF", "HEIF"]
ZIP = b"PK\x03\x04" + CANARY + b"PK\x05\x06" + bytes(18)


def file_of(image: Image.Image, format: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, format, **options)
    return file.getvalue()


@cache
def scene() -> Image.Image:
    return photographs.landscape(96, 64)


@cache
def sample(format: str) -> bytes:
    """A picture of 96 x 64 pixels in that format."""
    return file_of(scene(), format)


def exif_with_canary() -> bytes:
    tags = photographs.exif(1)
    tags[photographs.DESCRIPTION] = CANARY.decode()
    tags.get_ifd(photographs.GPS_IFD)[27] = CANARY
    tags.get_ifd(photographs.EXIF_IFD)[0x927C] = CANARY  # the maker's own note
    return tags.tobytes()


def in_png(name: bytes, data: bytes) -> bytes:
    return with_png_chunks(sample("PNG"), png_chunk(name, data))


def in_jpeg(marker: int, data: bytes) -> bytes:
    return with_jpeg_segments(sample("JPEG"), jpeg_segment(marker, data))


def in_gif(label: int, *parts: bytes) -> bytes:
    return with_gif_blocks(sample("GIF"), gif_block(label, *parts))


def profile() -> bytes:
    return icc_profile(CANARY)


def stored_zlib(data: bytes) -> bytes:
    """Compressed in name only, so that the canary can be seen in the sample."""
    return zlib.compress(data, 0)


# Every place in every format where a program may leave a note, each with a file that has the canary there.
SLOTS: dict[str, Callable[[], bytes]] = {
    "png tEXt": lambda: in_png(b"tEXt", b"Comment\0" + CANARY),
    "png zTXt": lambda: in_png(b"zTXt", b"Comment\0\0" + stored_zlib(CANARY)),
    "png iTXt": lambda: in_png(b"iTXt", b"Title\0\0\0de\0Titel\0" + CANARY),
    "png XMP": lambda: in_png(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + XMP),
    "png eXIf": lambda: in_png(b"eXIf", exif_with_canary().removeprefix(b"Exif\0\0")),
    "png iCCP": lambda: in_png(b"iCCP", CANARY + b"\0\0" + stored_zlib(profile())),
    "png private chunk": lambda: in_png(b"caNy", CANARY),
    "png text after the pixels": lambda: (
        sample("PNG")[:-12] + png_chunk(b"tEXt", b"Late\0" + CANARY) + sample("PNG")[-12:]
    ),
    "png tail": lambda: sample("PNG") + CANARY,
    "png second picture": lambda: sample("PNG") + in_png(b"tEXt", b"Comment\0" + CANARY),
    "jpeg comment": lambda: in_jpeg(0xFE, CANARY),
    "jpeg EXIF": lambda: in_jpeg(0xE1, exif_with_canary()),
    "jpeg XMP": lambda: in_jpeg(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + XMP),
    "jpeg IPTC": lambda: in_jpeg(0xED, iptc(CANARY)),
    "jpeg ICC": lambda: in_jpeg(0xE2, b"ICC_PROFILE\0\1\1" + profile()),
    "jpeg JFIF extension": lambda: in_jpeg(0xE0, b"JFXX\0\x13" + CANARY),
    "jpeg APP15": lambda: in_jpeg(0xEF, CANARY),
    "jpeg tail": lambda: sample("JPEG") + CANARY,
    "jpeg second picture": lambda: file_of(scene(), "MPO", save_all=True, append_images=[scene()]) + CANARY,
    "webp EXIF": lambda: file_of(scene(), "WEBP", exif=exif_with_canary()),
    "webp XMP": lambda: file_of(scene(), "WEBP", xmp=XMP),
    "webp ICC": lambda: file_of(scene(), "WEBP", icc_profile=profile()),
    "webp private chunk": lambda: webp_with(webp_chunk(b"CANY", CANARY)),
    "webp tail": lambda: sample("WEBP") + CANARY,
    "webp lossless EXIF": lambda: file_of(
        scene(), "WEBP", lossless=True, exif=exif_with_canary(), xmp=XMP, icc_profile=profile()
    ),
    "gif comment": lambda: in_gif(0xFE, CANARY),
    "gif application": lambda: in_gif(0xFF, b"XMP DataXMP", CANARY),
    "gif plain text": lambda: in_gif(0x01, bytes(12), CANARY),
    "gif tail": lambda: sample("GIF") + CANARY,
    "gif second frame": lambda: file_of(scene(), "GIF", save_all=True, append_images=[scene().rotate(9)]) + CANARY,
    "heic EXIF": lambda: file_of(scene(), "HEIF", exif=exif_with_canary()),
    "heic XMP": lambda: file_of(scene(), "HEIF", xmp=XMP),
    "heic ICC": lambda: file_of(scene(), "HEIF", icc_profile=profile()),
    "heic free box": lambda: sample("HEIF") + struct.pack(">I", 8 + len(CANARY)) + b"free" + CANARY,
}


def iptc(caption: bytes) -> bytes:
    record = b"\x1c\x02\x78" + struct.pack(">H", len(caption)) + caption
    return b"Photoshop 3.0\x008BIM\x04\x04\0\0" + struct.pack(">I", len(record)) + record + b"\0" * (len(record) % 2)


def webp_with(extra: bytes) -> bytes:
    """An extended WebP with one more chunk at its end."""
    canvas = struct.pack("<I", 0) + (95).to_bytes(3, "little") + (63).to_bytes(3, "little")
    chunks = [webp_chunk(name, data) for name, data in webp_chunks(sample("WEBP"))]
    return picture_files.webp(webp_chunk(b"VP8X", canvas), *chunks, extra)


def assert_only_picture(data: bytes, media_type: str) -> None:
    """Nothing is in the file but what its pixels need, and nothing is behind it."""
    if media_type == "image/png":
        assert set(png_chunk_names(data)) == {b"IHDR", b"IDAT", b"IEND"}
    elif media_type == "image/jpeg":
        start, tables, frames, scan, end = 0xE0, {0xDB, 0xC4}, {0xC0, 0xC2}, 0xDA, 0xD9
        assert set(jpeg_markers(data)) <= {start, *tables, *frames, scan, end}
        assert len(data.split(b"JFIF")[0]) == 6
    else:
        assert {name for name, _ in webp_chunks(data)} <= {b"VP8 ", b"VP8L", b"VP8X", b"ALPH"}


@pytest.mark.parametrize("slot", SLOTS)
def test_nothing_hidden_survives(slot: str) -> None:
    file = SLOTS[slot]()
    assert CANARY in file

    picture = pictures.vet(file)

    assert CANARY not in picture.data + picture.thumbnail
    assert_only_picture(picture.data, picture.media_type)
    assert_only_picture(picture.thumbnail, picture.thumbnail_media_type)
    assert (picture.width, picture.height) == (96, 64)


def test_a_vetted_picture_is_vetted_again_to_the_same_pixels() -> None:
    once = pictures.vet(sample("PNG"))

    again = pictures.vet(once.data)

    assert again.data == once.data


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("twentieth", range(20))
def test_a_cut_picture_is_refused(format: str, twentieth: int) -> None:
    file = sample(format)
    cut = file[: len(file) * twentieth // 20]

    with pytest.raises((pictures.Broken, pictures.NotAPicture)):
        pictures.vet(cut)


NO_PICTURES: dict[str, Callable[[], bytes]] = {
    "nothing": lambda: b"",
    "text": lambda: b"hello",
    "svg": lambda: b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
    "svg behind xml": lambda: b"<?xml version='1.0'?><svg xmlns='http://www.w3.org/2000/svg'/>",
    "html": lambda: b"<!doctype html>" + HTML,
    "pdf": lambda: b"%PDF-1.7\n1 0 obj\n",
    "zip": lambda: ZIP,
    "bmp": lambda: sample("BMP"),
    "tiff": lambda: sample("TIFF"),
    "ico": lambda: sample("ICO"),
    "avif": lambda: sample("AVIF"),
    "jpeg 2000": lambda: sample("JPEG2000"),
    "postscript": lambda: b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
    "html before png": lambda: HTML + sample("PNG"),
    "zip before jpeg": lambda: ZIP + sample("JPEG"),
    "sound": lambda: b"RIFF\x24\0\0\0WAVEfmt ",
    "movie": lambda: b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom",
    "zeros": lambda: bytes(5000),
}


@pytest.mark.parametrize("name", NO_PICTURES)
def test_what_is_no_picture_is_refused(name: str) -> None:
    data = NO_PICTURES[name]()

    with pytest.raises(pictures.NotAPicture):
        pictures.vet(data)


@pytest.mark.parametrize("start", [b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0", b"GIF89a", b"RIFF\0\0\0\0WEBPVP8 "])
@pytest.mark.parametrize("rest", [b"", HTML, ZIP, bytes(2000), b"\xff" * 2000])
def test_a_good_start_alone_is_refused(start: bytes, rest: bytes) -> None:
    with pytest.raises(pictures.Broken):
        pictures.vet(start + rest)


@pytest.mark.parametrize("brand", [b"heic", b"mif1", b"hevc"])
def test_a_heic_label_on_other_bytes_is_refused(brand: bytes) -> None:
    with pytest.raises(pictures.Broken):
        pictures.vet(b"\0\0\0\x18ftyp" + brand + bytes(4) + b"mif1heic" + HTML)


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("tail", [HTML, ZIP, b"<?php phpinfo();"])
def test_a_polyglot_loses_its_other_half(format: str, tail: bytes) -> None:
    picture = pictures.vet(sample(format) + tail)

    assert tail not in picture.data + picture.thumbnail
    assert_only_picture(picture.data, picture.media_type)


def test_a_gif_that_is_also_a_script_loses_the_script() -> None:
    gif = with_gif_blocks(sample("GIF"), gif_block(0xFE, b"*/=1;alert(document.domain)//"))

    picture = pictures.vet(gif)

    assert b"alert" not in picture.data + picture.thumbnail


def header_only_png(width: int, height: int) -> bytes:
    """A PNG that announces its size and ends: whoever refuses it for its size has not decoded it."""
    header = png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return picture_files.PNG_START + header + png_chunk(b"IDAT", b"") + png_chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("width", "height", "refusal"),
    [
        (10_000, 4_000, pictures.Broken),  # exactly 40 megapixels: taken up, and then found empty
        (10_000, 4_001, pictures.TooManyPixels),
        (12_000, 3_333, pictures.Broken),
        (12_001, 1, pictures.TooManyPixels),
        (1, 12_001, pictures.TooManyPixels),
        (10_000, 10_000, pictures.TooManyPixels),
        (2**31 - 1, 2**31 - 1, pictures.TooManyPixels),
        (0, 10, pictures.Broken),
    ],
)
def test_pixels_are_counted_before_decoding(width: int, height: int, refusal: type[Exception]) -> None:
    with pytest.raises(refusal):
        pictures.vet(header_only_png(width, height))


def test_the_pixels_of_a_webp_are_counted_before_room_is_made_for_them() -> None:
    width, height = 12_000, 8_000
    header = b"\x2f" + ((width - 1) | (height - 1) << 14).to_bytes(4, "little")

    with pytest.raises(pictures.TooManyPixels):
        pictures.vet(picture_files.webp(webp_chunk(b"VP8L", header + bytes(100))))


@pytest.mark.parametrize("format", FORMATS)
def test_the_pixel_limit_binds_exactly(format: str) -> None:
    pixels = 96 * 64

    assert pictures.vet(sample(format), limits=replace(LIMITS, pixels=pixels + 1)).width == 96
    assert pictures.vet(sample(format), limits=replace(LIMITS, pixels=pixels)).width == 96
    for fewer in (pixels - 1, pixels // 3):
        with pytest.raises(pictures.TooManyPixels):
            pictures.vet(sample(format), limits=replace(LIMITS, pixels=fewer))


@pytest.mark.parametrize("format", FORMATS)
def test_the_side_limit_binds_exactly(format: str) -> None:
    assert pictures.vet(sample(format), limits=replace(LIMITS, side=97)).width == 96
    assert pictures.vet(sample(format), limits=replace(LIMITS, side=96)).width == 96
    with pytest.raises(pictures.TooManyPixels):
        pictures.vet(sample(format), limits=replace(LIMITS, side=95))


def test_the_byte_limit_binds_exactly() -> None:
    size = len(sample("PNG"))

    assert pictures.vet(sample("PNG"), limits=replace(LIMITS, file_bytes=size + 1)).width == 96
    assert pictures.vet(sample("PNG"), limits=replace(LIMITS, file_bytes=size)).width == 96
    with pytest.raises(pictures.TooLarge):
        pictures.vet(sample("PNG"), limits=replace(LIMITS, file_bytes=size - 1))


def test_20_mib_pass_and_one_byte_more_does_not() -> None:
    padded = sample("PNG") + bytes(20 * 2**20 - len(sample("PNG")))

    assert pictures.vet(padded).width == 96
    with pytest.raises(pictures.TooLarge):
        pictures.vet(padded + b"\0")


def test_40_megapixels_pass_in_time_and_memory() -> None:
    picture = pictures.vet(file_of(Image.new("RGB", (8_000, 5_000), "navy"), "PNG", compress_level=1))

    assert (picture.width, picture.height) == (2048, 1280)


@pytest.mark.parametrize("lossless", [True, False])
def test_a_webp_beyond_the_memory_is_called_that(lossless: bool) -> None:
    """Its decoder has room for the canvases here, but none for the picture, which it would call damaged."""
    file = file_of(photographs.landscape(2_400, 1_600), "WEBP", lossless=lossless, quality=0, method=0)

    with pytest.raises(pictures.TooMuchMemory):
        pictures.vet(file, limits=replace(LIMITS, memory=70 * 2**20))


def test_a_webp_of_25_megapixels_passes_in_memory() -> None:
    picture = pictures.vet(file_of(Image.new("RGB", (6_250, 4_000), "navy"), "WEBP", quality=0, method=0))

    assert (picture.width, picture.height) == (2048, 1311)


@pytest.mark.parametrize(
    ("name", "start"),
    [(b"zTXt", b"Comment\0\0"), (b"iTXt", b"Comment\0\1\0\0\0"), (b"iCCP", b"profile\0\0")],
)
def test_a_bomb_in_a_text_chunk_is_refused(name: bytes, start: bytes) -> None:
    bomb = png_chunk(name, start + zlib.compress(bytes(80 * 2**20), 1))

    with pytest.raises(pictures.Broken):
        pictures.vet(with_png_chunks(sample("PNG"), bomb))


def test_many_small_bombs_are_refused_like_a_large_one() -> None:
    chunk = png_chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(PngImagePlugin.MAX_TEXT_CHUNK - 1)))

    with pytest.raises(pictures.PictureRefused):
        pictures.vet(with_png_chunks(sample("PNG"), *[chunk] * 80))


def test_pixel_data_that_never_end_are_not_unpacked() -> None:
    header = png_chunk(b"IHDR", struct.pack(">IIBBBBB", 8, 8, 8, 2, 0, 0, 0))
    bomb = png_chunk(b"IDAT", zlib.compress(bytes(200 * 2**20), 1))

    picture = pictures.vet(picture_files.PNG_START + header + bomb + png_chunk(b"IEND", b""))

    assert (picture.width, picture.height) == (8, 8)


def test_a_jpeg_with_endless_scans_is_stopped() -> None:
    """Each scan costs a few bytes in the file and a walk over all coefficients in the decoder."""
    progressive = file_of(Image.new("RGB", (4_000, 4_000)), "JPEG", progressive=True)
    last_scan = progressive[progressive.rindex(b"\xff\xda") : -2]
    bomb = progressive[:-2] + last_scan * 3_000 + progressive[-2:]

    with pytest.raises(pictures.TooSlow):
        pictures.vet(bomb, limits=replace(LIMITS, cpu_seconds=1))


@pytest.mark.parametrize("format", FORMATS)
def test_damaged_pictures_are_either_cleaned_or_refused(format: str) -> None:
    chance = random.Random(format)
    for _ in range(12):
        damaged = bytearray(sample(format))
        for _ in range(chance.randint(1, 12)):
            damaged[chance.randrange(8, len(damaged))] = chance.randrange(256)
        outcome = outcome_of(bytes(damaged))
        if isinstance(outcome, Picture):
            assert_only_picture(outcome.data, outcome.media_type)


def outcome_of(data: bytes) -> Picture | pictures.PictureRefused:
    try:
        return pictures.vet(data, limits=replace(LIMITS, pixels=1_000_000))
    except pictures.PictureRefused as refusal:
        return refusal


@pytest.mark.parametrize("refusal", [pictures.PictureRefused, *pictures.PictureRefused.__subclasses__()])
def test_every_refusal_has_a_sentence_of_its_own(refusal: type[pictures.PictureRefused]) -> None:
    assert refusal().code == refusal.code
    assert str(refusal.sentence).endswith(".")


def test_the_sentences_name_the_limits() -> None:
    assert "20 MB" in str(pictures.TooLarge.sentence)
    assert "40 megapixels" in str(pictures.TooManyPixels.sentence)
    assert "12000 pixels" in str(pictures.TooManyPixels.sentence)
