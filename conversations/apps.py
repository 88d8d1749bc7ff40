"""The application: names the engine that answers replies, so that services need not import it."""

from django.apps import AppConfig


class ConversationsConfig(AppConfig):
    name = "conversations"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from conversations.generation import engine
        from conversations.services import dispatch

        dispatch.use(engine.pool)
