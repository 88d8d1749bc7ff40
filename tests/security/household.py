"""One row of everything, of a person: where every text that somebody can write holds one word, to be looked for."""

import datetime as dt
import hashlib
from decimal import Decimal
from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialToken
from allauth.usersessions.models import UserSession
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group
from django.contrib.contenttypes.models import ContentType
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db.models import Model
from django.utils import timezone

from conversations import models
from conversations.models import Attachment, Connection, Conversation, Message, User
from conversations.models.message import Status
from conversations.services import connections, offers, review
from tests.conftest import MODEL

Things = dict[str, Any]  # rows by what they are called in policy.toml

TABLE = "| {word} | b |\n|---|---|\n| 1 | 2 |\n"


def furnish(owner: User, word: str, name: str, reviewer: User) -> Things:
    """Everything that can be somebody's. `word` stands in what they write, `name` in what they are called."""
    things: Things = {"person": owner}
    User.objects.filter(pk=owner.pk).update(first_name=name, last_name=name)
    things |= _talk(owner, word) | _running(owner, word) | _compared(owner, word)
    things |= _library(owner, word) | _account(owner, word, name)
    things |= _reviewed(things, word, reviewer) | _money(things, name) | _of_the_site(things, word)
    return things


def shared_place() -> Things:
    """What belongs to the installation: no word of anybody stands in it."""
    things: Things = {"group": Group.objects.create(name="readers")}
    house = Connection(slug="house", label="House", base_url="http://127.0.0.1:9/v1", takes_own_keys=True)
    connections.store(house, key="sk-house-key-0001", headers="X-House: yes")
    things["connection"] = house
    things["offered model"] = models.OfferedModel.objects.create(connection=house, name="chat", price_input=Decimal(1))
    closed = models.OfferedModel.objects.create(connection=house, name="closed", sees_pictures=True)
    closed.groups.add(things["group"])
    things["rule"] = models.Rule.objects.create(name="r", kind="words", words="never*said")
    things["label"] = models.Label.objects.create(name="urgent")
    things["retention"] = models.Retention.objects.create(days=3000)
    things["notices"] = models.Notices.objects.create(banner="Hello", terms="Be kind.", terms_since=timezone.now())
    things["social app"] = SocialApp.objects.create(provider="openid_connect", name="x", client_id="x")
    models.SetupLink.objects.create()
    models.Remembered.objects.create(key="k", value=[1.5], until=timezone.now() + dt.timedelta(days=1))
    User.objects.update(accepted_terms_at=timezone.now())
    offers.forget()
    return things


def _conversation(owner: User, word: str, **more: Any) -> Conversation:
    values = {"title": f"{word} title", "system_prompt": f"{word} prompt", "model": MODEL, "active_at": timezone.now()}
    return Conversation.objects.create(owner=owner, **{**values, **more})


def _picture(owner: User, word: str) -> Attachment:
    data = b"\x89PNG" + word.encode()
    digest = hashlib.sha256(data).hexdigest()
    found = Attachment.objects.create(
        owner=owner, origin="uploaded", name=f"{word}.png", alt=f"{word} seen", sha256=digest, media_type="image/png",
        thumbnail_type="image/png", width=1, height=1, bytes=len(data),
    )  # fmt: skip
    for path in (found.path, found.thumbnail_path):
        if not default_storage.exists(path):
            default_storage.save(path, ContentFile(data))
    return found


def _said(conversation: Conversation, parent: Message | None, word: str, **more: Any) -> Message:
    """A message of a person, or a reply where a model is given."""
    role = "assistant" if "model" in more else "user"
    sender = conversation.owner if role == "user" else None
    depth = parent.depth + 1 if parent else 0
    made = Message.objects.create(
        conversation=conversation, parent=parent, depth=depth, role=role, sender=sender, **more
    )
    if made.status not in (Status.STREAMING, Status.PENDING):
        made.parts.create(position=0, kind="text", text=TABLE.format(word=word), html="", signature=word, name="")
    return made


def _talk(owner: User, word: str) -> Things:
    talk = _conversation(owner, word)
    asked = _said(talk, None, word, key=f"{word}-key", key_digest="d" * 64)
    picture, alone = _picture(owner, word), _picture(owner, word)
    asked.parts.create(position=1, kind="image", attachment=picture)
    asked.parts.create(position=2, kind="text", text=f"{word} long", name=f"{word}.txt")
    reply = _said(talk, asked, word, model=MODEL, status="complete")
    asked_again = _said(talk, reply, word)
    stopped = _said(
        talk, asked_again, word, model=MODEL, status="stopped", error_code="", error_detail=f"{word} error",
        notices=["truncated"],
    )  # fmt: skip
    call = reply.calls.create(
        attempt=1, model=MODEL, outcome="complete", request_deflated=models.ProviderCall.deflate({"text": word})
    )
    deleted = _conversation(owner, word, deleted_at=timezone.now())
    temporary = _conversation(owner, word, expires_at=timezone.now() + dt.timedelta(hours=1))
    fork = _conversation(owner, word, forked_from=reply, pinned=True)
    archived = _conversation(owner, word, archived=True)
    return {
        "conversation": talk, "message": asked, "picture": picture, "picture alone": alone, "reply": reply,
        "stopped reply": stopped, "call": call, "deleted conversation": deleted, "temporary conversation": temporary,
        "fork": fork, "archived conversation": archived,
    }  # fmt: skip


