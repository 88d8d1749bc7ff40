"""A reviewer works through the queue with the keyboard alone, with and without JavaScript, on a desk and on a phone."""

import pytest
from playwright.sync_api import ViewportSize, expect

from tests.browser.conftest import DESKTOP, PHONE, Open, log_in
from tests.serving import Server

FLAG = """
from conversations.models import Conversation, Message, Part, User
from conversations.models.work import Cause
from conversations.services import cases
from django.utils import timezone
alice = User.objects.get(username="alice")
for number in range({count}):
    talk = Conversation.objects.create(owner=alice, title=f"Talk {{number}}", model="m", active_at=timezone.now())
    message = Message.objects.create(conversation=talk, role="user", sender=alice)
    Part.objects.create(message=message, position=0, kind="text", text=f"words of talk {{number}} " * 100)
    cases.report(message, f"report {{number}}")
"""


@pytest.mark.parametrize(
    ("count", "javascript", "size"), [(100, True, DESKTOP), (6, False, PHONE)], ids=["desk", "phone"]
)
def test_a_queue_is_worked_through_by_keys_alone(
    browse: Open, server: Server, count: int, javascript: bool, size: ViewportSize
) -> None:
    server.manage("shell", "-v0", "-c", FLAG.format(count=count))
    page = browse(javascript=javascript, size=size)
    log_in(page, "root")
    page.goto("/admin/conversations/case/")
    results = page.locator(".results")
    expect(results).to_be_visible()
    assert size is DESKTOP or results.evaluate("(list) => list.scrollWidth <= list.clientWidth")
    page.get_by_role("link", name="Work through the queue").focus()
    page.keyboard.press("Enter")
    for number in range(count):
        expect(page.get_by_role("heading", name="Why do you look?")).to_be_visible()
        expect(page.get_by_text(f"words of talk {number}")).to_have_count(0)
        if number == 0:  # what was said once is offered from then on, with the focus on the button
            page.get_by_label("Reason").focus()
            page.keyboard.type("Reported by a person")
        page.keyboard.press("Enter")
        expect(page.get_by_text(f"report {number}")).to_be_visible()
        expect(page.locator("#left")).to_have_text(f"Unfinished cases: {count - number}")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        expect(page.get_by_label("Note")).to_be_focused()
        page.keyboard.type(f"looked at {number}")
        page.keyboard.press("Enter")
    expect(page.get_by_text("Nothing is left to look at.")).to_be_visible()
    assert server.manage("verify_audit").stdout.startswith(f"{count} records")
