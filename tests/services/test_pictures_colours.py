"""Colours of pictures that bring a profile: converted into sRGB, which is what everybody is shown. No database."""

import pytest
from PIL import Image

from conversations.services import pictures
from tests.services import picture_files
from tests.services.test_pictures import chart, difference, file_of, pixels_of

RED_AND_GREEN_SWAPPED = (
    picture_files.SRGB_COLOURS[1],
    picture_files.SRGB_COLOURS[0],
    picture_files.SRGB_COLOURS[2],
)


@pytest.mark.parametrize("format", ["PNG", "JPEG", "WEBP"])
def test_colours_are_converted_out_of_a_profile(format: str) -> None:
    profile = picture_files.icc_profile(b"swapped", RED_AND_GREEN_SWAPPED)
    file = file_of(Image.new("RGB", (16, 16), (255, 0, 0)), format, icc_profile=profile)

    picture = pictures.vet(file)

    red, green, blue = pixels_of(picture).convert("RGB").getpixel((8, 8))  # type: ignore[misc]
    assert red < 12
    assert green > 243
    assert blue < 12
    assert "icc_profile" not in pixels_of(picture).info


def test_colours_are_converted_beside_transparency() -> None:
    profile = picture_files.icc_profile(b"swapped", RED_AND_GREEN_SWAPPED)
    image = Image.new("RGBA", (2, 1), (255, 0, 0, 100))

    picture = pictures.vet(file_of(image, "PNG", icc_profile=profile))

    assert difference(pixels_of(picture), Image.new("RGBA", (2, 1), (0, 255, 0, 100))) <= 2


def test_inks_are_converted_out_of_a_profile() -> None:
    inks = Image.new("CMYK", (16, 16), (0, 255, 255, 0))  # red where there is no profile

    picture = pictures.vet(file_of(inks, "JPEG", icc_profile=picture_files.cmyk_icc_profile()))

    red, _green, blue = pixels_of(picture).getpixel((8, 8))  # type: ignore[misc]
    assert pixels_of(picture).mode == "RGB"
    assert blue > red + 40


@pytest.mark.parametrize("mode", ["L", "LA"])
def test_grey_is_converted_out_of_a_profile_and_stays_grey(mode: str) -> None:
    image = Image.new("L", (4, 4), 128).convert(mode)
    image.putpixel((0, 0), (128, 50) if mode == "LA" else 128)

    picture = pictures.vet(file_of(image, "PNG", icc_profile=picture_files.grey_icc_profile(gamma=1.0)))

    converted = pixels_of(picture)
    assert converted.mode == mode
    assert converted.getpixel((0, 0)) in (188, (188, 50))  # what half the light is in sRGB


def test_a_profile_that_changes_nothing_leaves_every_pixel() -> None:
    steps = range(0, 256, 5)
    image = Image.new("RGB", (416, 338))
    image.putdata([(red, green, blue) for red in steps for green in steps for blue in steps])

    picture = pictures.vet(file_of(image, "PNG", icc_profile=picture_files.srgb_icc_profile()))

    assert difference(pixels_of(picture), image) == 0
    assert "icc_profile" not in pixels_of(picture).info


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "P", "LA"])
def test_a_profile_that_does_not_fit_is_ignored(mode: str) -> None:
    image = chart().convert(mode)
    profile = picture_files.icc_profile(b"cut")[:200]

    picture = pictures.vet(file_of(image, "PNG", icc_profile=profile))

    assert difference(pixels_of(picture), image) == 0
