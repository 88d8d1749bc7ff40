"""What this version and the tables say of connections and models, as values, remembered for a few seconds.

A send must not cost a look into the tables, so each process remembers what it read for OFFERS_LIFE seconds; where
something is changed, `forget` is called. Who may use what is the matter of `catalog`.
"""

import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import cast

from django.conf import settings
from django.utils.translation import gettext_lazy

from conversations import providers
from conversations.models import Connection, OfferedModel
from conversations.models.connection import PRICES
from conversations.providers import local
from conversations.providers.base import (
    AuthScheme,
    DialectName,
    Endpoint,
    Headers,
    LimitField,
    Model,
    Quirks,
    SystemMode,
    Vendor,
)
from conversations.services import keyring

# What vendors' modules say in English, for translation; those know nothing of Django.
DESCRIPTIONS = {
    "aimlapi/google/gemini-2.5-flash": gettext_lazy(
        "Quick all-round model that sees pictures; answers appear as they are written."
    ),
    "segmind/gemini-2.5-flash": gettext_lazy("Quick all-round model that sees pictures; answers arrive in one piece."),
    "segmind/gemini-2-flash-image-generation": gettext_lazy(
        "Draws pictures and changes them when told how; sees pictures too."
    ),
    "segmind/gemini-1.5-pro": gettext_lazy(
        "Older, thorough model for long texts that sees pictures; answers arrive in one piece."
    ),
    f"local/{local.MODEL_NAME}": gettext_lazy(
        "A very small model that runs on this machine and is often wrong; good for trying things out."
    ),
}


VENDOR_SLUGS = frozenset(vendor.id for vendor in providers.VENDORS)
LOOK_AGAIN_AFTER = 0.2  # seconds; for a model that was not there


@dataclass(frozen=True, slots=True)
class Link:
    """A connection. `key` and `headers` are those it is shared with; `connection`: primary key of its row."""

    slug: str
    connection: int | None = None
    base_url: str = ""
    auth: AuthScheme | None = None
    key: str = field(default="", repr=False)
    headers: Headers = field(default=(), repr=False)
    is_enabled: bool = True
    public_only: bool = True
    takes_own_keys: bool = False

    @property
    def from_environment(self) -> bool:
        """Whether address and key are those of the environment, which goes before what is stored."""
        return bool(settings.PROVIDER_ENDPOINTS.get(self.slug, ("", ""))[1])

    @property
    def is_shared(self) -> bool:
        """Whether everybody can use it: it has a key, or needs none."""
        if self.slug == local.LOCAL.id:
            return bool(settings.CHATSITE_LOCAL_MODEL and local.is_installed())
        return self.from_environment or bool(self.key) or self.auth == "none"

    def endpoint(self, key: str = "") -> Endpoint:
        """Where it is reached, with somebody's own key or the shared one. Starts the local model on first use."""
        if self.slug == local.LOCAL.id:
            return local.endpoint()
        if self.from_environment:
            address, shared = settings.PROVIDER_ENDPOINTS[self.slug]
            auth: AuthScheme | None = settings.SEGMIND_AUTH if self.slug == "segmind" else None  # type: ignore[assignment]
            return Endpoint(address.rstrip("/"), key or shared, auth)
        return Endpoint(self.base_url.rstrip("/"), key or self.key, self.auth, self.headers, self.public_only)


@dataclass(frozen=True, slots=True)
class Prices:
    """What a model costs: per million tokens, and for each picture. None where nobody knows."""

    currency: str
    input: Decimal | None = None
    output: Decimal | None = None
    cached: Decimal | None = None
    reasoning: Decimal | None = None
    picture: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Offer:
    """A model somebody may choose, with the vendor that serves it. `groups`: who may, where not everybody may."""

    vendor: Vendor
    model: Model
    link: Link = Link("")
    is_enabled: bool = True
    groups: frozenset[int] = frozenset()
    prices: Prices | None = None

    @property
    def description(self) -> str:
        """What the model is good for, in the reader's language where it is translated."""
        translated = DESCRIPTIONS.get(self.model.id)
        is_ours = any(one.id == self.model.id and one.description == self.model.description for one in _ours())
        return str(translated) if translated and is_ours else self.model.description


Offers = Mapping[str, Offer]


class _Memory:
    """All offers by the id of their model, as they were a moment ago."""

    def __init__(self) -> None:
        self._offers: Offers | None = None
        self._read_at = 0.0
        self._version = 0
        self._lock = threading.Lock()

    def offers(self, life: float) -> Offers:
        """`life`: seconds for which what was read holds."""
        now, found, version = time.monotonic(), self._offers, self._version
        if found is not None and now < self._read_at + life:
            return found
        found = {offer.model.id: offer for offer in _read()}
        with self._lock:
            if version == self._version:  # else something was changed while this was read
                self._offers, self._read_at = found, now
        return found

    def forget(self) -> None:
        with self._lock:
            self._offers = None
            self._version += 1


_memory = _Memory()


def every() -> Offers:
    """Everything that was ever set up, on offer or not, by the id of the model."""
    return _memory.offers(settings.OFFERS_LIFE)


def find(model_id: str) -> Offer | None:
    """One of them. What is not remembered may be new: another process may have stored it a moment ago."""
    return every().get(model_id) or _memory.offers(LOOK_AGAIN_AFTER).get(model_id)


def forget() -> None:
    """Read the tables again before the next answer. Call it when a change of them is committed."""
    _memory.forget()


