"""Connections and models for tests, as an administrator would have set them up."""

from typing import Any

from conversations.models import Connection, OfferedModel
from conversations.services import connections, offers

KEY = "own-endpoint-key-0123456789abcd"


def connect(slug: str = "house", *, key: str = KEY, headers: str = "", **fields: Any) -> Connection:
    """A stored connection; what tests change by themselves is known at once."""
    values = {"label": slug.title(), "base_url": "https://models.example/v1"} | fields
    connection = Connection(slug=slug, **values)
    connections.store(connection, key=key, headers=headers)
    offers.forget()
    return connection


def offer(connection: Connection, name: str = "chat", *, groups: tuple[Any, ...] = (), **fields: Any) -> OfferedModel:
    model = OfferedModel.objects.create(connection=connection, name=name, **({"label": name.title()} | fields))
    model.groups.set(groups)
    offers.forget()
    return model
