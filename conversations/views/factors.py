"""Second factors: the gate before everything for those who need one and have none, and the picture of a secret."""

import io

from allauth.account.decorators import reauthentication_required
from allauth.mfa.adapter import get_adapter
from allauth.mfa.totp.internal.auth import get_totp_secret
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.deprecation import MiddlewareMixin
from django.views.decorators.http import require_safe

from conversations.models import User
from conversations.services import factors
from conversations.views.http import HtmxHttpRequest, member_required

GATE = "/second-factor/"
SET_UP = "/accounts/2fa/"
AROUND = {GATE, "/accounts/reauthenticate/", "/accounts/login/", "/accounts/logout/", "/language/"}
FOR_MACHINES = {"/manifest.webmanifest", "/favicon.ico", "/healthz", "/readyz", "/metrics"}


class SecondFactorMiddleware(MiddlewareMixin):
    """Stands behind the authentication. Members cost no query."""

    def process_request(self, request: HttpRequest) -> HttpResponse | None:
        user = request.user
        if not isinstance(user, User) or not factors.are_required_of(user) or is_open(request.path):
            return None
        if not factors.are_missing(user):
            return None
        is_page = request.method in ("GET", "HEAD") and "HX-Request" not in request.headers
        return redirect(GATE) if is_page else render(request, "people/factor_needed.html", status=403)


def is_open(path: str) -> bool:
    """What is needed for the set-up, and for going away."""
    return path.startswith(SET_UP) or path in AROUND | FOR_MACHINES


@member_required
@require_safe
def needed(request: HtmxHttpRequest) -> HttpResponse:
    """Why nothing else is there, and the way to the set-up."""
    return render(request, "people/factor_needed.html") if factors.are_missing(request.user) else redirect("/")


@require_safe
@member_required
@reauthentication_required(app="allauth.mfa")  # type: ignore[untyped-decorator]
def picture(request: HtmxHttpRequest) -> HttpResponse:
    """The secret of the set-up that is going on, for the camera of a phone. An address, since the policy of the site
    takes no pictures that stand in the page itself."""
    if "mfa.totp.secret" not in request.session:
        raise Http404
    import qrcode  # only here: few servers need it often, and it loads lxml where that is installed
    from qrcode.image.svg import SvgPathImage

    address = get_adapter().build_totp_url(request.user, get_totp_secret())
    buffer = io.BytesIO()
    qrcode.make(address, image_factory=SvgPathImage, border=2).save(buffer)
    return HttpResponse(buffer.getvalue(), content_type="image/svg+xml")
