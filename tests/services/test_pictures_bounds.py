"""Pictures at the bounds: what is promised of a child, a pixel more or less, turns that can be counted. No database."""

import pytest
from PIL import Image

from conversations.services import pictures
from conversations.services.pictures import Picture
from tests.services import photographs
from tests.services.test_pictures import file_of, pixels_of

R, G, B, W = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)
TURNED = {
    2: [G, R, W, B],
    3: [W, B, G, R],
    4: [B, W, R, G],
    5: [R, B, G, W],
    6: [B, R, W, G],
    7: [W, G, B, R],
    8: [G, W, R, B],
}
"""The picture R G / B W as each orientation shows it."""


def test_a_child_has_what_is_promised_and_no_more() -> None:
    limits = pictures.LIMITS
    assert (limits.cpu_seconds, limits.memory) == (3, 512 * 1024 * 1024)
    assert (limits.pixels, limits.side, limits.file_bytes) == (40_000_000, 12_000, 20 * 1024 * 1024)
    assert "40 megapixels" in str(pictures.TooManyPixels.sentence)


def test_a_pixel_too_many_is_scaled_away_and_none_too_many_is_not() -> None:
    rows = [file_of(Image.new("RGB", (width, 1), R), "PNG") for width in (2047, 2048, 2049)]
    found = [one for one in pictures.vet_all(rows) if isinstance(one, Picture)]
    assert [one.width for one in found] == [2047, 2048, 2048]


@pytest.mark.parametrize("orientation", TURNED)
def test_each_turn_puts_each_pixel_in_its_place(orientation: int) -> None:
    image = Image.new("RGB", (2, 2))
    for place, colour in zip(((0, 0), (1, 0), (0, 1), (1, 1)), (R, G, B, W), strict=True):
        image.putpixel(place, colour)
    shown = pixels_of(pictures.vet(file_of(image, "PNG", exif=photographs.exif(orientation))))
    assert [shown.getpixel(place) for place in ((0, 0), (1, 0), (0, 1), (1, 1))] == TURNED[orientation]


def test_white_may_stand_for_transparent() -> None:
    image = Image.new("RGB", (2, 1), W)
    image.putpixel((1, 0), (0, 0, 0))
    picture = pictures.vet(file_of(image, "PNG", transparency=W))
    assert pixels_of(picture).getchannel("A").tobytes() == b"\x00\xff"
