"""What becomes of honest pictures: format, pixels, orientation, colours, size. No database."""

import io
import struct

import pytest
from PIL import Image, ImageChops

from conversations.services import pictures
from conversations.services.pictures import Picture
from tests.services import photographs, picture_files

FORMATS = {
    "PNG": "image/png",
    "JPEG": "image/jpeg",
    "WEBP": "image/webp",
    "GIF": "image/png",
    "HEIF": "image/jpeg",
}


def file_of(image: Image.Image, format: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, format, **options)
    return file.getvalue()


def pixels_of(picture: Picture) -> Image.Image:
    image = Image.open(io.BytesIO(picture.data))
    image.load()
    return image


def thumbnail_of(picture: Picture) -> Image.Image:
    image = Image.open(io.BytesIO(picture.thumbnail))
    image.load()
    return image


def difference(one: Image.Image, other: Image.Image) -> int:
    """The largest difference of any channel of any pixel, transparency included."""
    return max(ImageChops.difference(one.convert("RGBA"), other.convert("RGBA")).tobytes())


def mean_difference(one: Image.Image, other: Image.Image) -> float:
    steps = ImageChops.difference(one.convert("RGB"), other.convert("RGB")).tobytes()
    return sum(steps) / len(steps)


def chart() -> Image.Image:
    """Every pixel has its own colour, and some are transparent in part."""
    image = Image.new("RGBA", (64, 48))
    image.putdata([(x * 4, y * 5, (x * y) % 256, (x + y) * 4 % 256) for y in range(48) for x in range(64)])
    return image


@pytest.mark.parametrize(("format", "media_type"), FORMATS.items())
def test_every_format_comes_back_in_the_format_it_is_stored_in(format: str, media_type: str) -> None:
    scene = photographs.landscape(320, 200)

    picture = pictures.vet(file_of(scene, format))

    assert (picture.media_type, picture.width, picture.height) == (media_type, 320, 200)
    image = pixels_of(picture)
    assert (Image.MIME[image.format or ""], image.size) == (media_type, (320, 200))
    assert mean_difference(image, scene) < 6


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA"])
def test_a_png_keeps_every_pixel(mode: str) -> None:
    image = chart().convert(mode)

    picture = pictures.vet(file_of(image, "PNG"))

    assert picture.media_type == "image/png"
    assert difference(pixels_of(picture), image) == 0


def test_black_and_white_stays_grey() -> None:
    picture = pictures.vet(file_of(chart().convert("1"), "PNG"))

    assert pixels_of(picture).mode == "L"


def test_a_palette_png_keeps_its_transparency() -> None:
    image = chart().convert("RGB").quantize(16)
    translucent = file_of(image, "PNG", transparency=bytes(range(0, 256, 16)))

    picture = pictures.vet(translucent)

    assert difference(pixels_of(picture), Image.open(io.BytesIO(translucent))) == 0
    assert pixels_of(picture).mode == "RGBA"


def test_a_colour_that_stands_for_transparent_becomes_transparent() -> None:
    image = Image.new("RGB", (4, 1), (10, 20, 30))
    image.putpixel((2, 0), (1, 2, 3))

    picture = pictures.vet(file_of(image, "PNG", transparency=(1, 2, 3)))

    assert pixels_of(picture).getchannel("A").tobytes() == b"\xff\xff\x00\xff"


def test_16_bit_grey_is_scaled_and_not_clipped() -> None:
    row = struct.pack(">4H", 0, 256, 32768, 65535)

    picture = pictures.vet(picture_files.png(4, 1, 16, 0, [row]))

    assert pixels_of(picture).convert("L").tobytes() == bytes([0, 1, 128, 255])


@pytest.mark.parametrize(("colour_type", "colour"), [(0, (40000,)), (2, (40000, 500, 3))])
def test_16_bit_pictures_keep_their_transparent_colour(colour_type: int, colour: tuple[int, ...]) -> None:
    other = tuple(value ^ 0xFF00 for value in colour)
    key = picture_files.png_chunk(b"tRNS", struct.pack(f">{len(colour)}H", *colour))
    row = struct.pack(f">{2 * len(colour)}H", *colour, *other)

    picture = pictures.vet(picture_files.png(2, 1, 16, colour_type, [row], key))

    assert pixels_of(picture).getchannel("A").tobytes() == b"\x00\xff"


def test_16_bit_colours_with_transparency_are_scaled() -> None:
    row = struct.pack(">8H", 65535, 32768, 256, 65535, 0, 0, 0, 32768)

    picture = pictures.vet(picture_files.png(2, 1, 16, 6, [row]))

    assert pixels_of(picture).tobytes() == bytes([255, 128, 1, 255, 0, 0, 0, 128])


def test_lossless_webp_keeps_every_pixel_and_stays_lossless() -> None:
    image = chart()

    picture = pictures.vet(file_of(image, "WEBP", lossless=True, exact=True))

    assert picture.media_type == "image/webp"
    assert difference(pixels_of(picture), image) == 0


