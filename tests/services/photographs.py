"""Believable photographs for tests: drawn, not recorded, yet with everything a phone writes into its files."""

import io
import random

from PIL import Image, ImageDraw, ImageFilter
from PIL.Image import Transpose
from pillow_heif import register_heif_opener

register_heif_opener()

# What the file says about its maker; none of it may be found in what is stored, shown or sent.
TELLTALES = (b"Canary Street 12", b"Finch F7", b"2026:05:17 18:32:07")

MAKE, MODEL, ORIENTATION, DATE, DESCRIPTION = 0x010F, 0x0110, 0x0112, 0x0132, 0x010E
EXIF_IFD, GPS_IFD, TAKEN_AT = 0x8769, 0x8825, 0x9003

# How a camera must have stored a picture so that its orientation turns it upright again.
STORED_AS = {
    2: Transpose.FLIP_LEFT_RIGHT,
    3: Transpose.ROTATE_180,
    4: Transpose.FLIP_TOP_BOTTOM,
    5: Transpose.TRANSPOSE,
    6: Transpose.ROTATE_90,
    7: Transpose.TRANSVERSE,
    8: Transpose.ROTATE_270,
}


def photograph(width: int, height: int, format: str = "JPEG", orientation: int = 6, seed: int = 0) -> bytes:
    """A file (JPEG, PNG, WEBP or HEIF) of a landscape that is `width` x `height` pixels when it stands upright.

    The sky is blue and on top, the sun on its left, the meadow at the foot green: a picture turned wrongly shows it.
    The same arguments give the same bytes; another `seed` gives another landscape.
    """
    scene = landscape(width, height, seed)
    return stored(scene, format, orientation, exif=exif(orientation))


def landscape(width: int, height: int, seed: int = 0) -> Image.Image:
    """The scene itself, upright, RGB."""
    chance = random.Random(seed)
    scene = Image.composite(
        Image.new("RGB", (width, height), (214, 232, 248)),
        Image.new("RGB", (width, height), (38, 104, 196)),
        Image.linear_gradient("L").resize((width, height)),
    )
    draw = ImageDraw.Draw(scene)
    radius = max(1, min(width, height) // 10)
    draw.circle((width // 5, height // 5), radius, (255, 232, 130))
    _hills(draw, width, height, 0.55, (104, 122, 150), chance)
    _hills(draw, width, height, 0.75, (56, 128, 62), chance)
    return Image.blend(scene, _grain(width, height, chance), 0.06)


def stored(upright: Image.Image, format: str, orientation: int, *, exif: Image.Exif) -> bytes:
    """The file that a camera held in that orientation writes of this scene."""
    turned = upright.transpose(STORED_AS[orientation]) if orientation in STORED_AS else upright
    file = io.BytesIO()
    turned.save(file, format, exif=exif.tobytes(), quality=92)
    return file.getvalue()


def exif(orientation: int) -> Image.Exif:
    tags = Image.Exif()
    tags[DESCRIPTION] = "Garden of Canary Street 12"
    tags[MAKE], tags[MODEL] = "Finch", "Finch F7"
    tags[ORIENTATION], tags[DATE] = orientation, "2026:05:17 18:32:07"
    tags.get_ifd(EXIF_IFD)[TAKEN_AT] = "2026:05:17 18:32:07"
    tags.get_ifd(GPS_IFD).update({1: "N", 2: (47.0, 22.0, 36.5), 3: "E", 4: (8.0, 32.0, 28.1)})
    return tags


def _hills(
    draw: ImageDraw.ImageDraw, width: int, height: int, crest: float, colour: tuple[int, ...], chance: random.Random
) -> None:
    line = [(width * step / 12, height * (crest + chance.uniform(-0.08, 0.08))) for step in range(13)]
    draw.polygon([*line, (width, height), (0, height)], fill=colour)


def _grain(width: int, height: int, chance: random.Random) -> Image.Image:
    """The noise of a sensor, which keeps files from shrinking to nothing."""
    tile = Image.frombytes("RGB", (256, 256), chance.randbytes(256 * 256 * 3)).filter(ImageFilter.GaussianBlur(0.6))
    grain = Image.new("RGB", (width, height))
    for left in range(0, width, tile.width):
        for top in range(0, height, tile.height):
            grain.paste(tile, (left, top))
    return grain
