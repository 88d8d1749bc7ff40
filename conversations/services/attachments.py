"""Storing pictures and forgetting them: one file for each content, removed with its last reference."""

import datetime as dt
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import UploadedFile
from django.db import connection, transaction
from django.db.models import Sum
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from conversations.models import Attachment, User
from conversations.models.attachment import Origin
from conversations.services import pictures, texts
from conversations.services.errors import Refusal, Sentence
from conversations.services.pictures import Picture, PictureRefused

GONE = gettext_lazy("A picture of this message is not there any more. Choose it again.")
FILES = 0x66696C65  # "file": the number of PostgreSQL's advisory lock on the files of pictures
UUID_FORM = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class NamedPicture:
    """A vetted upload that is not stored yet."""

    name: str
    picture: Picture


Chosen = Attachment | NamedPicture


class PicturesRefused(Refusal):
    """Some pictures of a message cannot be used, each with its sentence; `usable` holds the others, in their order."""

    def __init__(self, reasons: Sequence[Sentence], usable: Sequence[Chosen]) -> None:
        kept = [_("The other pictures are kept: send again, with them or with further ones.")] if usable else []
        super().__init__("\n".join(str(line) for line in (*reasons, *kept)))
        self.usable = usable


def choose(owner: User, uploads: "Sequence[UploadedFile[bytes]]", order: Sequence[str] = ()) -> list[Chosen]:
    """The pictures of a message. Each word of `order` is the uuid of a stored one, or empty for the next upload.

    Uploads that are left over come last. Raises PicturesRefused that names everything that cannot be used.
    """
    usable, reasons = _sort_out(owner, uploads, order)
    if reasons:
        raise PicturesRefused(reasons, usable)
    return usable


def rescue(
    owner: User, uploads: "Sequence[UploadedFile[bytes]]", order: Sequence[str], refusal: Refusal
) -> list[Attachment]:
    """Rows for the pictures of a refused message, so that they need not be sent again; forgotten after a day."""
    known = refusal.usable if isinstance(refusal, PicturesRefused) else None
    usable = _sort_out(owner, uploads, order)[0] if known is None else known
    if not _has_room(owner, new_bytes(usable)):
        return [chosen for chosen in usable if isinstance(chosen, Attachment)]
    with transaction.atomic():
        return [chosen if isinstance(chosen, Attachment) else attach(owner, chosen) for chosen in usable]


def new_bytes(chosen: Iterable[Chosen]) -> int:
    return sum(len(one.picture.data) for one in chosen if isinstance(one, NamedPicture))


def attach(owner: User, chosen: Chosen) -> Attachment:
    """A row of its own for this use of the picture. Call it inside a transaction."""
    if isinstance(chosen, NamedPicture):
        return store(owner, chosen.picture, origin=Origin.UPLOADED, name=chosen.name)
    _hold_files(shared=True)
    if not Attachment.objects.filter(pk=chosen.pk).exists():  # removed since it was looked up, perhaps with its file
        raise Refusal(GONE)
    copied = ("origin", "name", "alt", "sha256", "media_type", "thumbnail_type", "width", "height", "bytes")
    return Attachment.objects.create(owner=owner, **{name: getattr(chosen, name) for name in copied})


def describe(attachment: Attachment, alt: str) -> None:
    """Put in words what is to be seen."""
    attachment.alt = " ".join(alt.split())
    attachment.save(update_fields=["alt"])


def find(owner: User, words: Iterable[str]) -> dict[str, Attachment]:
    """The pictures this person may use, by the uuids that name them; whatever is no such name is left out."""
    uuids = [word for word in words if UUID_FORM.fullmatch(word)]
    if not uuids:
        return {}
    return {str(found.uuid): found for found in Attachment.objects.visible_to(owner).filter(uuid__in=uuids)}


def _sort_out(
    owner: User, uploads: "Sequence[UploadedFile[bytes]]", order: Sequence[str]
) -> tuple[list[Chosen], list[Sentence]]:
    """What can be used, in its order, and a sentence for each that cannot."""
    stored = find(owner, order)
    vetted = iter(_vet(uploads))
    ordered = [stored.get(word.lower(), GONE) if word else next(vetted, None) for word in order]
    usable: list[Chosen] = []
    reasons: list[Sentence] = []
    for one in (*ordered, *vetted):
        if isinstance(one, Attachment | NamedPicture):
            usable.append(one)
        elif one is not None:
            reasons.append(one)
    return usable, reasons


