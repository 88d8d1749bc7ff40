"""Draws pictures from words, and describes pictures in words. Pillow only, no I/O; the same words, the same pixels."""

import colorsys
import hashlib
import io
import math
import re
import textwrap
from collections.abc import Callable

from PIL import Image, ImageDraw, ImageFont

from .talk import LINK, Picture

Colour = tuple[int, int, int]
SIZE = (512, 384)
SMOOTH = 3

COLOURS: dict[str, Colour] = {
    "red": (220, 40, 40),
    "orange": (245, 140, 30),
    "yellow": (250, 215, 50),
    "green": (40, 160, 70),
    "teal": (20, 150, 150),
    "blue": (40, 90, 220),
    "purple": (130, 60, 190),
    "pink": (245, 130, 175),
    "brown": (130, 85, 50),
    "black": (20, 20, 20),
    "grey": (130, 130, 130),
    "white": (255, 255, 255),
}
COLOUR = "|".join((*COLOURS, "gray"))
SHAPE = "circle|ball|disc|square|box|rectangle|triangle|star|ring|heart|sun|moon"
SIZES = {"tiny": 0.35, "small": 0.6, "little": 0.6, "big": 1.3, "large": 1.3, "huge": 1.5}
OBJECT = re.compile(rf"(?:\b({'|'.join(SIZES)})\s+)?(?:\b({COLOUR})\s+)?\b({SHAPE})s?\b")
GROUND = re.compile(rf"\b({COLOUR})\s+(?:background|ground)\b|\bon\s+(?:a\s+)?({COLOUR})\b(?!\s+(?:{SHAPE}))")
SCENE = re.compile(r"\b(sky|mountains?|hills?|landscape|sea|ocean|lake|beach|forest|meadow|sunset|night)\b")
Box = tuple[float, float, float]


def colour(name: str) -> Colour:
    return COLOURS[name.replace("gray", "grey")]


def colour_name(value: Colour) -> str:
    """The name in COLOURS that is nearest; where there is hardly any colour, only the lightness decides."""
    _, lightness, saturation = colorsys.rgb_to_hls(*(channel / 255 for channel in value))
    if lightness < 0.12 or lightness > 0.93 or saturation < 0.15:
        return "black" if lightness < 0.25 else "white" if lightness > 0.8 else "grey"
    return min(COLOURS, key=lambda name: math.dist(COLOURS[name], value))


def average(image: Image.Image) -> Colour:
    """The mean colour; transparent pixels count as white."""
    flat = Image.new("RGBA", image.size, "white")
    flat.alpha_composite(image.convert("RGBA"))
    mean = flat.convert("RGB").resize((1, 1), Image.Resampling.BOX).getpixel((0, 0))
    assert isinstance(mean, tuple)
    return (int(mean[0]), int(mean[1]), int(mean[2]))


def describe(picture: Picture) -> str:
    """A phrase such as "a PNG picture of 64 × 48 pixels, mostly red"."""
    if picture.media_type == LINK:
        return f"a link to a picture at {picture.url}"
    if picture.media_type in ("image/heic", "image/heif"):
        return "a HEIC picture"
    with Image.open(io.BytesIO(picture.data)) as image:
        frames = getattr(image, "n_frames", 1)
        size = f"{image.width} × {image.height} pixels"
        moving = f", with {frames} frames" if frames > 1 else ""
        return f"a {image.format} picture of {size}, mostly {colour_name(average(image))}{moving}"


def opened(picture: Picture) -> Image.Image:
    """The decoded picture in RGB, transparent parts white."""
    with Image.open(io.BytesIO(picture.data)) as image:
        flat = Image.new("RGBA", image.size, "white")
        flat.alpha_composite(image.convert("RGBA"))
    return flat.convert("RGB")


def saved(image: Image.Image, media_type: str = "image/png") -> Picture:
    buffer = io.BytesIO()
    image.save(buffer, media_type.removeprefix("image/"))
    return Picture(media_type, buffer.getvalue())


def draw(words: str) -> Image.Image:
    """The picture these words ask for: a landscape, shapes, or the words themselves on a coloured ground."""
    words = words.lower()
    if SCENE.search(words):
        return landscape(words)
    if OBJECT.search(words):
        return shapes(words)
    return lettering(words)


def knows(words: str) -> bool:
    """Whether the words name something that is drawn as itself."""
    return bool(SCENE.search(words.lower()) or OBJECT.search(words.lower()))


def shapes(words: str) -> Image.Image:
    ground = GROUND.search(words)
    backdrop = colour(ground[1] or ground[2]) if ground else COLOURS["white"]
    return with_shapes(Image.new("RGB", SIZE, backdrop), words)


def with_shapes(image: Image.Image, words: str, *, height: float = 0.5, scale: float = 1.0) -> Image.Image:
    """The named shapes side by side on top of `image`, at `height` of it; drawn large and scaled down to be smooth."""
    found = OBJECT.findall(words)
    layer = Image.new("RGBA", (image.width * SMOOTH, image.height * SMOOTH))
    pen = ImageDraw.Draw(layer)
    step = layer.width / max(len(found), 1)
    for index, (size, name, shape) in enumerate(found):
        radius = min(step, layer.height) * 0.32 * SIZES.get(size, 1.0) * scale
        fill = colour(name) if name else COLOURS[DEFAULT_COLOUR.get(shape, "black")]
        DRAWN[shape](pen, (step * (index + 0.5), layer.height * height, radius), fill)
    result = image.convert("RGBA")
    result.alpha_composite(layer.resize(image.size, Image.Resampling.BOX))
    return result.convert("RGB")


