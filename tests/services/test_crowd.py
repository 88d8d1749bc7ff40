"""A crowd to try things with: as many rows as asked for, that fit together on both databases."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from conversations.models import Case, Conversation, Flag, Message, Part, Rating, User
from tests.conftest import send

NUMBERS = ("--conversations", "200", "--messages", "2000")


def test_a_crowd_is_made_that_fits_together(admin_client: Client) -> None:
    out = StringIO()
    call_command("make_crowd", *NUMBERS, stdout=out)
    assert out.getvalue() == "Made 200 conversations and 2000 messages of 10 people (crowd-0 …).\n"
    assert (Conversation.objects.count(), Message.objects.count(), Part.objects.count()) == (200, 2000, 2000)
    assert set(
        User.objects.filter(username__startswith="crowd-").values_list("conversations__owner", flat=True)
    ) == set(User.objects.filter(username__startswith="crowd-").values_list("pk", flat=True))
    talk = Conversation.objects.order_by("pk")[7]
    thread = list(talk.messages.order_by("depth"))
    assert [message.depth for message in thread] == list(range(10))
    assert [message.parent for message in thread] == [None, *thread[:-1]]
    assert (Rating.objects.count(), Case.objects.count(), Flag.objects.count()) == (10, 4, 4)
    assert all(rating.message.is_reply for rating in Rating.objects.all())
    assert Message.objects.failed().count() == 2
    for name in ("conversation", "case", "rating"):
        assert admin_client.get(f"/admin/conversations/{name}/").status_code == 200
    send(User.objects.get(username="crowd-1"), "new rows come behind")


def test_a_crowd_comes_among_others_only_where_that_is_meant(alice: User) -> None:
    send(alice, "real words")
    with pytest.raises(CommandError, match="--among-others"):
        call_command("make_crowd", *NUMBERS)
    for _ in range(2):
        call_command("make_crowd", "--among-others", *NUMBERS, stdout=StringIO())
    assert Conversation.objects.count() == 401
