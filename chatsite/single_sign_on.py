"""Single sign-on by OpenID Connect: who may come in by it, and to which account it leads."""

from typing import Any

from allauth.account.models import EmailAddress
from allauth.core.exceptions import SignupClosedException
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from django.conf import settings
from django.db import transaction
from django.http import HttpRequest

from chatsite.accounts import INVITED, invitation_of
from conversations.models import User
from conversations.services import people
from conversations.services.errors import NotNow


class SignOnAdapter(DefaultSocialAccountAdapter):  # type: ignore[misc]
    """New people come in by the same rules as by a form: CHATSITE_SIGNUP, invitations, approval."""

    def save_user(self, request: HttpRequest, sociallogin: Any, form: Any = None) -> User:
        try:
            with transaction.atomic():
                user: User = super().save_user(request, sociallogin, form)
                if form is None:  # with a form the adapter of accounts has let the person in
                    people.admit(user, invitation_of(request))
        except NotNow:
            raise SignupClosedException from None
        request.session.pop(INVITED, None)
        return user

    def populate_user(self, request: HttpRequest, sociallogin: Any, data: dict[str, Any]) -> User:
        """An address counts as verified where the provider says so by the word `true`, and by nothing like it. The
        account of somebody invited by address has that address."""
        user: User = super().populate_user(request, sociallogin, data)
        for address in sociallogin.email_addresses:
            address.verified = address.verified is True
        invitation = invitation_of(request)
        if invitation and invitation.email and invitation.email.lower() != user.email.lower():
            user.email = invitation.email
            sociallogin.email_addresses = [EmailAddress(email=invitation.email, verified=False, primary=True)]
        return user

    def authenticate_by_email(self, sociallogin: Any) -> tuple[User, str] | None:
        """The account that both sides know by a verified address, where CHATSITE_OIDC_LINK says so.

        An address that nobody verified here may have been entered by somebody else who waits for its owner.
        """
        if settings.CHATSITE_OIDC_LINK != "verified":
            return None
        for address in sociallogin.email_addresses:
            ours = EmailAddress.objects.filter(email__iexact=address.email, verified=True).select_related("user")
            if address.verified is True and (found := ours.first()):
                return found.user, address.email
        return None
