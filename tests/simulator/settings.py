"""The switches of one simulator. Plain values, no I/O."""

from dataclasses import dataclass
from decimal import Decimal


@dataclass(kw_only=True, eq=False)
class Settings:
    """Every switch may be changed while the simulator runs; it counts from the next request on.

    key                 what both vendors accept; `<key>-forbidden` answers 403, `<key>-empty` is out of credit
    accept_bearer       Segmind also takes `Authorization: Bearer` (documented beside `x-api-key`)
    refuse_system       gemini-2-flash-image-generation refuses a system instruction, as Google does
    require_signatures  pictures a model drew must come back with their thought signature
    delay_ms, first_ms  milliseconds between two tokens of a stream, and before the head of any answer
    credits, balance    what is left at Segmind (credits) and at AI/ML API (US dollars)
    max_body            bytes of a request body before 413
    keep                how many requests are remembered
    """

    host: str = "127.0.0.1"
    port: int = 0
    key: str = "demo-key"
    accept_bearer: bool = False
    refuse_system: bool = False
    require_signatures: bool = False
    delay_ms: int = 0
    first_ms: int = 0
    credits: Decimal = Decimal("100")
    balance: Decimal = Decimal("10")
    max_body: int = 20 * 1024 * 1024
    keep: int = 1000
