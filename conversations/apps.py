"""The application: names the engine that answers replies, so that services need not import it."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ConversationsConfig(AppConfig):
    name = "conversations"
    verbose_name = _("Conversations")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from conversations.generation import engine
        from conversations.services import dispatch

        dispatch.use(engine.pool)
