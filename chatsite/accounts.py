"""Who may sign up, and how an account begins: what django-allauth asks of this installation."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.models import EmailAddress
from allauth.account.stages import EmailVerificationStage
from allauth.core.internal import ratelimit
from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from chatsite import devices, events
from conversations.models import Invitation, User
from conversations.services import invitations, people

APP = "allauth.account"  # of its limits
INVITED = "invitation"  # where a session keeps the secret of a link while its holder is away at another provider


def invitation_of(request: HttpRequest) -> Invitation | None:
    """The invitation in whose page the person is, or came back to from another provider."""
    return invitations.find(getattr(request, "invitation", "") or request.session.get(INVITED, ""))


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """The sign-up policy of this installation, CHATSITE_SIGNUP."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return settings.CHATSITE_SIGNUP in ("open", "approval") or invitation_of(request) is not None

    def save_user(self, request: HttpRequest, user: User, form: Any, commit: bool = True) -> User:
        """The account and what it may do begin together. Raises NotNow where the invitation is used up."""
        with transaction.atomic():
            saved: User = super().save_user(request, user, form, commit)
            people.admit(saved, invitation_of(request))
        request.session.pop(INVITED, None)
        return saved

    def get_login_stages(self) -> list[str]:
        return [
            "chatsite.accounts.VerificationStage" if stage.endswith(".EmailVerificationStage") else stage
            for stage in super().get_login_stages()
        ]

    def pre_login(self, request: HttpRequest, user: User, **more: Any) -> HttpResponse | None:
        """Somebody who just signed up verifies the address first, also where an administrator has to approve."""
        return None if more["signup"] else super().pre_login(request, user, **more)

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """Strangers who guess slow themselves down: a browser that its owner knows is not counted with theirs."""
        named = request.tried = _named(credentials)  # type: ignore[attr-defined]
        device = devices.of(request, named) if named else ""
        who = str(named.pk if named else credentials.get("email") or credentials.get("username")).lower()
        place = device or f"network {ratelimit.get_ip(request)}"
        taken = ratelimit.consume(request, app=APP, action="login_failed", key=f"{who} {place}")
        anywhere = (
            taken
            if device or not taken
            else ratelimit.consume(request, app=APP, action="login_failed_anywhere", key=who)
        )
        if taken is None or anywhere is None:
            events.limited(request, named)
            raise self.validation_error("too_many_login_attempts")
        if anywhere is not taken:
            taken.usage += anywhere.usage
        self._login_failed_rl_usage = taken  # given back where the password was right

    def post_login(self, request: HttpRequest, user: User, **more: Any) -> HttpResponse:
        response: HttpResponse = super().post_login(request, user, **more)
        devices.note(request, response, user)
        return response

    def respond_user_inactive(self, request: HttpRequest, user: User) -> HttpResponse:
        return redirect("account_waiting" if user.waiting_since else "account_inactive")


class VerificationStage(EmailVerificationStage):  # type: ignore[misc]
    """Addresses are verified once, before the first login. Accounts that an administrator made need none: turning
    mail on must not lock out those who are in."""

    def handle(self) -> tuple[HttpResponse | None, bool]:
        user: User | None = self.login.user
        response = None
        if user is None or (user.last_login is None and EmailAddress.objects.filter(user=user).exists()):
            response, _ = super().handle()
        if response is None and user is not None and not user.is_active:
            return AccountAdapter().respond_user_inactive(self.request, user), False
        return response, True


def _named(credentials: dict[str, Any]) -> User | None:
    """Whose account somebody tries to get into, by name or address."""
    name, address = credentials.get("username") or "", credentials.get("email") or ""
    return User.objects.filter(Q(username__iexact=name) | Q(email__iexact=address or name)).order_by("pk").first()