def link_of(connection: Connection) -> Link:
    """The connection as it is stored. What cannot be read any more counts as not there."""
    return Link(
        slug=connection.slug,
        connection=connection.pk,
        base_url=connection.base_url or vendor_of(connection).default_base_url,
        auth=connection.auth or None,  # type: ignore[arg-type]
        key=_unsealed(connection.sealed_key, connection.key_bound_to),
        headers=headers_in(_unsealed(connection.sealed_headers, connection.headers_bound_to)),
        is_enabled=connection.is_enabled,
        public_only=not connection.may_be_private,
        takes_own_keys=connection.takes_own_keys,
    )


def vendor_of(connection: Connection) -> Vendor:
    """Who serves its models: one of the kinds, under the connection's name."""
    kinds = {vendor.id: vendor for vendor in (*providers.KINDS, local.LOCAL)}
    return replace(kinds[connection.kind], id=connection.slug, label=connection.label)


def offer_of(row: OfferedModel, link: Link, groups: Sequence[int] = ()) -> Offer:
    """The model of a row, whose connection is read already."""
    vendor = vendor_of(row.connection)
    return Offer(vendor, _model(row, vendor), link, row.is_enabled, frozenset(groups), _prices(row))


def address_of(connection: Connection) -> str:
    """Where it is reached, by the environment or as stored."""
    of_environment = settings.PROVIDER_ENDPOINTS.get(connection.slug, ("", ""))[0]
    return of_environment or connection.base_url or vendor_of(connection).default_base_url


def tested(row: OfferedModel) -> Offer:
    """The model of a row as it would be asked, whether it is on offer or not."""
    return offer_of(row, link_of(row.connection))


def headers_in(text: str) -> Headers:
    """Headers as they are written down: one to a line."""
    pairs = (line.partition(":") for line in text.splitlines() if line.strip())
    return tuple((name.strip(), value.strip()) for name, _colon, value in pairs)


def _read() -> Iterator[Offer]:
    """The vendors of this version first, each model as its row says where it has one; then what was set up beside."""
    rows = list(Connection.objects.prefetch_related("models"))
    groups = _groups() if rows else {}
    ours = {row.slug: row for row in rows if row.slug in VENDOR_SLUGS}
    for vendor in providers.VENDORS:
        yield from _of_vendor(vendor, ours.get(vendor.id), groups)
    for row in rows:
        if row.slug not in ours:
            yield from _of_row(row, link_of(row), groups)


def _of_vendor(vendor: Vendor, row: Connection | None, groups: Mapping[int, list[int]]) -> Iterator[Offer]:
    link = link_of(row) if row else Link(vendor.id, base_url=vendor.default_base_url, public_only=False)
    set_up = {offer.model.id: offer for offer in _of_row(row, link, groups)} if row else {}
    known = [set_up.pop(model.id, Offer(vendor, model, link)) for model in vendor.models]
    yield from known
    yield from set_up.values()


def _of_row(row: Connection, link: Link, groups: Mapping[int, list[int]]) -> Iterator[Offer]:
    for model in row.models.all():
        model.connection = row
        yield offer_of(model, link, groups.get(model.pk, ()))


def _groups() -> dict[int, list[int]]:
    found: dict[int, list[int]] = {}
    for model, group in OfferedModel.groups.through.objects.values_list("offeredmodel", "group"):
        found.setdefault(model, []).append(group)
    return found


def _ours() -> Iterator[Model]:
    return (model for vendor in providers.VENDORS for model in vendor.models)


def _model(row: OfferedModel, vendor: Vendor) -> Model:
    """As its row says; limits for pictures, which no form asks for, are those of the model that this version knows."""
    model_id = f"{row.connection.slug}/{row.name}"
    own = next((one for one in vendor.models if one.name == row.name), None)
    base = own or Model(id=model_id, name=row.name, label=row.name, dialect=_form_of(vendor), quirks=_quirks_of(vendor))
    return replace(
        base,
        id=model_id,
        label=row.label or base.label,
        description=row.description,
        dialect=cast(DialectName, row.request_form or base.dialect),
        sees_images=row.sees_pictures,
        draws_images=row.draws_pictures,
        streams=row.streams,
        context_window=row.context_window,
        output_limit=row.output_limit,
        temperature=row.default_temperature,
        extra=tuple(row.extra.items()),
        auth=cast(AuthScheme, row.auth) or None,
        quirks=replace(
            base.quirks,
            system_mode=cast(SystemMode, row.system_mode),
            default_max_tokens=row.default_max_tokens,
            limit_field=cast(LimitField, row.limit_field),
            stream_usage=row.stream_usage,
            image_only_text=row.image_only_text,
        ),
    )


def _form_of(vendor: Vendor) -> DialectName:
    return "gemini" if vendor.auth == "x-goog-api-key" else "openai_chat"


def _quirks_of(vendor: Vendor) -> Quirks:
    """Where the address does not name the model, the body does."""
    return Quirks(send_model_field="{name}" not in vendor.path)


def _prices(row: OfferedModel) -> Prices | None:
    found = {name.removeprefix("price_"): getattr(row, name) for name in PRICES}
    return Prices(row.currency, **found) if any(price is not None for price in found.values()) else None


def _unsealed(token: str, bound_to: str) -> str:
    try:
        return keyring.unseal(token, bound_to)
    except keyring.Unreadable:
        return ""
