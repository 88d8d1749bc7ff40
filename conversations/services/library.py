"""Prompts and presets: kept, copied, filled in. Who may see or change one is the matter of its QuerySet."""

import re
from collections.abc import Mapping
from itertools import count
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from conversations.models import Preset, Prompt, User
from conversations.services.conversations import clean
from conversations.services.errors import NameTaken, Refusal

LIMIT = 500  # prompts, and as many presets, of one person
VARIABLE = re.compile(r"\{\{([^{}\n]{1,80})\}\}")
MOST_VARIABLES = 20

Item = Prompt | Preset


@transaction.atomic
def store(item: Item, **fields: Any) -> None:
    """Make or change one. Raises NameTaken for a name its owner uses already, Refusal where there is no more room."""
    for field, value in fields.items():
        setattr(item, field, clean(value) if isinstance(value, str) else value)
    if item.pk is None and type(item).objects.of(item.owner).count() >= LIMIT:
        raise Refusal(_("You keep %(limit)d of these already. Delete one you do not need.") % {"limit": LIMIT})
    try:
        with transaction.atomic():
            item.save()
    except IntegrityError as exc:
        raise NameTaken(item.name) from exc


def copy(item: Item, user: User) -> Item:
    """The same for this person, not shared, under a name that is free."""
    kind = type(item)
    taken = set(kind.objects.of(user).values_list("name", flat=True))
    names = (f"{item.name[:45]}-{number}" if number > 1 else item.name for number in count(1))
    kept = ("model", "system_prompt", "parameters") if isinstance(item, Preset) else ("text",)
    fields = {field: getattr(item, field) for field in kept}
    mine = kind(owner=user)
    store(mine, name=next(name for name in names if name not in taken), **fields)
    return mine


def variables(text: str) -> list[str]:
    """The names between double braces, each once, in their order."""
    names = (name.strip() for name in VARIABLE.findall(text))
    return list(dict.fromkeys(name for name in names if name))[:MOST_VARIABLES]


def fill(text: str, values: Mapping[str, str]) -> str:
    """The text with its variables replaced; one without a value stays, to be seen and filled in by hand."""
    return VARIABLE.sub(lambda found: values.get(found[1].strip()) or found[0], text)
