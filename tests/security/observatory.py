"""The rules by which Mozilla's HTTP Observatory scores a site, as they are published, in our own words.

A hundred points to begin with. What is missing costs points; what goes beyond counts only where 90 are left without it.
Of the rules those are here that a site without scripts of others can meet or miss.
"""

from collections.abc import Mapping, Sequence

HALF_A_YEAR = 15_768_000  # seconds
EXTRA_FROM = 90
UNSAFE = {"'unsafe-inline'", "'unsafe-eval'", "data:", "http:", "https:", "ftp:", "*"}
PRIVATE = {"no-referrer", "same-origin", "strict-origin", "strict-origin-when-cross-origin"}


def score(headers: Mapping[str, str], cookies: Sequence[str], redirect: str) -> int:
    """`headers` of the page with names in lower case, its `Set-Cookie` lines, and where plain http leads."""
    points = [
        policy(headers.get("content-security-policy", "")),
        all_cookies(cookies),
        0 if "access-control-allow-origin" not in headers else -50,
        0 if redirect.startswith("https://") else -20,
        5 if headers.get("referrer-policy") in PRIVATE else 0 if "referrer-policy" not in headers else -5,
        transport(headers.get("strict-transport-security", "")),
        0 if headers.get("x-content-type-options") == "nosniff" else -5,
        frames(headers),
        10 if headers.get("cross-origin-resource-policy") in {"same-origin", "same-site"} else 0,
    ]
    plain = 100 + sum(point for point in points if point < 0)
    return plain + sum(point for point in points if point > 0) if plain >= EXTRA_FROM else max(plain, 0)


def policy(value: str) -> int:
    rules = {words[0]: set(words[1:]) for rule in value.split(";") if (words := rule.split())}
    if not rules:
        return -25
    basis = rules.get("default-src", {"*"})
    scripts, objects, styles = (rules.get(name, basis) for name in ("script-src", "object-src", "style-src"))
    if (scripts | objects) & UNSAFE:
        return -20
    if styles & UNSAFE:
        return 0
    return 10 if basis == {"'none'"} else 5


def all_cookies(lines: Sequence[str]) -> int:
    points = [5] if lines else [0]
    for line in lines:
        name, *rest = (word.strip().lower() for word in line.split(";"))
        if "secure" not in rest:
            points.append(-40 if "sess" in name else -20)
        if "sess" in name.partition("=")[0] and "httponly" not in rest:
            points.append(-30)
        if not {"samesite=lax", "samesite=strict"} & set(rest):
            points.append(-20 if "csrf" in name else 0)
    return min(points)


def transport(value: str) -> int:
    words = [word.strip() for word in value.split(";")]
    age = next((int(word[8:]) for word in words if word.startswith("max-age=") and word[8:].isdigit()), None)
    return -20 if age is None else -10 if age < HALF_A_YEAR else 0


def frames(headers: Mapping[str, str]) -> int:
    ancestors = [rule.split() for rule in headers.get("content-security-policy", "").split(";")]
    if any(words[:1] == ["frame-ancestors"] and not set(words) & UNSAFE for words in ancestors):
        return 5
    return 0 if headers.get("x-frame-options", "").upper() in {"DENY", "SAMEORIGIN"} else -20
