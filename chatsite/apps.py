"""Applications of others, as this installation uses them."""

from allauth.usersessions.apps import UserSessionsConfig


class SessionsConfig(UserSessionsConfig):  # type: ignore[misc]
    """Its model alone: services/sessions.py notes who is there, seldom and without the whole address."""

    def ready(self) -> None:
        pass
