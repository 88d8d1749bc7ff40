"""Every letter, with all hostile texts in the place of every name: plain text to one person, no more headers."""

import email
from email import policy
from email.message import EmailMessage as Letter
from pathlib import Path

import allauth
import pytest
from allauth.account.adapter import get_adapter
from django.core import mail
from django.core.mail import EmailMessage
from django.test import RequestFactory
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from conversations.models import User
from conversations.services import letters
from tests.serving import ROOT
from tests.unit.test_markup_hostile import CORPUS

ALL = "\r\n".join(text.encode(errors="replace").decode() for text in CORPUS) + "\r\nBcc: eve@example.com\n\n<b>"
TO = "dave@example.com"
OURS = [path.stem for path in sorted((ROOT / "templates" / "letters").glob("*.txt"))]
THEIRS = sorted(
    str(path.relative_to(Path(allauth.__file__).parent / "templates")).removesuffix("_subject.txt")
    for path in (Path(allauth.__file__).parent / "templates").glob("*/email/*_subject.txt")
)
PLACES = ("name", "address", "activate_url", "password_reset_url", "signup_url", "key", "code", "ip", "user_agent")
HEADERS = {
    *("Content-Type", "MIME-Version", "Content-Transfer-Encoding", "Subject", "From", "To", "Date", "Message-ID"),
}


def only_a_letter(sent: EmailMessage) -> Letter:
    """As whoever gets it reads it."""
    read = email.message_from_bytes(sent.message().as_bytes(), policy=policy.default)
    assert isinstance(read, Letter)
    assert set(read.keys()) == HEADERS
    assert sent.recipients() == [TO]
    assert read["To"] == TO
    assert not read.is_multipart()
    assert read.get_content_type() == "text/plain"
    return read


@pytest.mark.django_db
@pytest.mark.parametrize("name", OURS)
def test_a_letter_of_ours_is_plain_text_to_one_person(
    settings: Settings, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks, name: str
) -> None:
    settings.HAS_MAIL = True
    with django_capture_on_commit_callbacks(execute=True):
        letters.send(name, TO, **dict.fromkeys(PLACES, ALL), expires_at=None)
    (sent,) = mail.outbox
    read = only_a_letter(sent)
    assert "eve" not in read["Subject"]
    assert "<script>alert(1)</script>" in read.get_content()


def test_there_are_letters_of_accounts() -> None:
    assert len(THEIRS) > 10


@pytest.mark.parametrize("name", THEIRS)
def test_a_letter_about_an_account_is_plain_text_to_one_person(rf: RequestFactory, name: str) -> None:
    context = {**dict.fromkeys(PLACES, ALL), "user": User(username=ALL, first_name=ALL), "email": ALL}
    with allauth.core.context.request_context(rf.get("/")):
        sent = get_adapter().render_mail(name, TO, context)
    assert "eve" not in only_a_letter(sent)["Subject"]
