"""`make icons`: the icons for home screens, drawn after the shapes of static/icons/icon.svg."""

import sys

from PIL import Image, ImageDraw

from tests.serving import ROOT

ACCENT, WHITE = "#0b6e63", "#ffffff"
FINE = 8  # drawn so many times larger, then made smaller: smooth edges
Points = list[tuple[float, float]]


def main() -> int:
    folder = ROOT / "static" / "icons"
    save(drawn(192, bubble=ACCENT, lines=WHITE, margin=0), folder / "icon-192.png")
    save(drawn(512, bubble=ACCENT, lines=WHITE, margin=0), folder / "icon-512.png")
    # Systems cut these to a shape of theirs: the middle four fifths are always seen.
    save(drawn(512, ground=ACCENT, bubble=WHITE, lines=ACCENT, margin=0.22), folder / "icon-maskable.png")
    save(drawn(180, ground=ACCENT, bubble=WHITE, lines=ACCENT, margin=0.17), folder / "apple-touch-icon.png")
    return 0


def drawn(side: int, *, bubble: str, lines: str, margin: float, ground: str | None = None) -> Image.Image:
    """The brand in a square of `side` pixels, `margin` of them free on each side; without `ground` see-through."""
    image = Image.new("RGBA", (side * FINE, side * FINE), ground or (0, 0, 0, 0))
    pen = ImageDraw.Draw(image)
    scale = side * FINE * (1 - 2 * margin) / 32

    def at(*points: tuple[float, float]) -> Points:
        return [(margin * side * FINE + x * scale, margin * side * FINE + y * scale) for x, y in points]

    pen.rounded_rectangle(at((2, 3), (30, 24)), radius=7 * scale, fill=bubble)
    pen.polygon(at((8, 20), (8, 28), (9.6, 28.8), (16, 24), (16, 20)), fill=bubble)
    pen.ellipse(at((8, 27), (10, 29)), fill=bubble)
    for left, right, height in ((9.5, 22.5, 11), (9.5, 17.5, 16)):
        pen.rounded_rectangle(at((left - 1.25, height - 1.25), (right + 1.25, height + 1.25)), 1.25 * scale, fill=lines)
    return image.resize((side, side), Image.Resampling.LANCZOS)


def save(image: Image.Image, path: object) -> None:
    image.quantize(64, method=Image.Quantize.FASTOCTREE).save(str(path), optimize=True)


if __name__ == "__main__":
    sys.exit(main())
