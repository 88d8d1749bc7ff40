"""The way to single sign-on and back."""

from allauth.socialaccount.providers.openid_connect import views as openid_connect
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from conversations.services import invitations

INVITED = "invitation"


@require_http_methods(["GET", "HEAD", "POST"])
def begin(request: HttpRequest) -> HttpResponseBase:
    """A button, and behind it a page that leads to the provider.

    Not a redirect: a form of this site may only be sent to this site, and browsers hold its redirects to that, too.
    """
    if not settings.CHATSITE_OIDC_ISSUER:
        raise Http404
    if request.method != "POST":
        return render(request, "account/sign_on.html")
    token = request.POST.get(INVITED, "")
    if invitations.find(token):
        request.session[INVITED] = token
    try:
        response: HttpResponse = openid_connect.login(request, provider_id=settings.CHATSITE_OIDC_ID)
    except (OSError, ValueError):  # no connection, or an answer that is none of OpenID
        return render(request, "account/sign_on.html", {"is_unreachable": True}, status=503)
    if response.status_code != 302:
        return response
    return render(request, "account/leading.html", {"address": response.headers["Location"]})
