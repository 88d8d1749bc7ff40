"""Typed readers of the environment; each NAME may also be given as NAME_FILE, the path of a file that holds the value.

A wrong value ends the start with one sentence instead of a traceback.
"""

import os
import re
import secrets
from importlib.util import find_spec
from pathlib import Path

EXAMPLE = re.compile(r"django-insecure|change.?me|example|your.secret")
TRUE, FALSE = {"1", "true", "yes", "on"}, {"0", "false", "no", "off", ""}


class Misconfigured(SystemExit):
    """A setting that cannot be used. Ends the process with the sentence on standard error and exit status 1."""

    def __init__(self, sentence: str) -> None:
        super().__init__(f"chatsite: {sentence}")


def text(name: str, default: str = "") -> str:
    """The value of NAME, or the content of the file that NAME_FILE names, without surrounding white space."""
    path = os.environ.get(f"{name}_FILE", "")
    if not path:
        return os.environ.get(name, default).strip()
    if name in os.environ:
        raise Misconfigured(f"{name} and {name}_FILE are both set; keep one of them.")
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as exc:
        raise Misconfigured(f"{name}_FILE names a file that cannot be read: {exc.__class__.__name__}.") from exc


def flag(name: str, default: bool) -> bool:
    value = text(name, str(default)).lower()
    if value not in TRUE | FALSE:
        raise Misconfigured(f"{name} must be true or false.")
    return value in TRUE


def number(name: str, default: int, *, minimum: int = 0) -> int:
    value = text(name, str(default))
    try:
        result = int(value)
    except ValueError:
        raise Misconfigured(f"{name} must be a whole number.") from None
    if result < minimum:
        raise Misconfigured(f"{name} must be at least {minimum}.")
    return result


def words(name: str, default: str = "") -> list[str]:
    """A comma-separated list, blanks left out."""
    return [word.strip() for word in text(name, default).split(",") if word.strip()]


def choice(name: str, options: tuple[str, ...]) -> str:
    """One of `options`; the first is the default."""
    value = text(name, options[0])
    if value not in options:
        raise Misconfigured(f"{name} must be one of: {', '.join(options)}.")
    return value


def need(package: str, name: str) -> None:
    """End the start where the setting NAME needs a package that is not installed."""
    if find_spec(package) is None:
        raise Misconfigured(
            f"{name} needs more than is installed: pip install --require-hashes -r requirements-scale.txt."
        )


def is_guessable(secret: str) -> bool:
    """Whether this is an example, or a few characters again and again."""
    return bool(EXAMPLE.search(secret.lower())) or len(set(secret)) < 10


def begins_with_hash(path: Path) -> bool:
    """Whether this can be read and is, as far as its first line says, a list of SHA-1 in hexadecimal."""
    try:
        with path.open("rb") as file:
            return bool(re.match(rb"[0-9A-Fa-f]{40}(?![0-9A-Fa-f])", file.readline(256)))
    except OSError:
        return False


def secret_kept_in(path: Path) -> str:
    """The secret in this file, made at the first start; only its owner may read it."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text(encoding="utf-8").strip()
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(value := secrets.token_urlsafe(50))
    return value
