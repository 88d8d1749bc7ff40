"""What people say of replies: a rating with a comment."""

from conversations.models import Message, Rating
from conversations.services.conversations import clean


def rate(reply: Message, value: int | None, comment: str = "") -> None:
    """Store what the owner thinks of a reply, in place of what they thought before; None takes it back."""
    if value is None:
        Rating.objects.filter(message=reply).delete()
        return
    Rating.objects.update_or_create(message=reply, defaults={"value": value, "comment": clean(comment)})
