"""Which pictures in WebP are kept without loss: those whose first image is, wherever in the file that stands."""

import pytest

from conversations.services import picture_child
from tests.services.picture_files import webp, webp_chunk

LOSSY, LOSSLESS = webp_chunk(b"VP8 ", b"xyz"), webp_chunk(b"VP8L", b"xyz")
FRAME = b"ANMF" + (16 + len(LOSSLESS)).to_bytes(4, "little") + bytes(16)
ODD = webp_chunk(b"ICCP", b"odd")
WEBPS = [
    (webp(LOSSLESS), True),
    (webp(LOSSY), False),
    (webp(webp_chunk(b"VP8X", bytes(10)), ODD, LOSSLESS), True),
    (webp(ODD, LOSSY, LOSSLESS), False),
    (webp(webp_chunk(b"ANIM", bytes(6)), FRAME, LOSSLESS), True),
    (webp(FRAME, webp_chunk(b"ALPH", b"a"), LOSSY), False),
    (webp(webp_chunk(b"VP8X", bytes(10))), False),
    (webp(), False),
    (webp(LOSSLESS[:8]), True),
    (webp(LOSSLESS[:7]), False),
]


@pytest.mark.parametrize(("file", "is_lossless"), WEBPS)
def test_the_first_image_of_a_webp_says_whether_it_is_lossless(file: bytes, is_lossless: bool) -> None:
    assert picture_child.is_lossless_webp(file) == is_lossless
