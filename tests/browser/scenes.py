"""Every page and state worth a picture, and how to come to it. `screenshots.py` takes them."""

import datetime as dt
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from playwright.sync_api import FilePayload, Page, expect

from tests.browser.talks import PHOTO, STORY
from tests.serving import Server

Reach = Callable[[Page], None]
Who = Literal["ada", "root", "nobody"]


@dataclass(frozen=True)
class Scene:
    """`who` looks at it; `phone`: worth a picture on a small page, too; `locale`: the browser's language."""

    name: str
    reach: Reach
    who: Who = "ada"
    phone: bool = False
    locale: str = "en-US"


def visit(page: Page, address: str) -> None:
    """The page with all of its pictures."""
    page.goto(address)
    page.wait_for_load_state("networkidle")


def at(address: str) -> Reach:
    return lambda page: visit(page, address)


def opened(address: str, role: Literal["button", "link"], name: str, shown: str) -> Reach:
    """With what the last button or link of this name opens."""

    def reach(page: Page) -> None:
        visit(page, address)
        page.get_by_role(role, name=name, exact=True).last.click()
        expect(page.locator(shown)).to_be_visible()
        page.wait_for_load_state("networkidle")
        for image in page.locator("dialog[open] img").all():
            image.evaluate("(image) => image.decode()")

    return reach


def streaming(address: str, words: str) -> Reach:
    """A page that never rests, once it shows these words."""

    def reach(page: Page) -> None:
        page.goto(address)
        expect(page.get_by_text(words).last).to_be_visible()

    return reach


# --- Ways to what no address leads to ---------------------------------------------------------------------------------
def refused_login(page: Page) -> None:
    visit(page, "/accounts/login/")
    page.locator("input[name=login]").fill("ada")
    page.locator("input[name=password]").fill("not the password")
    page.locator("form button").first.click()
    expect(page.get_by_text("not correct")).to_be_visible()


def reset_sent(page: Page) -> None:
    visit(page, "/accounts/password/reset/")
    page.locator("input[name=email]").fill("nobody@example.com")
    page.locator("main .button.primary").click()
    page.wait_for_url("**/done/")


def outdated(page: Page) -> None:
    """A form of before somebody logged out elsewhere."""
    visit(page, "/settings/")
    page.context.clear_cookies()
    page.get_by_role("button", name="Save").first.click()
    expect(page.get_by_role("heading", name="This page is out of date")).to_be_visible()


def written(page: Page, text: str) -> None:
    visit(page, "/")
    page.get_by_role("textbox", name="Message").fill(text)


def expired(page: Page) -> None:
    written(page, "A long thought that must not be lost.")
    page.context.clear_cookies(name="session")
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("alert")).to_be_visible()


def offline(page: Page) -> None:
    written(page, "Written in a train, in a tunnel.")
    page.context.set_offline(True)
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("alert")).to_be_visible()


def memory(address: str) -> Reach:
    def reach(page: Page) -> None:
        visit(page, address)
        page.locator("#memory").scroll_into_view_if_needed()

    return reach


def temporary(page: Page) -> None:
    visit(page, "/")
    page.get_by_role("checkbox", name=re.compile("^Temporary")).check()


def slash(page: Page) -> None:
    visit(page, "/")
    page.get_by_role("textbox", name="Message").press_sequentially("/")
    expect(page.locator("#prompts li")).to_have_count(2)


def variables(page: Page) -> None:
    slash(page)
    expect(page.locator("#prompts [aria-selected=true]")).to_have_count(1)
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_be_visible()


def chosen(page: Page) -> None:
    visit(page, "/")
    another: FilePayload = {**PHOTO, "name": "harbour.jpg"}
    page.get_by_label("Attach images").set_input_files([PHOTO, another])
    expect(page.locator("#previews li")).to_have_count(2)
    page.get_by_role("textbox", name="Message").fill("Which of these is sharper?")


def pasted(page: Page) -> None:
    visit(page, "/")
    paste = """(text) => {
        const data = new DataTransfer();
        data.setData("text/plain", text);
        const box = document.getElementById("text");
        box.dispatchEvent(new ClipboardEvent("paste", {clipboardData: data, bubbles: true, cancelable: true}));
        box.value = text;
    }"""
    page.evaluate(paste, STORY * 9)
    expect(page.get_by_role("button", name="Attach as text")).to_be_visible()


def shortcuts(page: Page) -> None:
    visit(page, "/")
    page.locator("#scroller").focus()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()


def menu(page: Page) -> None:
    visit(page, "/")
    page.locator(".person summary").click()


def deleted(page: Page) -> None:
    visit(page, "/c/")
    page.get_by_role("link", name="Ideas for a present").first.click()
    page.wait_for_url("**/c/*-*/")
    page.get_by_role("link", name="Settings of this conversation").click()
    page.get_by_role("button", name="Delete conversation").click()
    expect(page.get_by_role("button", name="Undo")).to_be_visible()


