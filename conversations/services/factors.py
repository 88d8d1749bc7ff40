"""Second factors of people: who needs one, who has one, and giving them up for somebody who lost theirs."""

from allauth.mfa.models import Authenticator
from django.conf import settings
from django.db.models import QuerySet

from conversations.models import User
from conversations.services import keyring, sessions

BOUND_TO = "second factor"  # what the library seals does not know its row
SEALED = ("secret", "seed")  # of an app, of recovery codes
FACTORS = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)


def of(user: User) -> "QuerySet[Authenticator]":
    """Those that stand for themselves; recovery codes are a way around a lost one."""
    found: QuerySet[Authenticator] = Authenticator.objects.filter(user=user, type__in=FACTORS)
    return found


def are_required_of(user: User) -> bool:
    """By the policy of the organisation: of everybody, or of everybody who can see or change what is not theirs."""
    wanted = settings.CHATSITE_SECOND_FACTOR
    return wanted == "everyone" or (wanted == "staff" and (user.is_staff or user.is_superuser))


def are_missing(user: User) -> bool:
    return are_required_of(user) and not of(user).exists()


def remove_all(user: User) -> int:
    """For somebody who lost all of them: from now on the password alone lets in. Sessions end."""
    count, _rows = Authenticator.objects.filter(user=user).delete()
    sessions.end_all(user)
    return int(count)


def rotate() -> tuple[int, list[str]]:
    """Seal the secrets anew; returns how many, and whose cannot be read with any key."""
    count, unreadable = 0, []
    for one in Authenticator.objects.select_related("user").iterator():
        for name in SEALED:
            try:
                if name in one.data and not keyring.is_current(one.data[name]):
                    one.data[name] = keyring.seal(keyring.unseal(one.data[name], BOUND_TO), BOUND_TO)
                    one.save(update_fields=["data"])
                    count += 1
            except keyring.Unreadable:
                unreadable.append(f"second factor of {one.user.get_username()}")
    return count, unreadable
