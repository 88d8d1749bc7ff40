"""`make fuzz`: thousands of pictures that were damaged on purpose, each read by the child as an upload would be.

    python -m tests.security.mutated [how many] [seed]

What may come of one: a clean picture, or a refusal with a sentence, within the limits of the child.
"""

import os
import random
import sys
import time
from collections import Counter
from dataclasses import replace

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")

import django

django.setup()

from conversations.services import pictures  # noqa: E402
from conversations.services.pictures import LIMITS, Picture  # noqa: E402
from tests.services.test_pictures_hostile import FORMATS, sample  # noqa: E402

AT_ONCE = 200
LONGEST = 60.0  # seconds for 200 of them; more is no picture that was slow but a child that hangs
INTERESTING = (b"\x00\x00\x00\x00", b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\x80\x00\x00\x00", b"\x00\x01\x00\x01")


def mutated(chance: random.Random, pool: list[bytes]) -> bytes:
    """One of the pool, damaged in up to six ways: bits, bytes, numbers, pieces cut, doubled, moved, of another file."""
    data = bytearray(chance.choice(pool))
    for _ in range(chance.randint(1, 6)):
        start = chance.randrange(len(data) or 1)
        end = min(len(data), start + chance.randint(1, 64))
        match chance.randrange(7):
            case 0:
                data[start:end] = chance.randbytes(end - start)
            case 1:
                data[start : start + 4] = chance.choice(INTERESTING)
            case 2:
                del data[start:end]
            case 3:
                data[start:start] = data[start:end] * chance.randint(1, 50)
            case 4:
                data = data[: max(start, 1)]
            case 5:
                other = chance.choice(pool)
                at = chance.randrange(len(other))
                data[start:end] = other[at : at + 256]
            case _ if data:
                data[start % len(data)] ^= 1 << chance.randrange(8)
    return bytes(data)


def outcome(data: bytes) -> str:
    """The code of the refusal, "clean", or what must not be: raises what is no refusal."""
    try:
        vetted = pictures.vet(data, limits=replace(LIMITS, pixels=1_000_000))
    except pictures.PictureRefused as refusal:
        return refusal.code if str(refusal.sentence).endswith(".") else "no sentence"
    assert isinstance(vetted, Picture)
    assert vetted.media_type in ("image/png", "image/jpeg", "image/webp")
    return "clean"


def run(count: int, seed: int) -> Counter[str]:
    """Raises AssertionError where something took longer than any limit allows."""
    chance, pool, counted = random.Random(seed), [sample(name) for name in FORMATS], Counter[str]()
    for first in range(0, count, AT_ONCE):
        for _ in range(first, min(first + AT_ONCE, count)):
            began = time.monotonic()
            counted[outcome(mutated(chance, pool))] += 1
            assert time.monotonic() - began < LONGEST, "a child that hangs"
    return counted


if __name__ == "__main__":
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else random.randrange(1 << 32)
    print(f"{count} pictures, seed {seed}", flush=True)
    for code, times in sorted(run(count, seed).items()):
        print(f"{times:6}  {code}")
