"""The application: names the engine that answers replies, so that services need not import it."""

from django.apps import AppConfig
from django.conf import settings
from django.utils.translation import gettext_lazy as _


class ConversationsConfig(AppConfig):
    name = "conversations"
    verbose_name = _("Conversations")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from allauth.mfa.signals import authenticator_added
        from django.contrib.auth.signals import user_logged_in, user_logged_out

        from chatsite import events, factors, later
        from conversations.services import dispatch
        from conversations.views import sessions

        later.load_later("allauth.mfa.webauthn.internal.auth")  # which loads fido2: 10 MB for passkeys alone
        authenticator_added.connect(factors.end_other_sessions)
        user_logged_in.connect(sessions.on_login)
        user_logged_out.connect(sessions.on_logout)
        events.connect()
        if settings.CHATSITE_ENGINE == "celery":
            from chatsite import celery  # noqa: F401, the application that tasks belong to
            from conversations.generation.relay import tasks, worker  # noqa: F401, it listens to Celery's signals
            from conversations.generation.relay.engine import CeleryEngine

            dispatch.use(CeleryEngine(tasks.hand_on))
        else:
            from conversations.generation import engine

            dispatch.use(engine.pool)
