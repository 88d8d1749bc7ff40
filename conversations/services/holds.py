"""Legal holds: what must not be removed, whoever asks for it. Holds win over retention and over deletion."""

from typing import Any

from django.db.models import Q, QuerySet
from django.utils import timezone

from conversations.models import Conversation, Hold, User


def unheld(conversations: QuerySet[Conversation]) -> QuerySet[Conversation]:
    """Those of these that may be removed."""
    conversation, owner = _held()
    return conversations.exclude(pk__in=conversation).exclude(owner__in=owner)


def is_held(conversation: Conversation) -> bool:
    return not unheld(Conversation.objects.filter(pk=conversation.pk)).exists()


def keeps(user: User) -> bool:
    """Whether anything of this person is held."""
    conversation, owner = _held()
    return owner.filter(pk=user.pk).exists() or user.conversations.filter(pk__in=conversation).exists()


def release(hold: Hold) -> None:
    Hold.objects.in_force().filter(pk=hold.pk).update(released_at=timezone.now())


def _held() -> tuple[QuerySet[Hold, Any], QuerySet[User]]:
    """The conversations that are held by themselves, and the people everything of whom is."""
    holds = Hold.objects.in_force()
    one = holds.filter(conversation__isnull=False).values("conversation")
    persons = Q(pk__in=holds.filter(person__isnull=False).values("person"))
    groups = Q(groups__in=holds.filter(group__isnull=False).values("group"))
    return one, User.objects.filter(persons | groups)
