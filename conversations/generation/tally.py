"""What this process counts from its start on, for `/metrics`: once for a reply and an attempt, never for a token.

Values that stand somewhere anyway are not counted but read when somebody asks (`gauge`).
"""

import threading
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable

from conversations.providers.wire import Attempt
from conversations.services.replies import Outcome

FIRST_TOKEN = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 120.0)  # seconds

Labels = tuple[str, str]


class Tally:
    """Sums by model and something else. All methods may be called from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._gauges: dict[str, Callable[[], float]] = {}
        self.ended: Counter[Labels] = Counter()
        self.attempts: Counter[Labels] = Counter()
        self.tokens: Counter[Labels] = Counter()
        self.first_token: dict[str, list[int]] = {}
        self.first_token_seconds: Counter[str] = Counter()
        self.flushes = 0
        self.flush_seconds = 0.0

    def note_end(self, model: str, outcome: Outcome) -> None:
        """A reply has ended here."""
        with self._lock:
            self.ended[model, str(outcome.status)] += 1
            for kind in ("prompt", "output", "reasoning"):
                self.tokens[model, kind] += getattr(outcome, f"{kind}_tokens") or 0
            if outcome.first_token_ms is not None:
                seconds = outcome.first_token_ms / 1000
                counts = self.first_token.setdefault(model, [0] * (len(FIRST_TOKEN) + 1))
                counts[bisect_left(FIRST_TOKEN, seconds)] += 1
                self.first_token_seconds[model] += seconds  # type: ignore[assignment]

    def note_attempt(self, model: str, attempt: Attempt) -> None:
        """A request to a provider has ended: with a finish reason, or with the code of an error."""
        with self._lock:
            self.attempts[model, attempt.outcome] += 1

    def note_flush(self, seconds: float) -> None:
        """Everything that had gathered was written; the oldest of it had waited so long."""
        self.flushes += 1
        self.flush_seconds += seconds

    def gauge(self, name: str, read: Callable[[], float]) -> None:
        """A value that is read when somebody asks for it."""
        self._gauges[name] = read

    def gauges(self) -> dict[str, float]:
        return {name: read() for name, read in self._gauges.items()}


tally = Tally()
