"""What a composer holds beside its text: pictures and attached texts."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.http import Http404

from conversations.models import Attachment
from conversations.services import attachments
from conversations.services.texts import AttachedText
from conversations.views.http import HtmxHttpRequest


@dataclass(frozen=True, slots=True)
class Beside:
    """`is_edit` where a picture was taken into the composer to be changed."""

    pictures: Sequence[Attachment] = ()
    texts: Sequence[AttachedText] = ()
    is_edit: bool = False


def taken(request: HtmxHttpRequest) -> Beside:
    """The picture that the address takes into the composer; somebody else's is as missing as none."""
    if "picture" not in request.GET:
        return Beside()
    found = attachments.find(request.user, [request.GET["picture"]])
    if not found:
        raise Http404
    return Beside(tuple(found.values()), is_edit=True)