def failed(page: Page, server: Server) -> None:
    """An error of the server itself: its database is broken."""
    (server.data / "chatsite.sqlite3").write_bytes(b"This is not a database." * 200)
    page.goto(f"{server.url}/accounts/login/")
    page.locator("input[name=login]").fill("ada")
    page.locator("input[name=password]").fill("a password")
    page.locator("form button").first.click()
    expect(page.get_by_role("heading", name="Something went wrong")).to_be_visible()


def listed(page: Page) -> None:
    """With titles, for a reason."""
    visit(page, "/admin/conversations/conversation/")
    if page.get_by_label("Reason").is_visible():
        page.get_by_label("Reason").fill("Quality of answers, by sample")
        page.get_by_role("button", name="Show titles").click()
    page.wait_for_load_state("networkidle")


def asked_why(page: Page) -> None:
    listed(page)
    page.get_by_role("link", name=re.compile("^Weekend in Porto")).first.click()
    page.get_by_role("button", name="Open the conversation").wait_for()


def case(page: Page) -> None:
    """A conversation that somebody put into the queue."""
    administration(page)
    page.get_by_role("button", name="Put into the queue").click()
    expect(page.get_by_label("Note")).to_be_visible()


def administration(page: Page) -> None:
    reviewed(page, "Which planet")


def reviewed(page: Page, title: str) -> None:
    """A conversation as reviewers read it, for the reason that was stated for the list."""
    listed(page)
    page.get_by_role("link", name=re.compile(f"^{title}")).first.click()
    page.wait_for_load_state()
    if page.get_by_role("button", name="Open the conversation").is_visible():
        page.get_by_role("button", name="Open the conversation").click()
    expect(page.locator(".turn").first).to_be_visible()


def side_by_side(page: Page) -> None:
    """Three answers to one message, as a reviewer sees them."""
    reviewed(page, "A name for my boat")
    page.get_by_role("link", name="What follows, side by side").first.click()
    expect(page.get_by_role("heading", name="Branches side by side")).to_be_visible()


def connection(page: Page) -> None:
    visit(page, "/admin/conversations/connection/")
    page.get_by_role("link", name="House models").click()
    page.wait_for_load_state("networkidle")
    page.get_by_role("link", name="Add a model by its name").scroll_into_view_if_needed()


def tested(page: Page) -> None:
    connection(page)
    page.get_by_role("button", name="Test google").click()
    page.get_by_text("The model answers.").wait_for()


def pickable(page: Page) -> None:
    connection(page)
    page.get_by_role("button", name="Pick from the list").click()
    page.get_by_role("button", name="Offer the chosen models").wait_for()


def priced(page: Page) -> None:
    visit(page, "/admin/conversations/offeredmodel/")
    page.get_by_role("link", name="House flash").click()
    page.wait_for_load_state("networkidle")
    page.get_by_role("heading", name="Prices for a million tokens").scroll_into_view_if_needed()


def compared(page: Page) -> None:
    """A provider's figures of today beside ours."""
    visit(page, "/admin/conversations/ledgerentry/reconcile/")
    today = dt.datetime.now(tz=dt.UTC).date()
    figures = f"date,amount\n{today - dt.timedelta(days=1)},0.25\n{today},1.00\n".encode()
    page.locator("input[type=file]").set_input_files({"name": "f.csv", "mimeType": "text/csv", "buffer": figures})
    page.get_by_role("button", name="Compare").click()
    expect(page.get_by_role("columnheader", name="Theirs")).to_be_visible()


def scenes_of(addresses: dict[str, str], setup: str) -> tuple[Scene, ...]:
    """`setup`: the one-time link of a server that has nobody yet."""
    return (
        *of_running_replies(addresses),
        *of_entering(setup, addresses["invited"]),
        *of_writing(),
        *of_conversations(addresses),
        *OWN_PAGES,
        *OF_STAFF,
    )


def of_running_replies(addresses: dict[str, str]) -> tuple[Scene, ...]:
    return (
        # These first: their replies run no longer than their providers are given time.
        Scene("running", streaming(addresses["running"], "the colour"), phone=True),
        Scene("waiting", streaming(addresses["waiting"], "Waiting to be sent"), phone=True),
        Scene("queued", streaming(addresses["queued"], "Waiting in line")),
    )


def of_entering(setup: str, invitation: str) -> tuple[Scene, ...]:
    return (
        Scene("login", at("/accounts/login/"), "nobody", phone=True),
        Scene("login-refused", refused_login, "nobody"),
        Scene("sign-up-closed", at("/accounts/signup/"), "nobody"),
        Scene("invited", at(invitation), "nobody", phone=True),
        Scene("reset", at("/accounts/password/reset/"), "nobody"),
        Scene("reset-sent", reset_sent, "nobody"),
        Scene("first-start", at(setup), "nobody", phone=True),
        Scene("not-found", at("/nothing/here/"), phone=True),
        Scene("out-of-date", outdated),
        Scene("waiting-for-approval", at("/accounts/waiting/"), "nobody"),
    )


