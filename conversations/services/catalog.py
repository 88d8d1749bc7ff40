"""Which models are on offer: those whose vendor has a key, and the local one where it is installed."""

from dataclasses import dataclass, replace

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from conversations import providers
from conversations.providers import local
from conversations.providers.base import AuthScheme, Endpoint, Model, Vendor
from conversations.providers.errors import NotConfigured
from conversations.services.errors import Refusal

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


@dataclass(frozen=True, slots=True)
class Offer:
    """A model somebody may choose, with the vendor that serves it."""

    vendor: Vendor
    model: Model

    @property
    def description(self) -> str:
        """What the model is good for, in the reader's language where it is translated."""
        return str(DESCRIPTIONS.get(self.model.id, self.model.description))


def offers() -> tuple[Offer, ...]:
    """All models on offer, in the order of the interface; the first is the default."""
    configured = [vendor for vendor in providers.VENDORS if is_configured(vendor)]
    return tuple(Offer(vendor, _as_configured(model)) for vendor in configured for model in vendor.models)


def is_local(vendor: Vendor) -> bool:
    """Whether the models run on this machine, in a process that is started on first use."""
    return vendor.id == local.LOCAL.id


def is_configured(vendor: Vendor) -> bool:
    if is_local(vendor):
        return settings.CHATSITE_LOCAL_MODEL and local.is_installed()
    _address, key = settings.PROVIDER_ENDPOINTS[vendor.id]
    return bool(key)


def is_offered(model_id: str) -> bool:
    return any(offer.model.id == model_id for offer in offers())


def choices(keep: str = "") -> list[tuple[str, str]]:
    """The models on offer by id and name; `keep`, chosen earlier, stays choosable while its key is gone."""
    models = [(offer.model.id, offer.model.label) for offer in offers()]
    if keep and keep not in dict(models):
        models.append((keep, _("%(model)s (not on offer now)") % {"model": label(keep)}))
    return models


def find(model_id: str) -> Offer:
    """The offer with this model id; raises NotConfigured where there is none (any more)."""
    for offer in offers():
        if offer.model.id == model_id:
            return offer
    raise NotConfigured(f"No model {model_id} is configured.")


def all_known() -> list[tuple[str, str]]:
    """Id and name of every model of this version, on offer or not."""
    return [(model.id, model.label) for vendor in providers.VENDORS for model in vendor.models]


def known(model_id: str) -> Model | None:
    """A model that is or was on offer; None for one this version does not know."""
    found = providers.find(model_id)
    return found[1] if found else None


def drawing(model_id: str) -> str:
    """This model where it draws pictures, else the first on offer that does; where none does, this one again."""
    drawing = [offer.model.id for offer in offers() if offer.model.draws_images]
    return model_id if model_id in drawing or not drawing else drawing[0]


def check(model_id: str, *, has_pictures: bool) -> None:
    """Raises Refusal where the model is not on offer, or cannot see the pictures of the message it is to answer."""
    if not is_offered(model_id):
        raise Refusal(_("This model is not on offer. Choose another one."))
    if has_pictures and not find(model_id).model.sees_images:
        raise Refusal(_("This model cannot see pictures. Choose one that can, or send without them."))


def label(model_id: str) -> str:
    """The name of a model for people, also of one that is not offered any more."""
    model = known(model_id)
    return model.label if model else model_id


def endpoint(vendor: Vendor) -> Endpoint:
    """Where the vendor is reached, with its key. Starts the local model on first use."""
    if is_local(vendor):
        return local.endpoint()
    address, key = settings.PROVIDER_ENDPOINTS[vendor.id]
    auth: AuthScheme | None = settings.SEGMIND_AUTH if vendor.id == "segmind" else None  # type: ignore[assignment]
    return Endpoint(base_url=(address or vendor.default_base_url).rstrip("/"), key=key, auth=auth)


def _as_configured(model: Model) -> Model:
    """Sources disagree on the request form of one model, so an operator can switch it."""
    if model.id == "segmind/gemini-2.5-flash" and settings.SEGMIND_FLASH_FORMAT == "gemini":
        return replace(model, dialect="gemini_wrapped")
    return model
