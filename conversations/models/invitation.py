"""Invitations: the right to make one account, with the role and groups that the inviter chose."""

from typing import Self

from django.conf import settings
from django.contrib.auth.models import Group
from django.db import models
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from conversations.models.user import Role


class InvitationQuerySet(models.QuerySet["Invitation"]):
    def open(self) -> Self:
        """Those that can still be used, as far as the row alone says."""
        return self.filter(used_at=None, revoked_at=None, expires_at__gt=timezone.now())


class Invitation(models.Model):
    """The link holds a secret, the row its digest alone. Without an inviter it was made by a command; the invitations
    of somebody who is deleted go with them."""

    digest = models.CharField(max_length=64, unique=True, editable=False)
    role = models.CharField(_("role"), max_length=20, choices=Role, default=Role.MEMBER)
    groups = models.ManyToManyField(Group, verbose_name=_("groups"), blank=True)
    email = models.EmailField(_("e-mail address"), blank=True)
    inviter = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, null=True, related_name="invitations", verbose_name=_("inviter")
    )
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", verbose_name=_("used by")
    )
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(_("valid until"))
    used_at = models.DateTimeField(null=True, editable=False)
    revoked_at = models.DateTimeField(null=True, editable=False)

    objects = InvitationQuerySet.as_manager()

    class Meta:
        verbose_name = _("invitation")
        verbose_name_plural = _("invitations")

    def __str__(self) -> str:
        return f"invitation {self.pk}"

    @property
    def state(self) -> str | Promise:
        """A word for lists: used, revoked, expired or open."""
        if self.used_at:
            return _("used")
        if self.revoked_at:
            return _("revoked")
        return _("open") if self.expires_at > timezone.now() else _("expired")
