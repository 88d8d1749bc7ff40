"""Changes a picture as words ask for it, so that a test can tell from the pixels. Pillow only, no I/O."""

import re
from collections.abc import Callable

from PIL import Image, ImageChops, ImageDraw, ImageEnhance, ImageFilter, ImageFont, ImageOps

from .painter import COLOUR, COLOURS, OBJECT, Colour, colour, with_shapes

PLACE_SKY = re.compile(r"\bsky\b")
PLACE_LOW = re.compile(r"\b(ground|grass|meadow|sea|ocean|lake|water)\b")
PLACE_BACK = re.compile(r"\bbackground\b")
GRID = 64
SUDDEN = 24  # of 765: the sum of the changes of red, green and blue


def edit(image: Image.Image, words: str) -> Image.Image | None:
    """`image` (RGB) with every change done that the words name, in the order of CHANGES; None where they name none."""
    words = words.lower()
    wanted = [change for pattern, change in CHANGES if re.search(pattern, words)]
    for change in wanted:
        image = change(image, words)
    return image if wanted else None


def place(image: Image.Image, words: str) -> Image.Image:
    """A mask of the part the words speak of: 255 where the change goes, 0 where nothing may change."""
    if PLACE_SKY.search(words):
        return sky_mask(image)
    if PLACE_BACK.search(words):
        return ImageOps.invert(object_mask(image))
    if PLACE_LOW.search(words):
        return band(image, 2 / 3, 1)
    return Image.new("L", image.size, 255)


def band(image: Image.Image, top: float, bottom: float) -> Image.Image:
    mask = Image.new("L", image.size, 0)
    mask.paste(255, (0, round(image.height * top), image.width, round(image.height * bottom)))
    return mask


def sky_mask(image: Image.Image) -> Image.Image:
    """What hangs together with the upper edge in the upper two thirds; the upper half where that is next to nothing."""
    cells = sky_cells(image.resize((GRID, GRID), Image.Resampling.NEAREST).tobytes())
    if len(cells) < 4 * GRID:
        return band(image, 0, 0.5)
    mask = Image.frombytes("L", (GRID, GRID), bytes(255 * (cell in cells) for cell in range(GRID * GRID)))
    return mask.resize(image.size, Image.Resampling.BILINEAR)


