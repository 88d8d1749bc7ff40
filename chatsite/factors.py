"""Second factors: how their secrets are kept, and when they may be given up."""

import base64
import hashlib
from typing import Any

from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from cryptography.fernet import Fernet
from django.conf import settings

from conversations.services import factors, sessions


class FactorAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    """Secrets are encrypted with a key that is not in the database: a copy of that logs nobody in."""

    def encrypt(self, text: str) -> str:
        return _fernet().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        return _fernet().decrypt(encrypted_text.encode()).decode()

    def get_totp_issuer(self) -> str:
        return "Chatsite"

    def can_delete_authenticator(self, authenticator: Authenticator) -> bool:
        """Whoever needs a second factor keeps one; another can be set up first."""
        others = factors.of(authenticator.user).exclude(pk=authenticator.pk)
        return not factors.are_required_of(authenticator.user) or others.exists()


def end_other_sessions(*, request: Any, user: Any, **_more: Any) -> None:
    """A session that began without the second factor must not outlive its set-up."""
    sessions.end_all(user, keep=request.session.session_key)


def _fernet() -> Fernet:
    digest = hashlib.sha256(b"chatsite.factors:" + settings.SECRET_KEY.encode()).digest()
    return Fernet(base64.urlsafe_b64encode(digest))