def circle(pen: ImageDraw.ImageDraw, at: Box, fill: Colour) -> None:
    x, y, r = at
    pen.ellipse((x - r, y - r, x + r, y + r), fill=fill)


def ring(pen: ImageDraw.ImageDraw, at: Box, fill: Colour) -> None:
    x, y, r = at
    pen.ellipse((x - r, y - r, x + r, y + r), outline=fill, width=int(r / 3))


def square(pen: ImageDraw.ImageDraw, at: Box, fill: Colour) -> None:
    x, y, r = at
    pen.rectangle((x - r, y - r, x + r, y + r), fill=fill)


def rectangle(pen: ImageDraw.ImageDraw, at: Box, fill: Colour) -> None:
    x, y, r = at
    pen.rectangle((x - r, y - r * 0.6, x + r, y + r * 0.6), fill=fill)


def triangle(pen: ImageDraw.ImageDraw, at: Box, fill: Colour) -> None:
    polygon(pen, at, fill, [1.0] * 3)


def star(pen: ImageDraw.ImageDraw, at: Box, fill: Colour) -> None:
    polygon(pen, at, fill, [1.0, 0.42] * 5)


def polygon(pen: ImageDraw.ImageDraw, at: Box, fill: Colour, radii: list[float]) -> None:
    """Corners at equal angles, the first on top, each at its share of the radius."""
    x, y, r = at
    turn = 2 * math.pi / len(radii)
    corners = [(x + r * f * math.sin(turn * i), y - r * f * math.cos(turn * i)) for i, f in enumerate(radii)]
    pen.polygon(corners, fill=fill)


def heart(pen: ImageDraw.ImageDraw, at: Box, fill: Colour) -> None:
    x, y, r = at
    angles = [2 * math.pi * i / 90 for i in range(90)]
    curve = [(16 * math.sin(a) ** 3, -13 * math.cos(a) + 5 * math.cos(2 * a) + 2 * math.cos(3 * a)) for a in angles]
    pen.polygon([(x + r * dx / 16, y + r * dy / 16) for dx, dy in curve], fill=fill)


DRAWN: dict[str, Callable[[ImageDraw.ImageDraw, Box, Colour], None]] = {
    "circle": circle,
    "ball": circle,
    "disc": circle,
    "sun": circle,
    "moon": circle,
    "square": square,
    "box": square,
    "rectangle": rectangle,
    "triangle": triangle,
    "star": star,
    "ring": ring,
    "heart": heart,
}
DEFAULT_COLOUR = {"sun": "yellow", "moon": "grey", "heart": "red", "star": "yellow"}


def landscape(words: str) -> Image.Image:
    """Sky over the upper two thirds, mountains before it, and water or grass below."""
    width, height = SIZE[0] * SMOOTH, SIZE[1] * SMOOTH
    image = sky(words).resize((width, height), Image.Resampling.BICUBIC)
    pen = ImageDraw.Draw(image)
    light = (225, 225, 235) if "night" in words else COLOURS["yellow"]
    circle(pen, (width * 0.78, height * 0.2, height * 0.08), light)
    ridge(pen, words, far=True)
    ridge(pen, words, far=False)
    water = re.search(r"\b(sea|ocean|lake|beach)\b", words)
    pen.rectangle((0, height * 0.68, width, height), fill=(45, 110, 160) if water else (70, 140, 75))
    return image.resize(SIZE, Image.Resampling.BOX)


def sky(words: str) -> Image.Image:
    """A column of two pixels, to be stretched into a gradient."""
    top, bottom = (95, 155, 225), (195, 220, 245)
    if "night" in words:
        top, bottom = (15, 20, 50), (50, 60, 110)
    elif "sunset" in words:
        top, bottom = (120, 80, 140), (250, 165, 95)
    column = Image.new("RGB", (1, 2), top)
    column.putpixel((0, 1), bottom)
    return column


def ridge(pen: ImageDraw.ImageDraw, words: str, *, far: bool) -> None:
    """A jagged line of peaks; its form comes from the words, so that two descriptions make two pictures."""
    width, height = SIZE[0] * SMOOTH, SIZE[1] * SMOOTH
    seed = hashlib.sha256(f"{words}{far}".encode()).digest()
    base, reach = (0.52, 0.3) if far else (0.62, 0.22)
    line = [(width * i / 12, height * (base - reach * (seed[i] / 255) * (i % 2))) for i in range(13)]
    pen.polygon([(0, height * 0.7), *line, (width, height * 0.7)], fill=(105, 115, 140) if far else (70, 80, 100))


def lettering(words: str) -> Image.Image:
    """The words themselves, on a ground whose colour they decide."""
    names = re.findall(rf"\b({COLOUR})\b", words)
    seed = hashlib.sha256(words.encode()).digest()
    image = Image.new(
        "RGB", SIZE, colour(names[0]) if names else (60 + seed[0] // 3, 60 + seed[1] // 3, 60 + seed[2] // 3)
    )
    ink = "black" if sum(average(image)) > 480 else "white"
    text = "\n".join(textwrap.wrap(words, 24)[:6]) or "…"
    centre = (SIZE[0] / 2, SIZE[1] / 2)
    ImageDraw.Draw(image).text(centre, text, fill=ink, font=ImageFont.load_default(34), anchor="mm", align="center")
    return image
