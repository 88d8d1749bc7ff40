"""Who sends a request: the session and the person, each found by a statement that is composed once."""

from typing import Any

from allauth.account.auth_backends import AuthenticationBackend
from django.contrib.sessions.backends import db
from django.contrib.sessions.models import Session
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
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

    def authenticate(self, request: HttpRequest | None, **credentials: Any) -> User | None:
        """Raises PermissionDenied where nobody is found: the other ways in would only try the same password again."""
        self._tried: set[int] = set()
        user: User | None = super().authenticate(request, **credentials)
        if user is None and credentials.get("password"):
            raise PermissionDenied
        return user

    def _check_password(self, user: User | None, password: str) -> User | None:
        """Once for each person: who is found by name and by address would answer later than nobody does."""
        if user is None or user.pk in self._tried:
            return None
        self._tried.add(user.pk)
        found: User | None = super()._check_password(user, password)
        return found

    def get_user(self, user_id: Any) -> User | None:
        user = rows.find(User, pk=user_id)
        return user if user is not None and user.is_active else None
