"""Letters to people, in their language. Without a mail server nothing is sent: the sender has the link on a page."""

import logging
from smtplib import SMTPException
from typing import Any

from django.conf import settings
from django.core.mail import send_mail
from django.db import transaction
from django.template.loader import render_to_string
from django.utils import translation

logger = logging.getLogger(__name__)


def send(letter: str, email: str, *, language: str = "", **context: Any) -> None:
    """After the commit. `letter`: a template in templates/letters/, whose first line is the subject."""
    if not settings.HAS_MAIL or not email:
        return
    with translation.override(language or translation.get_language() or settings.LANGUAGE_CODE):
        text = render_to_string(f"letters/{letter}.txt", {"site": settings.CHATSITE_URL, **context})
    subject, _, body = text.strip().partition("\n")
    transaction.on_commit(lambda: _send(subject.strip(), body.strip() + "\n", email))


def _send(subject: str, body: str, email: str) -> None:
    """What was done stays done where the mail server refuses; an administrator finds it in the log."""
    try:
        send_mail(subject, body, None, [email])
    except (SMTPException, OSError) as exc:
        logger.error("a letter could not be sent: %s", exc.__class__.__name__)
