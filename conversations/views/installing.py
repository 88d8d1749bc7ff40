"""What a browser needs to put this site on a home screen.

There is no service worker: without the server there is nothing to show, and what people wrote is kept by no cache.
"""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.templatetags.static import static
from django.utils.translation import get_language, get_language_bidi
from django.utils.translation import gettext as _
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

ICONS = (("icon-192.png", 192, "any"), ("icon-512.png", 512, "any"), ("icon-maskable.png", 512, "maskable"))


@require_safe
@cache_control(private=True, max_age=3600)
def manifest(request: HttpRequest) -> HttpResponse:
    """In the language of whoever asks; colours are those of the light theme in static/css/tokens.css."""
    content = {
        "id": "/",
        "start_url": "/",
        "scope": "/",
        "name": "Chatsite",
        "short_name": "Chatsite",
        "description": _("Conversations with language models"),
        "lang": get_language(),
        "dir": "rtl" if get_language_bidi() else "ltr",
        "display": "standalone",
        "background_color": "#ffffff",
        "theme_color": "#ffffff",
        "icons": [
            {"src": static(f"icons/{name}"), "sizes": f"{side}x{side}", "type": "image/png", "purpose": purpose}
            for name, side, purpose in ICONS
        ],
        "shortcuts": [
            {"name": _("New conversation"), "url": "/"},
            {"name": _("All conversations"), "url": "/c/"},
        ],
    }
    return JsonResponse(content, content_type="application/manifest+json")