def _vet(files: "Sequence[UploadedFile[bytes]]") -> list[NamedPicture | Sentence]:
    """For each upload, in order, the vetted picture or the sentence that names it and says why it cannot be used."""
    if not files:
        return []
    names = [display_name(file.name or "") for file in files]
    for file in files:
        file.seek(0)
    results = pictures.vet_all([file.read() for file in files], longest_side=settings.CHATSITE_LONGEST_SIDE)
    return [_named(name, result) for name, result in zip(names, results, strict=True)]


def _named(name: str, result: Picture | PictureRefused) -> NamedPicture | Sentence:
    if isinstance(result, Picture):
        return NamedPicture(name, result)
    reason = texts.UNREADABLE if texts.is_named_so(name) else result.sentence
    return _("“%(name)s”: %(reason)s") % {"name": name, "reason": reason}


def display_name(name: str, fallback: str = "") -> str:
    """A file name as harmless text: NFC, at most 200 characters, no control, bidirectional or path characters."""
    last = unicodedata.normalize("NFC", name).replace("\\", "/").rsplit("/", 1)[-1]
    kept = "".join(character for character in last if unicodedata.category(character)[0] != "C")
    return kept.strip(" .")[:200] or fallback or _("picture")


def store(owner: User, picture: Picture, *, origin: Origin, name: str = "") -> Attachment:
    """A row for this use of the picture and, where its content is new, its files. Call it inside a transaction."""
    _hold_files(shared=True)
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
    """Refuse when `extra` bytes more would exceed what one person may store. Call it inside a transaction."""
    if connection.features.has_select_for_update:
        User.objects.select_for_update(no_key=True).get(pk=owner.pk)  # two sends at once are counted one by one
    if not _has_room(owner, extra):
        raise Refusal(_("Your picture storage is full. Delete conversations with pictures, then send again."))


def _has_room(owner: User, extra: int) -> bool:
    used: int = Attachment.objects.filter(owner=owner).aggregate(total=Sum("bytes"))["total"] or 0
    return used + extra <= settings.CHATSITE_STORAGE_PER_PERSON


@transaction.atomic
def discard(attachments: Iterable[Attachment]) -> None:
    """Delete rows, and the files whose last reference they were.

    A lock keeps a new upload of the same content from slipping between check and removal.
    """
    doomed = list(attachments)
    if not doomed:
        return
    _hold_files(shared=False)
    Attachment.objects.filter(pk__in=[attachment.pk for attachment in doomed]).delete()
    digests = {attachment.sha256 for attachment in doomed}
    kept = set(Attachment.objects.filter(sha256__in=digests).values_list("sha256", flat=True))
    for attachment in doomed:
        if attachment.sha256 not in kept:
            default_storage.delete(attachment.path)
            default_storage.delete(attachment.thumbnail_path)


@transaction.atomic
def remove_unnamed(paths: Iterable[str]) -> list[str]:
    """Delete those of these files that no row names; returns which they were.

    An upload of the same content may be about to name one that is there already: it is waited for.
    """
    _hold_files(shared=False)
    gone = unnamed(paths)
    for path in gone:
        default_storage.delete(path)
    return gone


def unnamed(paths: Iterable[str]) -> list[str]:
    """Those of these files of pictures that no row names, as far as is known without waiting for anybody."""
    found = list(paths)
    rows = Attachment.objects.filter(sha256__in={_digest(path) for path in found})
    named = {path for row in rows for path in (row.path, row.thumbnail_path)}
    return [path for path in found if path not in named]


def _digest(path: str) -> str:
    return path.partition("/")[2].partition(".")[0]


def _hold_files(*, shared: bool) -> None:
    """Until the transaction ends either any number of pictures can be added, or one writer removes some.

    Always the last lock to be taken. SQLite has one writer at a time anyway.
    """
    if connection.vendor == "postgresql":
        lock = "pg_advisory_xact_lock_shared" if shared else "pg_advisory_xact_lock"
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT {lock}(%s)", [FILES])


def remove_parts() -> None:
    """Files that were begun and never finished, for a day."""
    default_storage.remove_parts()  # type: ignore[attr-defined] # both of ours can


def unreferenced() -> list[Attachment]:
    """Pictures no message holds for a day: of a message that was refused, or of a crash before they were recorded."""
    yesterday = timezone.now() - dt.timedelta(days=1)
    return list(Attachment.objects.filter(parts=None, pieces=None, created_at__lt=yesterday))


def _ensure_file(path: str, data: bytes) -> None:
    if not default_storage.exists(path):
        default_storage.save(path, ContentFile(data))
