"""Looks of reviewers into other people's conversations: each one leaves a record."""

from conversations.models import Conversation, Look, User


def record_look(reviewer: User, conversation: Conversation, what: str) -> Look:
    """`what`: which page was opened, such as "thread" or "picture"."""
    return Look.objects.create(
        reviewer=reviewer,
        reviewer_name=reviewer.get_username(),
        owner=conversation.owner,
        owner_name=conversation.owner.get_username(),
        conversation=conversation.uuid,
        what=what,
    )
