"""Secrets at rest: sealed by AES-256-GCM, each bound to the row it belongs to. The keys are not in the database.

What seals are CHATSITE_ENCRYPTION_KEYS, the first of them for new secrets, and the SECRET_KEY behind them, so that
either can be replaced: put the new one first, run `manage.py rotate_keys`, take the old one away.
"""

import base64
import binascii
import os
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from django.conf import settings

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

VERSION = "v1"
NONCE = 12  # bytes
HINT = 4  # characters of a key that may be shown
LONG_ENOUGH = 16  # characters of a key of which so many say little


class Unreadable(Exception):
    """Sealed with another key, or moved from another row."""


class _Key(NamedTuple):
    name: str
    cipher: "AESGCM"


def seal(secret: str, bound_to: str) -> str:
    """The secret as it may be stored; only `unseal` with the same `bound_to` gives it back. "" stays ""."""
    if not secret:
        return ""
    key, nonce = _keys()[0], os.urandom(NONCE)
    sealed = key.cipher.encrypt(nonce, secret.encode(), bound_to.encode())
    return f"{VERSION}.{key.name}.{base64.urlsafe_b64encode(nonce + sealed).decode()}"


def unseal(token: str, bound_to: str) -> str:
    """Raises Unreadable."""
    if not token:
        return ""
    from cryptography.exceptions import InvalidTag  # 9 MB, which a server without stored secrets never needs

    try:
        version, name, data = token.split(".")
        raw = base64.urlsafe_b64decode(data)
        key = next(key for key in _keys() if key.name == name and version == VERSION)
        return key.cipher.decrypt(raw[:NONCE], raw[NONCE:], bound_to.encode()).decode()
    except (ValueError, binascii.Error, StopIteration, InvalidTag) as error:
        raise Unreadable from error


def is_current(token: str) -> bool:
    """Whether it was sealed with the key that seals now."""
    return not token or token.startswith(f"{VERSION}.{_keys()[0].name}.")


def hint(secret: str) -> str:
    """What may be shown of a secret so that people recognise it: its end, and nothing of a short one."""
    return secret[-HINT:] if len(secret) >= LONG_ENOUGH else ""


def _keys() -> list[_Key]:
    return [_derived(secret) for secret in (*settings.CHATSITE_ENCRYPTION_KEYS, settings.SECRET_KEY)]


@cache
def _derived(secret: str) -> _Key:
    """The key of a secret, and a name for it that gives nothing of it away."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    def expand(what: bytes, length: int) -> bytes:
        return HKDF(algorithm=SHA256(), length=length, salt=None, info=b"chatsite " + what).derive(secret.encode())

    return _Key(expand(b"name of a sealing key", 4).hex(), AESGCM(expand(b"sealing key", 32)))
