"""Connections as people set them up: keys sealed and renewed, models picked, the vendors of this version registered."""

from collections.abc import Iterable
from urllib.parse import urlsplit

from django.db import transaction
from django.utils.translation import gettext as _

from conversations import providers
from conversations.models import Connection, OfferedModel, OwnKey, User
from conversations.providers.base import Model
from conversations.providers.listings import Listed
from conversations.services import keyring, offers
from conversations.services.errors import Refusal

LONGEST_KEY = 500  # characters


@transaction.atomic
def store(connection: Connection, *, key: str | None = None, headers: str | None = None) -> None:
    """Save a connection. `key`, and `headers` one to a line: None leaves what is stored, "" removes it.

    Keys that people brought go where the address becomes that of another server: they were not given to that.
    """
    before = Connection.objects.filter(pk=connection.pk).values_list("base_url", flat=True).first()
    if key is not None:
        connection.sealed_key = keyring.seal(key, connection.key_bound_to)
        connection.key_hint = keyring.hint(key)
    if headers is not None:
        connection.sealed_headers = keyring.seal(headers, connection.headers_bound_to)
        connection.header_names = ", ".join(name for name, _value in offers.headers_in(headers))[:500]
    connection.save()
    if before is not None and origin(before) != origin(connection.base_url):
        connection.own_keys.all().delete()
    transaction.on_commit(offers.forget)


def origin(address: str) -> tuple[str, str, int | None]:
    """The server that an address leads to."""
    try:
        parts = urlsplit(address)
        return parts.scheme, (parts.hostname or "").lower(), parts.port
    except ValueError:
        return "", address, None


def is_usable_key(key: str) -> bool:
    """Whether it can stand in a header."""
    return bool(key) and key.isascii() and key.isprintable() and " " not in key and len(key) <= LONGEST_KEY


@transaction.atomic
def bring_key(user: User, connection: Connection, key: str) -> None:
    """Somebody's own key for what they send. Raises Refusal where it is none, or nobody may bring one."""
    key = key.strip()
    if not connection.takes_own_keys or not connection.is_enabled:
        raise Refusal(_("This connection takes no keys of your own."))
    if not is_usable_key(key):
        raise Refusal(_("This is not a key: it holds spaces or letters that keys do not have."))
    own = OwnKey.objects.of(user).filter(connection=connection).first() or OwnKey(owner=user, connection=connection)
    own.sealed_key, own.key_hint = keyring.seal(key, own.bound_to), keyring.hint(key)
    own.save()


def remove_key(user: User, connection: Connection) -> None:
    """Take somebody's own key away; nothing happens where there is none."""
    OwnKey.objects.of(user).filter(connection=connection).delete()


@transaction.atomic
def add_models(connection: Connection, listed: Iterable[Listed]) -> int:
    """Offer these models, as far as they are not there yet; returns how many are new."""
    there = set(connection.models.values_list("name", flat=True))
    found = [_listed(connection, one) for one in listed if one.name not in there]
    OfferedModel.objects.bulk_create(found)
    transaction.on_commit(offers.forget)
    return len(found)


def _listed(connection: Connection, listed: Listed) -> OfferedModel:
    return OfferedModel(
        connection=connection,
        name=listed.name,
        label=f"{listed.label or listed.name} ({connection.label})"[:120],
        description=listed.description,
        context_window=listed.context_window,
        output_limit=listed.output_limit,
        sees_pictures=listed.sees_images,
        draws_pictures=listed.draws_images,
    )


@transaction.atomic
def register_vendors() -> None:
    """Rows for the vendors of this version and their models, as far as there are none, so that they can be set up."""
    slugs = [vendor.id for vendor in providers.VENDORS]
    there = {one.slug: one for one in Connection.objects.filter(slug__in=slugs).prefetch_related("models")}
    for vendor in providers.VENDORS:
        row = there.get(vendor.id)
        names = {one.name for one in row.models.all()} if row else set[str]()
        missing = [model for model in vendor.models if model.name not in names]
        if missing:
            row = row or Connection.objects.create(slug=vendor.id, kind=vendor.id, label=vendor.label)
            OfferedModel.objects.bulk_create(_known(row, model, place) for place, model in enumerate(missing))
    transaction.on_commit(offers.forget)


def _known(connection: Connection, model: Model, place: int) -> OfferedModel:
    return OfferedModel(
        connection=connection,
        name=model.name,
        label=model.label,
        description=model.description,
        position=place,
        sees_pictures=model.sees_images,
        draws_pictures=model.draws_images,
        streams=model.streams,
        context_window=model.context_window,
        default_max_tokens=model.quirks.default_max_tokens,
        request_form=model.dialect,
        stream_usage=model.quirks.stream_usage,
    )


@transaction.atomic
def rotate() -> tuple[int, list[str]]:
    """Seal everything with the newest key. How many secrets there are, and whose cannot be read any more."""
    count, unreadable = 0, list[str]()
    for connection in Connection.objects.select_for_update():
        for field, bound_to in (
            ("sealed_key", connection.key_bound_to),
            ("sealed_headers", connection.headers_bound_to),
        ):
            count += _rotate(connection, field, bound_to, unreadable)
    for own in OwnKey.objects.select_for_update(of=("self",)).select_related("connection"):
        count += _rotate(own, "sealed_key", own.bound_to, unreadable)
    transaction.on_commit(offers.forget)
    return count, unreadable


def _rotate(row: Connection | OwnKey, field: str, bound_to: str, unreadable: list[str]) -> int:
    token: str = getattr(row, field)
    try:
        fresh = keyring.seal(keyring.unseal(token, bound_to), bound_to)
    except keyring.Unreadable:
        unreadable.append(bound_to)
        return 0
    if token:
        type(row)._base_manager.filter(pk=row.pk).update(**{field: fresh})
    return bool(token)
