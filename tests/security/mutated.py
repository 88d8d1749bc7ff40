"""`make fuzz`: thousands of pictures that were damaged on purpose, each read by the child as an upload would be.

    python -m tests.security.mutated [how many] [seed]

What may come of one: a clean picture, or a refusal with a sentence, within the limits of the child. The most time and
memory that a child took is measured by the kernel.
"""

import os
import random
import resource
import sys
import time
from collections import Counter
from dataclasses import dataclass, field

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")

import django

django.setup()

from conversations.services import pictures  # noqa: E402
from conversations.services.pictures import LIMITS, Picture  # noqa: E402
from tests.services.test_pictures_hostile import FORMATS, SLOTS, sample  # noqa: E402

LONGEST = 60.0  # seconds; more is no picture that was slow but a child that hangs
GRACE = 0.5  # seconds that pass between the limit and the end
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


@dataclass
class Found:
    """Outcomes by their codes. `seconds`: processor time of the slowest child."""

    outcomes: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0


def outcome(data: bytes) -> str:
    """The code of the refusal, "clean", or what must not be: raises what is no refusal."""
    try:
        vetted = pictures.vet(data)
    except pictures.PictureRefused as refusal:
        return refusal.code if str(refusal.sentence).endswith(".") else "no sentence"
    assert isinstance(vetted, Picture)
    assert vetted.media_type in ("image/png", "image/jpeg", "image/webp")
    return "clean"


def spent() -> float:
    """Seconds of processor time of all children that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def run(count: int, seed: int) -> Found:
    """Raises AssertionError where something took longer, or more, than the limits allow."""
    chance, found = random.Random(seed), Found()
    pool = [sample(name) for name in FORMATS] * 4 + [make() for make in SLOTS.values()]
    started = time.monotonic()
    for number in range(count):
        began, before = time.monotonic(), spent()
        found.outcomes[outcome(mutated(chance, pool))] += 1
        found.seconds = max(found.seconds, spent() - before)
        assert time.monotonic() - began < LONGEST, "a child that hangs"
        if (number + 1) % 1_000 == 0:
            print(f"{number + 1:6}  {time.monotonic() - started:.0f} s  {found.seconds:.2f} s", flush=True)
    assert found.seconds <= LIMITS.cpu_seconds + GRACE, found
    return found


if __name__ == "__main__":
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else random.randrange(1 << 32)
    print(f"{count} pictures, seed {seed}", flush=True)
    found = run(count, seed)
    for code, times in sorted(found.outcomes.items()):
        print(f"{times:6}  {code}")
    largest = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024  # no other children than these here
    print(f"The slowest took {found.seconds:.2f} s of processor time, the largest {largest / 2**20:.0f} MiB.")
    sys.exit(largest > LIMITS.memory)
