"""What templates ask about people and how they log in."""

import ipaddress

from django.conf import settings
from django.http import HttpRequest
from django.http.request import split_domain_port
from django.template import Context, Library

register = Library()


@register.simple_tag(takes_context=True)
def passkeys_work(context: Context) -> bool:
    """Browsers bind a passkey to a name; they refuse it where the address is a number."""
    request: HttpRequest = context["request"]
    host, _port = split_domain_port(request.get_host())
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return True
    return False


@register.simple_tag
def sign_on_name() -> str:
    """What single sign-on is called here; "" where there is none."""
    return settings.CHATSITE_OIDC_NAME if settings.CHATSITE_OIDC_ISSUER else ""


@register.simple_tag
def may_take_out() -> bool:
    """Whether people may take out what is theirs."""
    return bool(settings.CHATSITE_SELF_SERVICE != "none")
