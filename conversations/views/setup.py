"""The one-time link that makes the first administrator."""

from django.conf import settings
from django.contrib.auth import login
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from conversations.forms import FirstAdministratorForm
from conversations.services import setup
from conversations.services.errors import NotNow


@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def first_administrator(request: HttpRequest, token: str) -> HttpResponse:
    """A form for name and password; an unknown or used link is not found."""
    if not setup.is_valid(token):
        raise Http404
    form = FirstAdministratorForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            user = setup.create_first_administrator(
                token,
                username=form.cleaned_data["username"],
                email=form.cleaned_data["email"],
                password=form.cleaned_data["password1"],
            )
        except NotNow:
            raise Http404 from None
        except ValidationError as error:
            form.add_error("password1", error)
        else:
            login(request, user, backend=settings.AUTHENTICATION_BACKENDS[0])
            return redirect("/")
    status = 422 if form.errors else 200
    return render(request, "conversations/setup.html", {"form": form}, status=status)
