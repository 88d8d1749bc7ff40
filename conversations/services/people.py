"""What people prefer: language, look, model, keys, notifications."""

from typing import Any

from conversations.models import User


def configure(user: User, **preferences: Any) -> None:
    """Store preferences under the names of their fields; only what is given."""
    for field, value in preferences.items():
        setattr(user, field, value)
    user.save(update_fields=list(preferences))
