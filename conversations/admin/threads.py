"""A conversation as reviewers read it: the whole thread page by page, and branches side by side."""

import json
from typing import Any

from django.core.paginator import Paginator
from django.db.models import Count
from django.http import HttpRequest

from conversations import queries
from conversations.admin.reviewing import reviewer_of
from conversations.models import Conversation, Message, ProviderCall
from conversations.services import finding, review

PAGE_LENGTH = 200  # messages of a thread
MOST_BRANCHES = 6  # side by side
MOST_BELOW = 50  # messages of each


def thread(request: HttpRequest, conversation: Conversation, reason: str) -> dict[str, Any]:
    """What the templates show of a thread; showing it is recorded."""
    page = Paginator(finding.whole_thread(conversation), PAGE_LENGTH).get_page(request.GET.get("page"))
    detail = f"page {page.number}" if page.has_other_pages() else ""
    review.record_look(reviewer_of(request), conversation, "thread", reason, detail)
    return {
        "conversation": conversation,
        "reason": reason,
        "page": page,
        "thread": [(queries.shown(message), calls_of(message)) for message in page],
        "forks": forks(conversation),
    }


def forks(conversation: Conversation) -> set[int]:
    """The messages with several replies or versions below them, by primary key; 0 for the beginning."""
    below = Message.objects.filter(conversation=conversation).order_by().values("parent")
    return {one["parent"] or 0 for one in below.annotate(count=Count("pk")).filter(count__gt=1)}


def branches(conversation: Conversation, parent: int) -> list[list[tuple[queries.Shown, list[Any]]]]:
    """What follows the message with this primary key (0: the beginning), each branch from its first message on.

    Of branches that fork again the one on show is followed, else the newest.
    """
    below: dict[int, list[tuple[int, bool]]] = {}
    rows = Message.objects.filter(conversation=conversation).order_by("pk")
    for pk, above, on_path in rows.values_list("pk", "parent", "on_path"):
        below.setdefault(above or 0, []).append((pk, on_path))
    lines = [_line(first, below) for first, _on_path in below.get(parent, [])[:MOST_BRANCHES]]
    wanted = {pk for line in lines for pk in line}
    found = {message.pk: message for message in finding.whole_thread(conversation).filter(pk__in=wanted)}
    return [[(queries.shown(found[pk]), calls_of(found[pk])) for pk in line] for line in lines]


def _line(first: int, below: dict[int, list[tuple[int, bool]]]) -> list[int]:
    line = [first]
    while len(line) < MOST_BELOW and (children := below.get(line[-1])):
        line.append(max(children, key=lambda child: (child[1], child[0]))[0])
    return line


def calls_of(message: Message) -> list[tuple[ProviderCall, str]]:
    """The calls made for a message, each with the request as it was sent, indented for reading."""
    return [(call, json.dumps(call.request, indent=2, ensure_ascii=False)) for call in message.calls.all()]
