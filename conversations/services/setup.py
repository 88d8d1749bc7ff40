"""The one-time link that makes the first administrator: valid until used, or until there is one."""

from django.contrib.auth.password_validation import validate_password
from django.db import transaction
from django.utils.crypto import constant_time_compare, salted_hmac
from django.utils.translation import gettext as _

from conversations.models import SetupLink, User
from conversations.services.errors import NotNow


def token() -> str | None:
    """The secret of the link; None where an administrator exists already. The database alone does not reveal it."""
    if User.objects.filter(is_superuser=True).exists():
        return None
    link, _created = SetupLink.objects.get_or_create(pk=1)
    return _token_of(link)


def is_valid(candidate: str) -> bool:
    expected = token()
    return expected is not None and constant_time_compare(candidate, expected)


@transaction.atomic
def create_first_administrator(candidate: str, *, username: str, email: str, password: str) -> User:
    """Use up the link. Raises NotNow where it is not valid (any more); of several at once, one succeeds."""
    link = SetupLink.objects.select_for_update().filter(pk=1).first()
    if link is None or not is_valid(candidate):
        raise NotNow(_("This link was used already. Log in, or ask for an account."))
    user = User(username=username, email=email, is_staff=True, is_superuser=True)
    validate_password(password, user)
    user.set_password(password)
    user.save()
    link.delete()
    return user


def _token_of(link: SetupLink) -> str:
    return salted_hmac("conversations.setup", str(link.nonce), algorithm="sha256").hexdigest()
