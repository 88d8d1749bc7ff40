"""Every address there is, with something in each of its places: out of the resolver, so that none is forgotten."""

import re
from collections.abc import Iterator
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver
from django.urls.resolvers import RoutePattern

PLACE = re.compile(r"<(?:(\w+):)?(\w+)>")
EXPRESSION = re.compile(r"\(\?P<\w+>[^)]*\)")


def every(values: dict[str, str]) -> list[str]:
    """`values`: what stands for a place, by its name or its kind ("uuid", "int", "str")."""
    return sorted({address for address in _below(get_resolver(), "/", values) if "(?" not in address})


def _below(resolver: URLResolver, start: str, values: dict[str, str]) -> Iterator[str]:
    for one in resolver.url_patterns:
        address = start + _filled(one.pattern, values)
        if isinstance(one, URLPattern):
            yield address
        else:
            yield from _below(one, address, values)


def _filled(pattern: Any, values: dict[str, str]) -> str:
    if isinstance(pattern, RoutePattern):
        return PLACE.sub(lambda place: values.get(place[2], values.get(place[1] or "str", "1")), str(pattern))
    return EXPRESSION.sub("1", str(pattern)).replace("^", "").replace("$", "").replace("\\Z", "").replace("\\", "")
