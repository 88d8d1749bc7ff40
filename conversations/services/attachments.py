"""Storing pictures and forgetting them: one file for each content, removed with its last reference."""

import datetime as dt
import unicodedata
from collections.abc import Iterable, Sequence

from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.db.models import Sum
from django.utils import timezone
from django.utils.translation import gettext as _

from conversations.models import Attachment, User
from conversations.models.attachment import Origin
from conversations.services import pictures
from conversations.services.errors import Refusal
from conversations.services.pictures import Picture, PictureRefused


def vet_uploads(files: "Sequence[UploadedFile[bytes]]") -> list[tuple[str, Picture]]:
    """Names and vetted pictures of the uploaded files; raises Refusal that names the first file it cannot take."""
    names = [display_name(file.name or "") for file in files]
    results = pictures.vet_all([file.read() for file in files], longest_side=settings.CHATSITE_LONGEST_SIDE)
    vetted = []
    for name, result in zip(names, results, strict=True):
        if isinstance(result, PictureRefused):
            raise Refusal(_("“%(name)s”: %(reason)s") % {"name": name, "reason": result.sentence}) from result
        vetted.append((name, result))
    return vetted


def display_name(name: str) -> str:
    """A file name as harmless text: NFC, at most 200 characters, no control, bidirectional or path characters."""
    last = unicodedata.normalize("NFC", name).replace("\\", "/").rsplit("/", 1)[-1]
    kept = "".join(character for character in last if unicodedata.category(character)[0] != "C")
    return kept.strip(" .")[:200] or _("picture")


def store(owner: User, picture: Picture, *, origin: Origin, name: str = "") -> Attachment:
    """A row for this use of the picture and, where its content is new, its files. Call it inside a transaction."""
    attachment = Attachment.objects.create(
        owner=owner,
        origin=origin,
        name=name,
        sha256=picture.sha256,
        media_type=picture.media_type,
        thumbnail_type=picture.thumbnail_media_type,
        width=picture.width,
        height=picture.height,
        bytes=len(picture.data),
    )
    _ensure_file(attachment.path, picture.data)
    _ensure_file(attachment.thumbnail_path, picture.thumbnail)
    return attachment


def check_room(owner: User, extra: int) -> None:
    """Refuse when `extra` bytes more would exceed what one person may store."""
    used = Attachment.objects.filter(owner=owner).aggregate(total=Sum("bytes"))["total"] or 0
    if used + extra > settings.CHATSITE_STORAGE_PER_PERSON:
        raise Refusal(_("Your picture storage is full. Delete conversations with pictures, then send again."))


@transaction.atomic
def discard(attachments: Iterable[Attachment]) -> None:
    """Delete rows, and the files whose last reference they were.

    The write lock of the transaction keeps a new upload of the same content from slipping between check and removal.
    """
    doomed = list(attachments)
    Attachment.objects.filter(pk__in=[attachment.pk for attachment in doomed]).delete()
    digests = {attachment.sha256 for attachment in doomed}
    kept = set(Attachment.objects.filter(sha256__in=digests).values_list("sha256", flat=True))
    for attachment in doomed:
        if attachment.sha256 not in kept:
            default_storage.delete(attachment.path)
            default_storage.delete(attachment.thumbnail_path)


def unreferenced() -> list[Attachment]:
    """Pictures no message holds for a day; only a crash between drawing and recording leaves one."""
    yesterday = timezone.now() - dt.timedelta(days=1)
    return list(Attachment.objects.filter(parts=None, pieces=None, created_at__lt=yesterday))


def _ensure_file(path: str, data: bytes) -> None:
    if not default_storage.exists(path):
        default_storage.save(path, ContentFile(data))