def of_writing() -> tuple[Scene, ...]:
    return (
        Scene("empty", at("/"), phone=True),
        Scene("empty-settings", opened("/", "button", "Settings of this conversation", "#settings")),
        Scene("temporary", temporary),
        Scene("compare", opened("/", "button", "Compare", "#compare"), phone=True),
        Scene("slash", slash, phone=True),
        Scene("variables", variables),
        Scene("chosen-pictures", chosen, phone=True),
        Scene("long-paste", pasted),
        Scene("expired", expired, phone=True),
        Scene("offline", offline),
    )


def of_conversations(addresses: dict[str, str]) -> tuple[Scene, ...]:
    conversation, pictures = addresses["conversation"], addresses["pictures"]
    text = addresses["right-to-left"]
    return (
        Scene("conversation", at(conversation), phone=True),
        Scene("mathematics", at(addresses["mathematics"]), phone=True),
        Scene("long", at(addresses["long"]), phone=True),
        Scene("right-to-left", at(text), phone=True),
        Scene("arabic", at(text), phone=True, locale="ar"),
        Scene("pictures", at(pictures), phone=True),
        Scene("viewer", opened(pictures, "link", "Describe this picture", "#viewer textarea"), phone=True),
        Scene("attached-text", at(addresses["attached-text"])),
        Scene("error", at(addresses["error"]), phone=True),
        Scene("stopped", at(addresses["stopped"])),
        Scene("branches", at(addresses["branches"])),
        Scene("columns", at(addresses["columns"]), phone=True),
        Scene("memory", memory(addresses["memory"])),
        Scene("edit", opened(conversation, "link", "Edit", "article textarea"), phone=True),
        Scene("other-model", opened(conversation, "link", "Answer with another model", ".other-model")),
        Scene(
            "conversation-settings",
            opened(conversation, "link", "Settings of this conversation", "#settings .close"),
            phone=True,
        ),
        Scene("list", lambda page: _list(page, conversation), phone=True),
        Scene("menu", menu),
        Scene("deleted", deleted),
        Scene("index", at("/c/")),
        Scene("archive", at("/c/?archived")),
        Scene("rate", opened(conversation, "link", "Rate or report", ".rating"), phone=True),
    )


def _list(page: Page, address: str) -> None:
    visit(page, address)
    if page.get_by_role("button", name="Conversations").is_visible():
        page.get_by_role("button", name="Conversations").click()


OWN_PAGES = (
    Scene("prompts", at("/prompts/"), phone=True),
    Scene("prompt", at("/prompts/new/")),
    Scene("presets", at("/presets/")),
    Scene("preset", at("/presets/new/")),
    Scene("settings", at("/settings/"), phone=True),
    Scene("shortcuts", shortcuts, phone=True),
    Scene("keys", at("/shortcuts/")),
    Scene("second-factor", at("/accounts/2fa/"), phone=True),
    Scene("sessions", at("/accounts/sessions/"), phone=True),
    Scene("your-data", at("/settings/data/"), phone=True),
    Scene("password", at("/accounts/password/change/")),
    Scene("usage", at("/settings/usage/"), phone=True),
    Scene("usage-arabic", at("/settings/usage/"), phone=True, locale="ar"),
)
OF_STAFF = (
    Scene("admin-invitation", at("/admin/conversations/invitation/add/"), "root"),
    Scene("admin-people", at("/admin/conversations/user/"), "root"),
    Scene("admin", at("/admin/"), "root"),
    Scene("admin-connections", at("/admin/conversations/connection/"), "root", phone=True),
    Scene("admin-connection", connection, "root", phone=True),
    Scene("admin-connection-new", at("/admin/conversations/connection/add/"), "root"),
    Scene("admin-connection-tested", tested, "root", phone=True),
    Scene("admin-connection-models", pickable, "root"),
    Scene("admin-model", priced, "root", phone=True),
    Scene("own-keys", at("/settings/keys/"), phone=True),
    Scene("admin-conversations", at("/admin/conversations/conversation/"), "root", phone=True),
    Scene("admin-conversations-stated", listed, "root", phone=True),
    Scene("admin-reason", asked_why, "root", phone=True),
    Scene("admin-conversation", administration, "root", phone=True),
    Scene("admin-branches", side_by_side, "root", phone=True),
    Scene("admin-case", case, "root", phone=True),
    Scene("admin-queue", at("/admin/conversations/case/"), "root", phone=True),
    Scene("admin-ratings", at("/admin/conversations/rating/"), "root"),
    Scene("admin-looks", at("/admin/conversations/look/"), "root", phone=True),
    Scene("admin-usage", at("/admin/conversations/ledgerentry/?by=model&days=90"), "root", phone=True),
    Scene(
        "admin-usage-arabic", at("/admin/conversations/ledgerentry/?by=person&days=90"), "root", phone=True, locale="ar"
    ),
    Scene("admin-figures", compared, "root", phone=True),
    Scene("admin-budget", at("/admin/conversations/budget/add/"), "root", phone=True),
    Scene("admin-budgets", at("/admin/conversations/budget/"), "root", phone=True),
    Scene("admin-notices", at("/admin/conversations/notices/add/"), "root"),
)
