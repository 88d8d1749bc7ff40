"""The guard in front of every page: who is let in, how refusals are answered, and what all answers carry."""

import gzip
from html import unescape

import pytest
from django.contrib.auth.models import AnonymousUser
from django.http import HttpResponse, JsonResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.test import Client, RequestFactory
from django.utils import timezone
from django_htmx.middleware import HtmxMiddleware
from pytest_django import Settings

from conversations.models import Notices, User
from conversations.services import notices
from conversations.services.errors import NotNow
from conversations.views import http

HTMX = {"HX-Request": "true"}


@http.member_required
def hello(request: http.HtmxHttpRequest, name: str) -> HttpResponse:
    return HttpResponse(f"hello {name}")


@http.member_required
def never(request: http.HtmxHttpRequest) -> HttpResponse:
    raise NotNow("Wait <here>.")


def asked(user: User | AnonymousUser, *, htmx: bool = False, **written: str) -> http.HtmxHttpRequest:
    factory, headers = RequestFactory(), HTMX if htmx else {}
    request = factory.post("/c/?a=1", written, headers=headers) if written else factory.get("/c/?a=1", headers=headers)
    request.user = user
    HtmxMiddleware(lambda request: HttpResponse())(request)
    return request  # type: ignore[return-value]


def body(response: HttpResponseBase) -> str:
    assert isinstance(response, HttpResponse)
    return unescape(response.content.decode())


def ask_for_terms() -> None:
    Notices.objects.update_or_create(pk=1, defaults={"terms": "Be kind.", "terms_since": timezone.now()})
    notices.forget()


def test_a_member_is_let_in(alice: User) -> None:
    response = hello(asked(alice), "alice")
    assert (response.status_code, body(response)) == (200, "hello alice")


def test_who_is_not_logged_in_logs_in_and_comes_back(db: None) -> None:
    response = hello(asked(AnonymousUser()), "x")
    assert (response.status_code, response.headers["Location"]) == (302, "/accounts/login/?next=/c/%3Fa%3D1")


def test_a_fragment_for_nobody_is_a_sentence_beside_the_composer(db: None) -> None:
    response = hello(asked(AnonymousUser(), htmx=True, text="my words"), "x")
    assert response.status_code == 401
    assert (response.headers["HX-Retarget"], response.headers["HX-Reswap"]) == ("#composer-notice", "innerHTML")
    assert 'href="/accounts/login/"' in body(response)


def test_what_somebody_wrote_who_is_logged_out_meanwhile_is_shown_to_be_kept() -> None:
    response = Client().post("/", {"text": "a long thought"})
    assert response.status_code == 401
    assert "a long thought" in body(response)


def test_a_refusal_is_a_page_of_its_own_or_a_sentence_beside_the_composer(alice: User) -> None:
    page = never(asked(alice))
    assert (page.status_code, page.has_header("HX-Retarget")) == (409, False)
    assert "<title>" in body(page)
    assert "Wait <here>." in body(page)
    fragment = never(asked(alice, htmx=True))
    assert (fragment.status_code, fragment.headers["HX-Retarget"]) == (409, "#composer-notice")
    assert "<title>" not in body(fragment)
    assert "Wait <here>." in body(fragment)


def test_terms_come_first_but_never_before_words_that_would_be_lost(alice: User) -> None:
    ask_for_terms()
    page = hello(asked(alice), "alice")
    assert (page.status_code, page.headers["Location"]) == (302, "/terms/?next=%2Fc%2F%3Fa%3D1")
    assert hello(asked(alice, title="no text"), "alice").status_code == 302
    fragment = hello(asked(alice, htmx=True, text="my words"), "alice")
    assert (fragment.status_code, fragment.headers["HX-Retarget"]) == (409, "#composer-notice")
    assert body(hello(asked(alice, text="my words"), "alice")) == "hello alice"


LONG = "<p>many words</p>" * 100


@pytest.mark.parametrize(
    ("response", "headers", "is_compressed"),
    [
        (HttpResponse(LONG), {}, True),
        (HttpResponse(LONG), HTMX, False),
        (HttpResponse(LONG, content_type="text/csv"), {}, False),
        (JsonResponse({"a": LONG}), {}, False),
        (StreamingHttpResponse([LONG.encode()]), {}, False),
    ],
    ids=["page", "fragment", "file", "json", "stream"],
)
def test_only_whole_pages_are_compressed(
    response: HttpResponseBase, headers: dict[str, str], is_compressed: bool
) -> None:
    request = RequestFactory().get("/", headers={"Accept-Encoding": "gzip", **headers})
    given = http.PageCompressionMiddleware(lambda request: response).process_response(request, response)
    assert given.has_header("Content-Encoding") == is_compressed
    if is_compressed:
        assert isinstance(given, HttpResponse)
        assert gzip.decompress(given.content).decode() == LONG


def passed(response: HttpResponse) -> HttpResponseBase:
    return http.PrivateMiddleware(lambda request: response).process_response(RequestFactory().get("/"), response)


def test_every_answer_says_what_it_may_do_and_who_may_keep_it() -> None:
    told = dict(passed(HttpResponse()).headers)
    assert "default-src 'none'" in told.pop("Content-Security-Policy")
    assert told.pop("Permissions-Policy").startswith("camera=()")
    assert told == {
        "Content-Type": "text/html; charset=utf-8",
        "Cache-Control": "private, no-store",
        "Cross-Origin-Resource-Policy": "same-origin",
        "X-DNS-Prefetch-Control": "off",
    }


def test_what_an_answer_says_itself_is_left_alone() -> None:
    own = {"Cache-Control": "max-age=60", "Content-Security-Policy": "default-src 'self'"}
    given = passed(HttpResponse(headers=own))
    assert own.items() <= given.headers.items()


@pytest.mark.parametrize(
    ("status", "is_debugged", "is_strict"),
    [(404, True, False), (500, True, False), (200, True, True), (404, False, True)],
)
def test_only_the_pages_that_django_draws_for_developers_have_styles_of_their_own(
    settings: Settings, status: int, is_debugged: bool, is_strict: bool
) -> None:
    settings.DEBUG = is_debugged
    assert passed(HttpResponse(status=status)).has_header("Content-Security-Policy") == is_strict
