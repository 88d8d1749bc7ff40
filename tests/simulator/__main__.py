"""The simulator from the command line: `python -m tests.simulator --port 9001 --key demo-key`, or `--list`."""

import argparse
import signal
import sys
import threading
from collections.abc import Iterable
from decimal import Decimal

from .directives import MEANING
from .faults import FAULTS
from .server import Simulator
from .shapes import SHAPES
from .streams import STREAMS


def main() -> int:
    options = parsed()
    if options.list:
        print(listing())
        return 0
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    with Simulator(
        host=options.host,
        port=options.port,
        key=options.key,
        accept_bearer=options.accept_bearer,
        refuse_system=options.refuse_system,
        delay_ms=options.delay,
        first_ms=options.first,
        credits=options.credits,
        keep=50,
    ) as simulator:
        print(f"Simulator ready at {simulator.base_url}", flush=True)
        ended.wait()
    return 0


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.simulator", description="Imitates the model providers.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--key", default="demo-key", help="the key both vendors accept")
    parser.add_argument("--accept-bearer", action="store_true", help="Segmind takes Authorization: Bearer too")
    parser.add_argument("--refuse-system", action="store_true", help="the drawing model refuses a system instruction")
    parser.add_argument("--delay", type=int, default=20, help="milliseconds between two tokens of a stream")
    parser.add_argument("--first", type=int, default=300, help="milliseconds before the head of a reply")
    parser.add_argument("--credits", type=Decimal, default=Decimal("100"), help="what is left at Segmind")
    parser.add_argument("--list", action="store_true", help="print all directives, shapes and faults")
    return parser.parse_args()


def listing() -> str:
    return "\n".join(
        (
            *section("Directives: [[name]] or [[name:value]] in the last user text", MEANING.items()),
            *section("Shapes of a whole reply", ((shape.name, shape.about) for shape in SHAPES)),
            *section("Shapes of a stream", ((shape.name, shape.about) for shape in STREAMS)),
            *section("Faults", ((fault.name, fault.about) for fault in FAULTS.values())),
        )
    )


def section(title: str, rows: Iterable[tuple[str, str]]) -> Iterable[str]:
    return (title, *(f"  {name:<20} {about}" for name, about in rows), "")


if __name__ == "__main__":
    sys.exit(main())
