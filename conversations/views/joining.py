"""How people join: the page of an invitation link, and what somebody sees who waits to be approved."""

from typing import Any

from allauth.account.views import SignupView
from django.forms import Form
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_safe

from conversations.models import Invitation
from conversations.services import invitations
from conversations.services.errors import NotNow


class InvitedView(SignupView):  # type: ignore[misc]
    """The form of sign-up on the address of an invitation. A link that is not valid (any more) is not found."""

    template_name = "account/invited.html"
    invitation: Invitation

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        found = invitations.find(kwargs["token"])
        if found is None:
            raise Http404
        self.invitation = found
        request.invitation = kwargs["token"]  # type: ignore[attr-defined]
        response: HttpResponseBase = super().dispatch(request, *args, **kwargs)
        return response

    def get_initial(self) -> dict[str, Any]:
        return {**super().get_initial(), "email": self.invitation.email}

    def get_form(self, form_class: type[Form] | None = None) -> Form:
        """An invitation to an address makes an account with that address."""
        form: Form = super().get_form(form_class)
        form.fields["email"].disabled = bool(self.invitation.email)
        return form

    def form_valid(self, form: Form) -> HttpResponse:
        try:
            response: HttpResponse = super().form_valid(form)
        except NotNow:
            raise Http404 from None
        return response

    def get_context_data(self, **context: Any) -> dict[str, Any]:
        more: dict[str, Any] = super().get_context_data(**context)
        return {**more, "invitation": self.invitation, "token": self.kwargs["token"]}


invited = require_http_methods(["GET", "HEAD", "POST"])(InvitedView.as_view())


@require_safe
def waiting(request: HttpRequest) -> HttpResponse:
    """For somebody whose account nobody has approved yet; there is no session that says who it is."""
    return render(request, "account/waiting.html")
