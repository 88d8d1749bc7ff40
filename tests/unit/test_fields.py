"""Small forms are read as Django reads them, only at once."""

import io

import pytest
from django.core.exceptions import TooManyFilesSent
from django.core.handlers.asgi import ASGIRequest
from django.http.multipartparser import MultiPartParserError
from pytest_django import Settings

from chatsite import fields
from chatsite.fields import Request

BOUNDARY = "----WebKitFormBoundary7MA4YWxkTrZu0gW"


def part(name: str, text: bytes, more: str = "") -> bytes:
    return f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"{more}\r\n\r\n'.encode() + text + b"\r\n"


def body(*parts: bytes, end: bytes = b"--\r\n") -> bytes:
    return b"".join(parts) + b"--" + BOUNDARY.encode() + end


NO_FILE = part("images", b"", '; filename=""\r\nContent-Type: application/octet-stream')
COMPOSER = body(part("text", "Grüße\r\n\r\n--wie geht's?".encode()), part("key", b"0a1b"), NO_FILE, part("model", b""))
BODIES = {
    "the composer's": COMPOSER,
    "a name twice": body(part("compare", b"a"), part("compare", b"b"), part("text", b"t")),
    "bytes that are no text": body(part("text", b"\xff\xfe\x00")),
    "no line end behind the last boundary": body(part("text", b"t"), end=b"--"),
    "nothing": body(),
    "a text with the boundary's beginning": body(part("text", b"\r\n--" + BOUNDARY[:-1].encode())),
    "a file": body(part("text", b"t"), part("images", b"\x89PNG", '; filename="a.png"\r\nContent-Type: image/png')),
    "a file without a name": body(part("images", b"x", '; filename=""\r\nContent-Type: application/octet-stream')),
    "a coded text": body(part("text", b"dA==", "\r\nContent-Transfer-Encoding: base64")),
    "a name in other letters": body(part('te\\"xt', b"t"), part(" text ", b"u"), part("Größe", b"v")),
    "what stands in front": b"preamble\r\n" + body(part("text", b"t")),
    "a part that is cut": body(part("text", b"t"))[:-20],
    "line ends of another kind": body(part("text", b"t")).replace(b"\r\n", b"\n"),
    "too many files": body(*[part("images", b"x", '; filename="a.png"')] * 17),
}


def request_of(kind: type[ASGIRequest], sent: bytes, content_type: str = "") -> ASGIRequest:
    headers = [
        (b"content-type", (content_type or f"multipart/form-data; boundary={BOUNDARY}").encode()),
        (b"content-length", str(len(sent)).encode()),
    ]
    return kind({"type": "http", "method": "POST", "path": "/", "headers": headers}, io.BytesIO(sent))


def read_by(kind: type[ASGIRequest], sent: bytes, content_type: str = "") -> object:
    request = request_of(kind, sent, content_type)
    try:
        post = request.POST
    except (MultiPartParserError, TooManyFilesSent) as error:
        return type(error)
    files = [(name, [one.read() for one in request.FILES.getlist(name)]) for name in request.FILES]
    return list(post.lists()), files


@pytest.mark.parametrize("sent", BODIES.values(), ids=BODIES.keys())
def test_a_form_is_read_as_django_reads_it(sent: bytes) -> None:
    assert read_by(Request, sent) == read_by(ASGIRequest, sent)


@pytest.mark.parametrize(
    "content_type",
    [
        f"multipart/form-data; boundary={BOUNDARY}; charset=latin-1",
        f'multipart/form-data; boundary="{BOUNDARY}"',
        "multipart/form-data; boundary=another",
        "multipart/form-data; boundary=",
        "multipart/form-data",
        "application/x-www-form-urlencoded",
    ],
)
def test_however_it_is_announced(content_type: str) -> None:
    assert read_by(Request, COMPOSER, content_type) == read_by(ASGIRequest, COMPOSER, content_type)


def test_the_form_of_the_composer_is_read_at_once() -> None:
    found = fields.read(COMPOSER, BOUNDARY)
    assert found == [("text", "Grüße\r\n\r\n--wie geht's?"), ("key", "0a1b"), ("images", ""), ("model", "")]


def test_more_fields_than_are_allowed_are_left_to_django(settings: Settings) -> None:
    settings.DATA_UPLOAD_MAX_NUMBER_FIELDS = 2
    assert fields.read(COMPOSER, BOUNDARY) is None


def test_a_form_can_be_read_again_from_the_body() -> None:
    request = request_of(Request, COMPOSER)
    assert request.body == COMPOSER
    assert request.POST["key"] == "0a1b"
    assert request.POST._mutable is False
