"""Icons as lucide draws them, each drawn once: its own tag reads and copies a tree of elements at every use."""

from functools import cache
from typing import cast

from django import template
from django.utils.safestring import SafeString
from lucide.templatetags import lucide as drawing

register = template.Library()


@register.simple_tag
@cache
def lucide(name: str, size: int = 24, **attributes: str) -> SafeString:
    """The SVG of an icon; `size` in CSS pixels, further attributes as given in a template of ours."""
    return cast(SafeString, drawing.lucide(name, size=size, **attributes))