def sky_cells(pixels: bytes) -> set[int]:
    """The cells of a GRID that are reached from its first row without a sudden change of colour."""
    found, edge = set(range(GRID)), list(range(GRID))
    while edge:
        cell = edge.pop()
        row, column = divmod(cell, GRID)
        beside = [cell + GRID] * (row < GRID * 2 // 3) + [cell - 1] * (column > 0) + [cell + 1] * (column < GRID - 1)
        for other in beside:
            change = sum(abs(pixels[3 * cell + band] - pixels[3 * other + band]) for band in range(3))
            if other not in found and change < SUDDEN:
                found.add(other)
                edge.append(other)
    return found


def object_mask(image: Image.Image) -> Image.Image:
    """What stands out from the colour of the upper left corner; soft at smooth edges."""
    corner = Image.new("RGB", image.size, corner_colour(image))
    red, green, blue = ImageChops.difference(image, corner).split()
    strongest = ImageChops.lighter(ImageChops.lighter(red, green), blue)
    return strongest.point(lambda value: min(255, value * 2))


def corner_colour(image: Image.Image) -> Colour:
    value = image.getpixel((0, 0))
    assert isinstance(value, tuple)
    return (int(value[0]), int(value[1]), int(value[2]))


def has_flat_ground(image: Image.Image) -> bool:
    corners = [(0, 0), (image.width - 1, 0), (0, image.height - 1), (image.width - 1, image.height - 1)]
    return len({image.getpixel(corner) for corner in corners}) == 1


def near(image: Image.Image, value: Colour) -> Image.Image:
    """A mask of the pixels that have about this colour."""
    red, green, blue = ImageChops.difference(image, Image.new("RGB", image.size, value)).split()
    strongest = ImageChops.lighter(ImageChops.lighter(red, green), blue)
    return strongest.point(lambda difference: 255 if difference < 70 else 0)


def recolour(image: Image.Image, words: str) -> Image.Image:
    """The last colour named goes onto the place named, onto the earlier colour named, or onto the object."""
    names = re.findall(rf"\b({COLOUR})\b", words)
    new = Image.new("RGB", image.size, colour(names[-1]))
    if PLACE_SKY.search(words) or PLACE_LOW.search(words):
        return Image.composite(Image.blend(image, new, 0.7), image, place(image, words))
    if PLACE_BACK.search(words):
        return Image.composite(new, image, place(image, words))
    if len(names) > 1 and near(image, colour(names[0])).getbbox():
        return Image.composite(new, image, near(image, colour(names[0])))
    if has_flat_ground(image) and object_mask(image).getbbox():
        return Image.composite(new, image, object_mask(image))
    return ImageOps.colorize(image.convert("L"), "black", "white", mid=colour(names[-1]))


def brightness(factor: float) -> Callable[[Image.Image, str], Image.Image]:
    def change(image: Image.Image, words: str) -> Image.Image:
        return Image.composite(ImageEnhance.Brightness(image).enhance(factor), image, place(image, words))

    return change


def rotate(image: Image.Image, words: str) -> Image.Image:
    """Clockwise by the degrees named, by 90 without; "left" turns the other way, "upside down" is 180."""
    degrees = re.search(r"(\d+)\s*(?:°|degrees?)", words)
    angle = int(degrees[1]) if degrees else 180 if "upside" in words else 90
    clockwise = -angle if re.search(r"\b(left|counter|anti)", words) else angle
    return image.rotate(-clockwise, expand=True, fillcolor="white")


def mirror(image: Image.Image, words: str) -> Image.Image:
    return ImageOps.flip(image) if "vertical" in words or "upside" in words else ImageOps.mirror(image)


def border(image: Image.Image, words: str) -> Image.Image:
    """A frame around the picture, which grows by it; black unless a colour is named."""
    names = re.findall(rf"\b({COLOUR})\b", words)
    width = max(4, min(image.size) // 20)
    return ImageOps.expand(image, width, colour(names[-1]) if names else COLOURS["black"])


def add(image: Image.Image, words: str) -> Image.Image:
    """The shapes named, in the upper quarter; words that are no shape are written along the lower edge."""
    if OBJECT.search(words):
        return with_shapes(image, words, height=0.25, scale=0.4)
    image = image.copy()
    font = ImageFont.load_default(max(12, image.height // 14))
    place_at = (image.width / 2, image.height * 0.92)
    pen = ImageDraw.Draw(image)
    pen.text(place_at, words[:40], fill="white", stroke_fill="black", stroke_width=2, font=font, anchor="mm")
    return image


def half(image: Image.Image, words: str) -> Image.Image:
    return image.resize((max(1, image.width // 2), max(1, image.height // 2)))


def double(image: Image.Image, words: str) -> Image.Image:
    return image.resize((min(2048, image.width * 2), min(2048, image.height * 2)))


def grey(image: Image.Image, words: str) -> Image.Image:
    return image.convert("L").convert("RGB")


RECOLOUR = (
    r"^(?!.*\b(border|frame|add|black and white)\b)"
    rf".*\b(make|turn|change|paint|colou?r|recolou?r|dye)\b.*\b({COLOUR})\b"
)
CHANGES: tuple[tuple[str, Callable[[Image.Image, str], Image.Image]], ...] = (
    (r"\b(rotate|upside|turn it (?:left|right|around))", rotate),
    (r"\b(mirror|flip)", mirror),
    (r"\b(darker|darken)", brightness(0.5)),
    (r"\b(brighter|brighten|lighter|lighten)", brightness(1.5)),
    (r"\b(black and white|gr[ae]yscale|monochrome)", grey),
    (r"\binvert", lambda image, words: ImageOps.invert(image)),
    (r"\bblur", lambda image, words: image.filter(ImageFilter.GaussianBlur(6))),
    (r"\b(smaller|shrink)", half),
    (r"\b(bigger|larger|enlarge)", double),
    (RECOLOUR, recolour),
    (r"\badd\b(?!.*\b(border|frame)\b)", add),
    (r"\b(border|frame)\b", border),
)
