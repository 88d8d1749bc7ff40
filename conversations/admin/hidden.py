"""What the administration does not show or shows to administrators alone, and its own way to log in, which knows no
second factors."""

from allauth.account.decorators import secure_admin_login
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialToken
from allauth.usersessions.models import UserSession
from django.contrib import admin
from django.contrib.auth.models import Group

from conversations.admin.rights import AddressAdmin, RightsAdmin

SECRETS = (Authenticator, SocialAccount, SocialApp, SocialToken, UserSession)
NARROWED = {EmailAddress: AddressAdmin, Group: RightsAdmin}


def close() -> None:
    """After all applications have registered what is theirs."""
    for model in SECRETS:
        admin.site.unregister(model)
    for model, ours in NARROWED.items():
        admin.site.unregister(model)
        admin.site.register(model, ours)
    admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]
