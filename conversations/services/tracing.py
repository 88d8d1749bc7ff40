"""What the present thread works for, so that log lines can say it: a request, a reply, or a reply for a request.

Plain attributes, set and cleared by the few places where a thread takes up work: they cost next to nothing.
"""

import re
import secrets
import threading

GIVEN = re.compile(r"[A-Za-z0-9._-]{1,64}")


class Present(threading.local):
    """`request`: the id of the request that caused this; `reply`: primary key."""

    request: str = ""
    reply: int | None = None

    def take_up(self, request: str, reply: int | None = None) -> None:
        self.request, self.reply = request, reply

    def put_down(self) -> None:
        self.request, self.reply = "", None


present = Present()


def request_id(given: str = "") -> str:
    """An id for a request: the one that a trusted proxy gave it, where that is one, or a new one."""
    return given if GIVEN.fullmatch(given) else secrets.token_hex(8)
