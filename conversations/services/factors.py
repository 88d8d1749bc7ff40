"""Second factors of people: who needs one, who has one, and giving them up for somebody who lost theirs."""

from allauth.mfa.models import Authenticator
from django.conf import settings
from django.db.models import QuerySet

from conversations.models import User
from conversations.services import sessions

FACTORS = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)


def of(user: User) -> "QuerySet[Authenticator]":
    """Those that stand for themselves; recovery codes are a way around a lost one."""
    found: QuerySet[Authenticator] = Authenticator.objects.filter(user=user, type__in=FACTORS)
    return found


def are_required_of(user: User) -> bool:
    """By the policy of the organisation: of everybody who can see or change what is not theirs."""
    return settings.CHATSITE_SECOND_FACTOR == "staff" and (user.is_staff or user.is_superuser)


def are_missing(user: User) -> bool:
    return are_required_of(user) and not of(user).exists()


def remove_all(user: User) -> int:
    """For somebody who lost all of them: from now on the password alone lets in. Sessions end."""
    count, _rows = Authenticator.objects.filter(user=user).delete()
    sessions.end_all(user)
    return int(count)
