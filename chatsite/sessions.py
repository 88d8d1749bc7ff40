"""Who sends a request: the session and the person, each found by a statement that is composed once."""

from typing import Any

from allauth.account.auth_backends import AuthenticationBackend
from django.contrib.sessions.backends import db
from django.contrib.sessions.models import Session
from django.utils import timezone

from conversations.models import User, rows


class SessionStore(db.SessionStore):
    """Sessions in the database."""

    def _get_session_from_db(self) -> Session | None:
        found = rows.find(Session, session_key=self.session_key)
        if found is None or found.expire_date <= timezone.now():
            self._session_key = None
            return None
        return found


class Accounts(AuthenticationBackend):  # type: ignore[misc]
    """People by user name or e-mail address."""

    def get_user(self, user_id: Any) -> User | None:
        user = rows.find(User, pk=user_id)
        return user if user is not None and user.is_active else None
