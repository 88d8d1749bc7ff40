"""Which models are on offer, and to whom: everybody, the people of some groups, those who bring a key of their own.

`person` is somebody's primary key; without one the question is whether anybody may. Whether a person may costs a
statement only for a model that is not open to everybody.
"""

from dataclasses import replace

from django.conf import settings
from django.contrib.auth.models import Group
from django.utils.translation import gettext as _

from conversations.models import OwnKey
from conversations.providers import local
from conversations.providers.base import Endpoint, Model, Vendor
from conversations.providers.errors import NotAllowed, NotConfigured
from conversations.services import keyring
from conversations.services import offers as all_offers
from conversations.services.errors import Refusal
from conversations.services.offers import DESCRIPTIONS, Offer

__all__ = ["DESCRIPTIONS", "Offer"]

FLASH = "segmind/gemini-2.5-flash"


def offers(person: int | None = None) -> tuple[Offer, ...]:
    """All models on offer to this person, in the order of the interface; the first is the default."""
    found = [_as_configured(offer) for offer in all_offers.every().values() if _is_set_up(offer)]
    if person is None:
        return tuple(found)
    groups = _groups(person) if any(offer.groups for offer in found) else frozenset[int]()
    keys = _own_keys(person) if any(not offer.link.is_shared for offer in found) else frozenset[int]()
    return tuple(
        offer
        for offer in found
        if (not offer.groups or offer.groups & groups) and (offer.link.is_shared or offer.link.connection in keys)
    )


def is_local(vendor: Vendor) -> bool:
    """Whether the models run on this machine, in a process that is started on first use."""
    return vendor.id == local.LOCAL.id


def is_offered(model_id: str, person: int | None = None) -> bool:
    offer = all_offers.every().get(model_id)
    return offer is not None and _is_set_up(offer) and (person is None or _why_not(offer, person) is None)


def choices(keep: str = "", person: int | None = None) -> list[tuple[str, str]]:
    """The models on offer by id and name; `keep`, chosen earlier, stays choosable while its key is gone."""
    models = [(offer.model.id, offer.model.label) for offer in offers(person)]
    if keep and keep not in dict(models):
        models.append((keep, _("%(model)s (not on offer now)") % {"model": label(keep)}))
    return models


def find(model_id: str, person: int | None = None) -> Offer:
    """The offer with this model id. Raises NotConfigured where there is none (any more), NotAllowed."""
    offer = all_offers.find(model_id)
    if offer is None or not _is_set_up(offer):
        raise NotConfigured(f"No model {model_id} is configured.")
    if person is not None and _why_not(offer, person):
        raise NotAllowed(f"The model {model_id} is not open to this person.")
    return _as_configured(offer)


def all_known() -> list[tuple[str, str]]:
    """Id and name of every model there is, on offer or not."""
    return [(model_id, offer.model.label) for model_id, offer in all_offers.every().items()]


def known(model_id: str) -> Model | None:
    """A model that is or was on offer; None for one that nobody has set up."""
    found = all_offers.every().get(model_id)
    return found.model if found else None


def drawing(model_id: str, person: int | None = None) -> str:
    """This model where it draws pictures, else the first on offer that does; where none does, this one again."""
    drawing = [offer.model.id for offer in offers(person) if offer.model.draws_images]
    return model_id if model_id in drawing or not drawing else drawing[0]


def check(model_id: str, person: int, *, has_pictures: bool) -> None:
    """Raises Refusal where the model is not on offer to this person, or cannot see the pictures it is to answer."""
    offer = all_offers.find(model_id)
    if offer is None or not _is_set_up(offer):
        raise Refusal(_("This model is not on offer. Choose another one."))
    if reason := _why_not(offer, person):
        raise Refusal(reason)
    if has_pictures and not offer.model.sees_images:
        raise Refusal(_("This model cannot see pictures. Choose one that can, or send without them."))


def label(model_id: str) -> str:
    """The name of a model for people, also of one that is not offered any more."""
    model = known(model_id)
    return model.label if model else model_id


def takes_own_keys() -> bool:
    """Whether people may bring a key of their own for anything that is on offer."""
    return any(
        one.is_enabled and one.link.is_enabled and one.link.takes_own_keys for one in all_offers.every().values()
    )


def endpoint(offer: Offer, person: int | None = None) -> Endpoint:
    """Where the model is reached, with this person's own key where there is one. Starts the local model on first use.

    Raises NotConfigured where the key cannot be read.
    """
    own = ""
    if person is not None and offer.link.takes_own_keys:
        found = OwnKey.objects.filter(owner=person, connection=offer.link.connection).select_related("connection")
        own = _unsealed(found.first())
    return offer.link.endpoint(own)


def is_own(endpoint: Endpoint, offer: Offer) -> bool:
    """Whether it is reached with a key that somebody brought."""
    return offer.link.takes_own_keys and endpoint.key != offer.link.endpoint().key


def _is_set_up(offer: Offer) -> bool:
    """Whether anybody could use it."""
    link = offer.link
    return offer.is_enabled and link.is_enabled and (link.is_shared or link.takes_own_keys)


def _why_not(offer: Offer, person: int) -> str | None:
    """The sentence for somebody who may not use the model; None for who may."""
    if offer.groups and not offer.groups & _groups(person):
        return _("This model is open to certain groups only, and you are in none of them. Choose another one.")
    if not offer.link.is_shared and offer.link.connection not in _own_keys(person):
        return _("This model needs a key of your own. Add it in your settings, or choose another model.")
    return None


def _groups(person: int) -> frozenset[int]:
    return frozenset(Group.objects.filter(user=person).values_list("pk", flat=True))


def _own_keys(person: int) -> frozenset[int]:
    """The connections for which this person has brought a key, as far as people may."""
    allowed = OwnKey.objects.filter(owner=person, connection__takes_own_keys=True)
    return frozenset(allowed.values_list("connection", flat=True))


def _unsealed(own: OwnKey | None) -> str:
    try:
        return keyring.unseal(own.sealed_key, own.bound_to) if own else ""
    except keyring.Unreadable as error:
        raise NotConfigured("A key cannot be read any more.") from error


def _as_configured(offer: Offer) -> Offer:
    """Sources disagree on the request form of one model, so an operator can switch it."""
    if offer.model.id == FLASH and settings.SEGMIND_FLASH_FORMAT == "gemini":
        return replace(offer, model=replace(offer.model, dialect="gemini_wrapped"))
    return offer
