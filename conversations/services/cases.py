"""What is to be looked at: flags by people and rules gather in cases, which reviewers work through one by one."""

from collections.abc import Iterable

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from conversations.models import Case, Conversation, Flag, Label, Message, Note, Rule, User
from conversations.models.work import CLOSED, Cause, Progress
from conversations.services.conversations import clean


@transaction.atomic
def flag(conversation: Conversation, cause: Cause, *, message: Message | None = None, rule: Rule | None = None) -> Flag:
    """A reason to look at this conversation; opens a case where none is unfinished."""
    case, _is_new = Case.objects.get_or_create(conversation=conversation, closed_at=None)
    return Flag.objects.create(case=case, cause=cause, message=message, rule=rule)


@transaction.atomic
def report(message: Message, comment: str) -> Flag:
    """A person's own report about a message; said again while the case is unfinished, it replaces the earlier."""
    case, _is_new = Case.objects.get_or_create(conversation=message.conversation, closed_at=None)
    found, _is_first = Flag.objects.update_or_create(
        case=case, cause=Cause.REPORTED, message=message, defaults={"comment": clean(comment)}
    )
    return found


def is_reported(message: Message) -> bool:
    return Flag.objects.filter(message=message, cause=Cause.REPORTED, case__closed_at=None).exists()


@transaction.atomic
def work_on(
    case: Case, reviewer: User, *, status: Progress, assignee: User | None, labels: Iterable[Label], note: str = ""
) -> None:
    """Store what a reviewer decided. A case that is finished is nobody's turn any more; it can be opened again."""
    is_closed = status in CLOSED
    case.status, case.assignee = status, assignee
    case.closed_at = (case.closed_at or timezone.now()) if is_closed else None
    case.save(update_fields=["status", "assignee", "closed_at"])
    case.labels.set(labels)
    if note.strip():
        Note.objects.create(case=case, author=reviewer, author_name=reviewer.get_username(), text=clean(note.strip()))


def reviewers() -> QuerySet[User]:
    """Whom a case can be assigned to."""
    permission = {"codename": "review_conversations", "content_type__app_label": "conversations"}
    direct = Q(**{f"user_permissions__{name}": value for name, value in permission.items()})
    by_group = Q(**{f"groups__permissions__{name}": value for name, value in permission.items()})
    staff = User.objects.filter(is_active=True, is_staff=True)
    return staff.filter(Q(is_superuser=True) | direct | by_group).distinct().order_by("username")


def next_for(reviewer: User, after: Case | None = None) -> Case | None:
    """The unfinished case whose turn it is: nobody's or this reviewer's, behind `after`, else from the beginning."""
    mine = Case.objects.unfinished().filter(assignee=None) | Case.objects.unfinished().filter(assignee=reviewer)
    if after is None:
        return mine.in_turn().first()
    same_moment = mine.filter(opened_at=after.opened_at, pk__gt=after.pk)
    behind = same_moment | mine.filter(opened_at__gt=after.opened_at)
    return behind.in_turn().first() or mine.exclude(pk=after.pk).in_turn().first()
