"""Who may sign up."""

from allauth.account.adapter import DefaultAccountAdapter
from django.conf import settings
from django.http import HttpRequest


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """The sign-up policy of this installation: closed unless CHATSITE_SIGNUP says otherwise."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return bool(settings.CHATSITE_SIGNUP == "open")
