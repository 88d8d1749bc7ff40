"""A provider that breaks as each question asks it to, and answers well once it was mended."""

import re
import threading

from tests.faults import bodies, heads
from tests.faults.place import ALL, GOOD, Fault, Place
from tests.wire.byteserver import ByteServer, Received, Script, Step

MARK = re.compile(rb"fault (\d+) at (\d)")
FAULTS: tuple[Fault, ...] = (*bodies.FAULTS, *heads.FAULTS)
CANARY = "/stolen"


class Case:
    """One fault at one place, and the question that asks for it."""

    def __init__(self, number: int, place: int) -> None:
        self.number, self.at = number, place
        self.fault: Fault = FAULTS[number]
        self.place: Place = ALL[place]
        self.question = f"fault {number} at {place}"

    def __str__(self) -> str:
        return f"{self.fault.name}, {self.place.name}"


class Upstream(ByteServer):
    """Answers as the last question says; `mend` makes all answers to it good from then on."""

    def __init__(self, *, patience: float) -> None:
        super().__init__(patience=patience)
        self._mended: set[str] = set()
        self._lock = threading.Lock()

    @property
    def base_url(self) -> str:
        return f"{self.url}/v1"

    @property
    def was_led_astray(self) -> bool:
        """Whether anybody followed a redirect."""
        return any(CANARY in request.line for request in self.received)

    def mend(self, case: Case) -> None:
        with self._lock:
            self._mended.add(case.question)

    def script_for(self, request: Received) -> Script:
        found = MARK.findall(request.raw)
        if not found:
            return GOOD
        case = Case(*map(int, found[-1]))
        with self._lock:
            if case.question in self._mended:
                return GOOD
        return map(self._led_astray, case.fault.script(case.place))

    def _led_astray(self, step: Step) -> Step:
        return step.replace(b"{canary}", f"{self.url}{CANARY}".encode()) if isinstance(step, bytes) else step
