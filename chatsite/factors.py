"""Second factors: how their secrets are kept, and when they may be given up."""

from typing import Any

from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator

from conversations.services import factors, keyring, sessions


class FactorAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    """Secrets are encrypted with a key that is not in the database: a copy of that logs nobody in."""

    def encrypt(self, text: str) -> str:
        return keyring.seal(text, factors.BOUND_TO)

    def decrypt(self, encrypted_text: str) -> str:
        return keyring.unseal(encrypted_text, factors.BOUND_TO)

    def get_totp_issuer(self) -> str:
        return "Chatsite"

    def can_delete_authenticator(self, authenticator: Authenticator) -> bool:
        """Whoever needs a second factor keeps one; another can be set up first."""
        others = factors.of(authenticator.user).exclude(pk=authenticator.pk)
        return not factors.are_required_of(authenticator.user) or others.exists()


def end_other_sessions(*, request: Any, user: Any, **_more: Any) -> None:
    """A session that began without the second factor must not outlive its set-up."""
    sessions.end_all(user, keep=request.session.session_key)
