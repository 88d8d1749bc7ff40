"""The codes that an authenticator app shows (RFC 6238)."""

import base64
import hashlib
import hmac
import struct
import time


def code(secret: str, *, steps_ahead: int = 0) -> str:
    """Of now, or of so many times 30 seconds later: a code is taken once, and a clock may be one step off."""
    counter = int(time.time()) // 30 + steps_ahead
    digest = hmac.new(base64.b32decode(secret), struct.pack(">Q", counter), hashlib.sha1).digest()
    start = digest[-1] & 15
    number = struct.unpack(">I", digest[start : start + 4])[0] & 0x7FFFFFFF
    return f"{number % 1_000_000:06}"
