"""Invitation links: made by administrators and by a command, used once, for a while, until they are revoked."""

import datetime as dt
import hashlib
import secrets
from collections.abc import Iterable
from dataclasses import dataclass

from django.conf import settings
from django.contrib.auth.models import Group
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from conversations.models import Invitation, User
from conversations.models.user import Role
from conversations.services import letters, roles
from conversations.services.errors import NotNow

VALID_FOR = dt.timedelta(days=7)
LONGEST = dt.timedelta(days=90)


@dataclass(frozen=True, slots=True)
class Link:
    """An invitation and the secret that nobody sees again."""

    invitation: Invitation
    token: str

    @property
    def address(self) -> str:
        return f"{settings.CHATSITE_URL}/invitations/{self.token}/"


@transaction.atomic
def invite(
    inviter: User | None,
    *,
    role: Role = Role.MEMBER,
    groups: Iterable[Group] = (),
    email: str = "",
    valid_for: dt.timedelta = VALID_FOR,
) -> Link:
    """A new link; `inviter` None is the command line. Where letters can be sent, it also goes to `email`.

    Raises NotNow where the inviter may not give so much.
    """
    chosen = list(groups)
    if not may_give(inviter, role, chosen):
        raise NotNow(_("Only administrators may invite reviewers or administrators, or into groups."))
    token = secrets.token_urlsafe(32)
    expires_at = timezone.now() + min(valid_for, LONGEST)
    invitation = Invitation.objects.create(
        digest=_digest(token), role=role, email=email, inviter=inviter, expires_at=expires_at
    )
    invitation.groups.set(chosen)
    link = Link(invitation, token)
    if email:
        letters.send("invitation", email, address=link.address, expires_at=expires_at)
    return link


def find(token: object) -> Invitation | None:
    """The open invitation of this secret, as long as the inviter may still give what it gives."""
    if not isinstance(token, str) or not token or settings.CHATSITE_SIGNUP == "closed":
        return None
    found = Invitation.objects.open().select_related("inviter").filter(digest=_digest(token)).first()
    if found is None or not may_give(found.inviter, Role(found.role), list(found.groups.all())):
        return None
    return found


@transaction.atomic
def use(invitation: Invitation, person: User) -> None:
    """Give the new account what the invitation promises. Raises NotNow where somebody else was faster."""
    used = Invitation.objects.open().filter(pk=invitation.pk).update(used_at=timezone.now(), person=person)
    if not used:
        raise NotNow(_("This invitation was used already. Ask for another one."))
    person.groups.set(invitation.groups.all())
    roles.give(person, Role(invitation.role))


def revoke(invitation: Invitation) -> bool:
    """Whether it was still open."""
    return bool(Invitation.objects.open().filter(pk=invitation.pk).update(revoked_at=timezone.now()))


def may_give(inviter: User | None, role: Role, groups: list[Group]) -> bool:
    """Staff with the permission invite members; only administrators give more. Commands may do anything."""
    if inviter is None or (inviter.is_active and inviter.is_superuser):
        return True
    may_invite = inviter.is_active and inviter.is_staff and inviter.has_perm("conversations.add_invitation")
    return may_invite and role == Role.MEMBER and not groups


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
