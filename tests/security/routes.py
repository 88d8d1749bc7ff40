"""Every address of the site, read off the URL resolver, and how a real address is made of one."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver

PLACE = re.compile(r"<(?:\w+:)?(\w+)>|\(\?P<(\w+)>(?:\[[^]]*\]|[^()])*\)")
APPLICATIONS = re.compile(r"\(\?P<app_label>[^)]*\)")  # named in any order
ANCHOR = re.compile(r"(?<=/)\^|^\^|\$$")


def every() -> set[str]:
    """As they are written in the sources, parts of included ones joined."""
    return set(_walk(get_resolver(), ""))


def _walk(resolver: URLResolver, before: str) -> Iterator[str]:
    for entry in resolver.url_patterns:
        whole = before + str(entry.pattern)
        if isinstance(entry, URLPattern):
            yield APPLICATIONS.sub("<app_label>", whole)
        else:
            yield from _walk(entry, whole)


def places(route: str) -> list[str]:
    """The names of what stands in it, in their order."""
    return [found[1] or found[2] for found in PLACE.finditer(route)]


def address(route: str, values: Mapping[str, Any]) -> str:
    filled = PLACE.sub(lambda found: str(values[found[1] or found[2]]), route)
    return "/" + ANCHOR.sub("", filled)