def test_lossy_webp_stays_lossy() -> None:
    picture = pictures.vet(file_of(photographs.landscape(320, 200), "WEBP", quality=80))

    assert [name for name, _ in picture_files.webp_chunks(picture.data)] == [b"VP8 "]


def test_transparent_webp_stays_transparent() -> None:
    picture = pictures.vet(file_of(chart(), "WEBP", quality=90))

    alpha, expected = pixels_of(picture).getchannel("A"), chart().getchannel("A")
    assert difference(alpha, expected) <= 4


def test_the_first_frame_of_an_animated_webp_is_kept_lossless() -> None:
    frames = [chart(), Image.new("RGBA", (64, 48), "red")]

    picture = pictures.vet(file_of(frames[0], "WEBP", save_all=True, append_images=frames[1:], lossless=True))

    image = pixels_of(picture)
    assert getattr(image, "n_frames", 1) == 1
    assert next(name for name, _ in picture_files.webp_chunks(picture.data)) in (b"VP8L", b"VP8X")
    assert difference(Image.alpha_composite(black(), image), Image.alpha_composite(black(), chart())) <= 1


def black() -> Image.Image:
    return Image.new("RGBA", (64, 48), "black")


def test_the_first_frame_of_an_animated_gif_becomes_a_png() -> None:
    frames = [Image.new("RGB", (30, 20), colour) for colour in ("red", "blue", "green")]

    picture = pictures.vet(file_of(frames[0], "GIF", save_all=True, append_images=frames[1:], duration=100))

    assert picture.media_type == "image/png"
    image = pixels_of(picture)
    assert getattr(image, "n_frames", 1) == 1
    assert difference(image, frames[0]) == 0


def test_the_first_frame_of_an_animated_png_is_kept() -> None:
    frames = [Image.new("RGB", (30, 20), colour) for colour in ("red", "blue", "green")]

    picture = pictures.vet(file_of(frames[0], "PNG", save_all=True, append_images=frames[1:], duration=100))

    assert set(picture_files.png_chunk_names(picture.data)) == {b"IHDR", b"IDAT", b"IEND"}
    assert difference(pixels_of(picture), frames[0]) == 0


def test_a_transparent_gif_stays_transparent() -> None:
    image = Image.new("P", (4, 1), 1)
    image.putpalette([0, 0, 0, 200, 100, 50])
    image.putpixel((3, 0), 0)

    picture = pictures.vet(file_of(image, "GIF", transparency=0))

    assert pixels_of(picture).getchannel("A").tobytes() == b"\xff\xff\xff\x00"
    assert pixels_of(picture).getpixel((0, 0)) == (200, 100, 50, 255)


def test_a_jpeg_that_needs_no_change_keeps_its_quantisation() -> None:
    original = file_of(photographs.landscape(320, 200), "JPEG", quality=57)

    picture = pictures.vet(original)

    before, after = Image.open(io.BytesIO(original)), Image.open(io.BytesIO(picture.data))
    assert after.quantization == before.quantization  # type: ignore[attr-defined]
    assert mean_difference(after, before) < 0.5


def test_a_cmyk_jpeg_becomes_rgb() -> None:
    scene = Image.new("RGB", (40, 40), (250, 20, 30))

    picture = pictures.vet(file_of(scene.convert("CMYK"), "JPEG"))

    assert pixels_of(picture).mode == "RGB"
    assert mean_difference(pixels_of(picture), scene) < 4


def test_a_grey_jpeg_stays_grey() -> None:
    picture = pictures.vet(file_of(photographs.landscape(64, 64).convert("L"), "JPEG"))

    assert pixels_of(picture).mode == "L"


@pytest.mark.parametrize("mode", ["RGBA", "RGBa"])
def test_a_transparent_heic_stands_on_white(mode: str) -> None:
    image = Image.new("RGBA", (64, 64), (255, 0, 0, 255))
    image.paste((0, 0, 255, 0), (0, 0, 32, 64))

    picture = pictures.vet(file_of(image.convert(mode), "HEIF", quality=95))

    assert picture.media_type == "image/jpeg"
    assert min(pixels_of(picture).getpixel((8, 32))) > 240  # type: ignore[arg-type]
    assert pixels_of(picture).getpixel((56, 32))[0] > 240  # type: ignore[index]


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "HEIF"])
def test_every_orientation_is_turned_upright(format: str, orientation: int) -> None:
    upright = photographs.landscape(96, 64)
    file = photographs.stored(upright, format, orientation, exif=photographs.exif(orientation))

    picture = pictures.vet(file)

    assert (picture.width, picture.height) == (96, 64)
    assert mean_difference(pixels_of(picture), upright) < 8
    assert thumbnail_of(picture).size == (96, 64)
    assert mean_difference(thumbnail_of(picture), upright) < 8
    assert pixels_of(picture).getexif() == {}


@pytest.mark.parametrize("nonsense", [0, 9, 77, 65535])
def test_an_impossible_orientation_means_upright(nonsense: int) -> None:
    scene = photographs.landscape(96, 64)

    picture = pictures.vet(file_of(scene, "PNG", exif=photographs.exif(nonsense)))

    assert difference(pixels_of(picture), scene) == 0


