"""Large pages are asked for where memory is in full use, and nothing is lost by it."""

import subprocess
import sys

from chatsite import pages

SMAPS = """\
55d000000000-55d001bf0000 rw-p 00000000 00:00 0                          [heap]
Size:              28608 kB
KernelPageSize:        4 kB
MMUPageSize:           4 kB
Rss:               28600 kB
Pss:               28600 kB
7f0000100000-7f0000e00000 rw-p 00000000 00:00 0 \n\
Size:              13312 kB
Rss:               13312 kB
7f1000000000-7f1000800000 rw-p 00000000 00:00 0 \n\
Size:               8192 kB
Rss:                   8 kB
7f2000000000-7f2000400000 rw-p 00000000 fe:00 1234                       /usr/lib/libsomething.so
Size:               4096 kB
Rss:                4096 kB
7f3000000000-7f3000400000 r-xp 00000000 00:00 0 \n\
Size:               4096 kB
Rss:                4096 kB
7f4000001000-7f4000201000 rw-p 00000000 00:00 0 \n\
Size:               2048 kB
Rss:                2048 kB
7ffc00000000-7ffc00400000 rw-p 00000000 00:00 0                          [stack]
Size:               4096 kB
Rss:                4096 kB
"""


def test_only_private_memory_in_full_use_gets_large_pages() -> None:
    found = list(pages.full(SMAPS))
    assert found == [(0x55D000000000, 13 << 21), (0x7F0000200000, 6 << 21)]


def test_what_is_in_memory_stays_as_it_is() -> None:
    """In a process of its own, because of what else is in this one."""
    script = """
from chatsite import pages
texts = [f"text {number}" * 20 for number in range(200_000)]
before = hash(tuple(texts))
pages.enlarge()
assert hash(tuple(texts)) == before and texts[123] == "text 123" * 20
print("unchanged", len(list(pages.full(open("/proc/self/smaps").read()))) > 0)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stdout.split()) == (0, ["unchanged", "True"]), done.stderr
