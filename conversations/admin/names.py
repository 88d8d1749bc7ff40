"""What models and their fields are called in the administration.

Given here, because names in the models themselves would need migrations that change nothing in the database.
"""

from django.db.models import Model
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from conversations.models import (
    Budget,
    Case,
    Connection,
    Conversation,
    Hold,
    Label,
    LedgerEntry,
    Look,
    Message,
    Notices,
    OfferedModel,
    OwnKey,
    Preset,
    Prompt,
    Rating,
    Retention,
    Rule,
    User,
)

MODELS: dict[type[Model], tuple[Promise, Promise]] = {
    Budget: (_("budget"), _("budgets")),
    Case: (_("case"), _("queue of cases")),
    Connection: (_("connection"), _("connections")),
    Conversation: (_("conversation"), _("conversations")),
    Hold: (_("legal hold"), _("legal holds")),
    Label: (_("label"), _("labels")),
    LedgerEntry: (_("entry"), _("usage and cost")),
    Look: (_("look"), _("looks")),
    Message: (_("message"), _("messages")),
    Notices: (_("notices"), _("notices")),
    OfferedModel: (_("model"), _("models")),
    OwnKey: (_("own key"), _("own keys")),
    Preset: (_("preset"), _("presets")),
    Prompt: (_("prompt"), _("prompts")),
    Rating: (_("rating"), _("ratings")),
    Retention: (_("retention"), _("retention")),
    Rule: (_("rule"), _("rules of the queue")),
}
FIELDS: dict[str, Promise] = {
    "active_at": _("active at"),
    "changed_at": _("changed at"),
    "comment": _("comment"),
    "conversation": _("conversation"),
    "created_at": pgettext_lazy("moment", "at"),
    "default_model": _("default model"),
    "detail": _("detail"),
    "density": _("density"),
    "draws_pictures": _("draws pictures"),
    "enter_sends": _("Enter sends"),
    "error_code": _("error code"),
    "header_names": _("stored headers"),
    "is_enabled": _("enabled"),
    "is_shared": _("shared"),
    "kind": _("kind"),
    "label": pgettext_lazy("of a connection or model", "name"),
    "language": _("language"),
    "model": _("model"),
    "name": pgettext_lazy("of a prompt or preset", "name"),
    "notifies": _("notifications"),
    "owner": _("owner"),
    "owner_name": _("owner"),
    "person": _("person"),
    "placed_at": _("placed at"),
    "placed_by": _("placed by"),
    "parameters": _("parameters"),
    "number": _("number"),
    "reason": _("reason"),
    "released_at": _("released at"),
    "reviewer_name": _("reviewer"),
    "system_prompt": _("system prompt"),
    "text": _("text"),
    "theme": _("theme"),
    "title": _("title"),
    "value": _("rating"),
    "what": _("what was seen"),
}


def give() -> None:
    """Set after the models are made: migrations are derived from how they were written."""
    for model, (one, many) in MODELS.items():
        model._meta.verbose_name, model._meta.verbose_name_plural = one, many  # type: ignore[assignment]
    named: list[type[Model]] = [*MODELS, User]
    for model in named:
        for field in model._meta.local_fields:
            if field.name in FIELDS:
                field.verbose_name = FIELDS[field.name]  # type: ignore[assignment]
