"""What the administration does not show, and its own way to log in, which knows no second factors."""

from allauth.account.decorators import secure_admin_login
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialToken
from allauth.usersessions.models import UserSession
from django.contrib import admin

SECRETS = (Authenticator, SocialAccount, SocialApp, SocialToken, UserSession)


def close() -> None:
    """After all applications have registered what is theirs."""
    for model in SECRETS:
        if admin.site.is_registered(model):
            admin.site.unregister(model)
    admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]
