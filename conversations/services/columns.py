"""Replies of several models to one message, side by side until a person goes on with one of them.

They are siblings; one of them is on the path, as ever. `column` says that they are still to be compared, and where
each stands.
"""

from django.db import transaction
from django.utils.translation import gettext as _

from conversations.models import Conversation, Message
from conversations.services.errors import NotNow, Refusal

MOST = 4


def check(models: tuple[str, ...]) -> None:
    """Raises Refusal where these are more models than one can look at side by side."""
    if len(models) > MOST:
        raise Refusal(_("At most %(count)d models can be compared. Choose fewer.") % {"count": MOST})


@transaction.atomic
def pick(reply: Message) -> None:
    """Go on with this reply: it is on show from now on, the others are its siblings. Raises NotNow."""
    Conversation.objects.held().get(pk=reply.conversation_id)
    reply.refresh_from_db()
    if reply.column is None:
        raise NotNow(_("You have gone on with one of these replies already. Reload the page."))
    if reply.is_running:
        raise NotNow(_("This reply is still being written. Wait for its end or stop it, then go on with it."))
    siblings = Message.objects.filter(parent=reply.parent_id)
    siblings.filter(on_path=True).update(on_path=False)
    siblings.filter(pk=reply.pk).update(on_path=True)
    close(reply)
    reply.refresh_from_db()


def close(reply: Message) -> bool:
    """End the comparison that this reply is part of: the one on the path stays on show. False where it is of none."""
    if reply.column is None:
        return False
    Message.objects.filter(parent=reply.parent_id, column__isnull=False).update(column=None)
    return True