def _running(owner: User, word: str) -> Things:
    """A reply that is being written, and a message that waits for its end."""
    talk = _conversation(owner, word)
    asked = _said(talk, None, word)
    running = _said(
        talk,
        asked,
        word,
        model=MODEL,
        status="streaming",
        claim="c",
        leased_until=timezone.now() + dt.timedelta(days=1),
    )
    running.pieces.create(sequence=0, kind="text", text=f"{word} so far", signature=word)
    waiting = _said(talk, running, word, status="waiting")
    Message.objects.filter(pk=waiting.pk).update(model=MODEL)
    return {"running conversation": talk, "running reply": running, "waiting message": waiting}


def _compared(owner: User, word: str) -> Things:
    talk = _conversation(owner, word)
    asked = _said(talk, None, word)
    first = _said(talk, asked, word, model=MODEL, status="complete", column=0)
    beside = _said(talk, asked, word, model=MODEL, status="complete", column=1, on_path=False)
    return {"compared conversation": talk, "compared reply": first, "reply beside": beside}


def _library(owner: User, word: str) -> Things:
    prompt = models.Prompt.objects.create(owner=owner, name=f"{word}-prompt", text=f"{word} {{{{topic}}}}")
    preset = models.Preset.objects.create(owner=owner, name=f"{word} preset", model=MODEL, system_prompt=f"{word} be")
    shared = {"is_shared": True, "owner": owner, "name": "for-everybody"}
    return {
        "prompt": prompt,
        "preset": preset,
        "shared prompt": models.Prompt.objects.create(text="Hello {{you}}", **shared),
        "shared preset": models.Preset.objects.create(model=MODEL, **shared),
    }


def _account(owner: User, word: str, name: str) -> Things:
    app = SocialApp.objects.get()
    social = SocialAccount.objects.create(user=owner, provider="sso", uid=word, extra_data={"said": word})
    SocialToken.objects.create(app=app, account=social, token=word, token_secret=word)
    connection = Connection.objects.get(slug="house")
    connections.bring_key(owner, connection, f"sk-{word}-key")
    return {
        "own key": owner.own_keys.get(),
        "address": EmailAddress.objects.create(user=owner, email=f"{name}.more@example.com"),
        "second factor": Authenticator.objects.create(user=owner, type="totp", data={"secret": word}),
        "login": UserSession.objects.create(user=owner, ip="192.0.2.7", user_agent=f"{word} browser", session_key=word),
        "social account": social,
    }


def _reviewed(things: Things, word: str, reviewer: User) -> Things:
    talk, reply, owner = things["conversation"], things["reply"], things["person"]
    rating = models.Rating.objects.create(message=reply, value=1, comment=f"{word} rated")
    case = models.Case.objects.create(conversation=talk)
    case.labels.add(models.Label.objects.get())
    flag = case.flags.create(message=reply, cause="reported", comment=f"{word} reported")
    note = case.notes.create(author=reviewer, author_name=reviewer.username, text=f"{word} noted")
    look = review.record_look(reviewer, talk, "thread", "a complaint", f"{word} looked for")
    hold = models.Hold.objects.create(reason="a dispute", person=User.objects.get(username="erin"), conversation=talk)
    LogEntry.objects.create(
        user=owner, content_type=ContentType.objects.get_for_model(Conversation), object_id=str(talk.pk),
        object_repr=str(talk), action_flag=2, change_message="",
    )  # fmt: skip
    return {"rating": rating, "case": case, "flag": flag, "note": note, "look": look, "hold": hold}


def _money(things: Things, name: str) -> Things:
    owner, reply = things["person"], things["reply"]
    budget = models.Budget.objects.create(scope="person", person=owner, messages=1000)
    today = timezone.localdate()
    spending = budget.spendings.create(subject=owner.pk, begins=today.replace(day=1), messages=3, spent=10, reserved=1)
    spending.reservations.create(reply=reply.pk, run=9, money=1)
    entry = models.LedgerEntry.objects.create(
        call=things["call"].pk, reply=reply.pk, attempt=1, at=timezone.now(), day=today, person=owner.pk,
        person_name=name, model=MODEL, connection="aimlapi", outcome="complete", amount=12, currency="USD",
        basis="priced", output_tokens=5,
    )  # fmt: skip
    models.LedgerSum.objects.create(
        by="person", day=today, key=str(owner.pk), name=name, currency="USD", up_to=entry.pk
    )
    return {"budget": budget, "spending": spending, "ledger entry": entry}


def _of_the_site(things: Things, word: str) -> Things:
    secret = hashlib.sha256(word.encode()).hexdigest()
    invitation = models.Invitation.objects.create(
        digest=secret, email="new@example.com", expires_at=timezone.now() + dt.timedelta(days=1)
    )
    return {"invitation": invitation}


def rows_of(things: Things) -> list[Model]:
    """All of them with what hangs on them: parts, pieces, calls and the like."""
    found: list[Model] = [one for one in things.values() if isinstance(one, Model)]
    for message in Message.objects.filter(conversation__owner=things["person"]):
        found += [message, *message.parts.all(), *message.pieces.all(), *message.calls.all()]
    return found