@pytest.mark.parametrize(
    "exif",
    [
        b"Exif\0\0MM\0\x2a\0\0\0\x08\0\1\1\x12\0\2\0\0\0\4top\0",  # the orientation in letters
        b"Exif\0\0MM\0\x2a\0\0\0\x08\xff\xff" + b"\1\x12\0\3" * 9,  # more entries than bytes
        b"Exif\0\0" + bytes(20),
    ],
)
def test_unreadable_exif_does_not_cost_the_picture(exif: bytes) -> None:
    scene = photographs.landscape(96, 64)

    picture = pictures.vet(file_of(scene, "PNG", exif=exif))

    assert difference(pixels_of(picture), scene) == 0


@pytest.mark.parametrize("format", ["PNG", "JPEG", "WEBP", "GIF", "HEIF"])
def test_large_pictures_are_scaled_to_the_longest_side(format: str) -> None:
    scene = photographs.landscape(600, 400)

    picture = pictures.vet(file_of(scene, format), longest_side=150)

    assert (picture.width, picture.height) == (150, 100)
    assert pixels_of(picture).size == (150, 100)
    assert mean_difference(pixels_of(picture), scene.resize((150, 100))) < 8


@pytest.mark.parametrize(("width", "expected"), [(2047, 2047), (2048, 2048), (2049, 2048)])
def test_the_longest_side_is_2048_unless_asked_otherwise(width: int, expected: int) -> None:
    picture = pictures.vet(file_of(Image.new("L", (width, 8)), "PNG"))

    assert picture.width == expected


def test_without_a_longest_side_the_size_stays() -> None:
    picture = pictures.vet(file_of(Image.new("L", (3000, 10)), "PNG"), longest_side=None)

    assert (picture.width, picture.height) == (3000, 10)


def test_a_thin_line_keeps_at_least_one_pixel() -> None:
    picture = pictures.vet(file_of(Image.new("L", (9000, 1)), "PNG"), longest_side=100)

    assert (picture.width, picture.height) == (100, 1)
    assert thumbnail_of(picture).size == (100, 1)


def test_scaling_does_not_let_hidden_colours_bleed() -> None:
    image = Image.new("RGBA", (400, 400), (0, 0, 255, 255))
    image.paste((255, 0, 0, 0), (0, 0, 201, 400))

    picture = pictures.vet(file_of(image, "PNG"), longest_side=100)

    assert max(red for red, _, _, alpha in pixels_of(picture).get_flattened_data() if alpha) == 0  # type: ignore[misc]


def test_thumbnails_are_small_and_of_the_same_scene() -> None:
    scene = photographs.landscape(1200, 900)

    picture = pictures.vet(file_of(scene, "PNG"))

    thumbnail = thumbnail_of(picture)
    assert (picture.thumbnail_media_type, thumbnail.format, thumbnail.size) == ("image/jpeg", "JPEG", (512, 384))
    assert mean_difference(thumbnail, scene.resize((512, 384))) < 8
    assert len(picture.thumbnail) < 60_000


def test_thumbnails_of_transparent_pictures_are_transparent() -> None:
    picture = pictures.vet(file_of(chart(), "PNG"))

    assert picture.thumbnail_media_type == "image/webp"
    assert thumbnail_of(picture).mode == "RGBA"


def test_an_alpha_channel_that_hides_nothing_is_dropped() -> None:
    image = chart()
    image.putalpha(255)

    picture = pictures.vet(file_of(image, "PNG"))

    assert pixels_of(picture).mode == "RGB"
    assert difference(pixels_of(picture), image) == 0
    assert picture.thumbnail_media_type == "image/jpeg"


def test_the_same_file_has_the_same_digest_and_another_has_not() -> None:
    first, again, other = (
        pictures.vet(photographs.photograph(90, 60, seed=seed), longest_side=None).sha256 for seed in (1, 1, 2)
    )

    assert first == again
    assert first != other
    assert len(first) == 64


def test_a_photograph_stands_upright_and_says_nothing_about_its_maker() -> None:
    file = photographs.photograph(240, 320)
    assert all(telltale in file for telltale in photographs.TELLTALES)

    picture = pictures.vet(file)

    assert (picture.width, picture.height) == (240, 320)
    top, foot = (pixels_of(picture).getpixel((120, y)) for y in (5, 315))
    assert top[2] > top[1] > top[0]  # type: ignore[index]
    assert foot[1] > foot[0]  # type: ignore[index]
    assert not any(telltale in picture.data + picture.thumbnail for telltale in photographs.TELLTALES)


def test_several_files_are_answered_in_order_and_one_by_one() -> None:
    files = [file_of(Image.new("L", (width, 4)), "PNG") for width in (5, 6, 7)]

    first, refused, second, third = pictures.vet_all([files[0], b"<svg/>", files[1], files[2]], longest_side=6)

    assert isinstance(refused, pictures.NotAPicture)
    assert [picture.width for picture in (first, second, third) if isinstance(picture, Picture)] == [5, 6, 6]
