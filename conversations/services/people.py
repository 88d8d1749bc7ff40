"""People: what they prefer, who may come in, and how they leave."""

import datetime as dt
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from chatsite import database
from conversations.models import Attachment, Conversation, Invitation, Message, User
from conversations.services import attachments, conversations, holds, invitations, letters, replies, roles, sessions
from conversations.services.errors import NotNow

TELL_EVERY = dt.timedelta(hours=1)


def configure(user: User, **preferences: Any) -> None:
    """Store preferences under the names of their fields; only what is given."""
    for field, value in preferences.items():
        setattr(user, field, value)
    user.save(update_fields=list(preferences))


def admit(user: User, invitation: Invitation | None) -> None:
    """How an account begins that somebody just made: invited, let in at once, or waiting.

    Raises NotNow where the invitation was used meanwhile; the caller's transaction takes the account back.
    """
    if invitation:
        invitations.use(invitation, user)
    elif settings.CHATSITE_SIGNUP == "approval":
        user.is_active, user.waiting_since = False, timezone.now()
        user.save(update_fields=["is_active", "waiting_since"])
        _tell_who_approves(user)


def _tell_who_approves(user: User) -> None:
    """One letter an hour at most, however many sign up."""
    recent = User.objects.filter(waiting_since__gt=timezone.now() - TELL_EVERY).exclude(pk=user.pk)
    if not settings.HAS_MAIL or recent.exists():
        return
    address = f"{settings.CHATSITE_URL}/admin/conversations/user/?state=waiting"
    for person in roles.approvers():
        letters.send("waiting", person.email, language=person.language, name=user.get_username(), address=address)


def approve(user: User) -> None:
    """Let somebody in who waits. Raises NotNow where nobody waits (any more)."""
    waiting = User.objects.filter(pk=user.pk, waiting_since__isnull=False)
    if not waiting.update(waiting_since=None, is_active=True):
        raise NotNow(_("This account does not wait for approval."))
    letters.send("approved", user.email, language=user.language, name=user.get_username())


@transaction.atomic
def refuse(user: User) -> None:
    """Forget somebody who waits. Raises NotNow where nobody waits (any more)."""
    name, email, language = user.get_username(), user.email, user.language
    deleted, _rows = User.objects.filter(pk=user.pk, waiting_since__isnull=False, is_active=False).delete()
    if not deleted:
        raise NotNow(_("This account does not wait for approval."))
    letters.send("refused", email, language=language, name=name)


@transaction.atomic
def deactivate(user: User) -> None:
    """Nothing is deleted; sessions and open streams end, running replies are stopped by the sweeper."""
    roles.keep_an_administrator(without=user)
    User.objects.filter(pk=user.pk).update(is_active=False)
    sessions.end_all(user)


def rights_changed(user: User) -> None:
    """After marks or permissions were set one by one: sessions in which they were different end."""
    if user.is_active:
        User.objects.filter(pk=user.pk).update(waiting_since=None)
    sessions.end_all(user)


def activate(user: User) -> None:
    User.objects.filter(pk=user.pk).update(is_active=True, waiting_since=None)


def delete(user: User) -> None:
    """Remove a person with everything that is theirs, pictures included; nothing goes over to anybody else.

    First they can do nothing any more, then conversation by conversation goes: transactions stay short, and whoever
    is interrupted in between does it again.
    """
    if holds.keeps(user):
        raise NotNow(_("A legal hold keeps what this person wrote. Release it first, or deactivate the account."))
    deactivate(user)
    for reply in Message.objects.filter(conversation__owner=user).replies().running():
        replies.stop(reply)
    for conversation in Conversation.objects.filter(owner=user):
        conversations.purge(conversation)
    with transaction.atomic():
        attachments.discard(Attachment.objects.filter(owner=user))
        user.delete()
    database.forget_removed()
