"""What comes back for the address of a picture: its bytes under the type of our own record, or nothing."""

import io
from collections.abc import Mapping
from dataclasses import dataclass

import pytest
from django.core.files.storage import default_storage
from django.http import FileResponse
from django.test import Client
from PIL import Image

from conversations.models import Attachment, User
from conversations.models.attachment import Origin
from conversations.services import attachments, pictures
from conversations.views.attachments import file_response


@pytest.fixture
def stored(alice: User) -> Attachment:
    """A picture without a message, with something transparent: its thumbnail is of another type."""
    file = io.BytesIO()
    Image.new("RGBA", (700, 500), (200, 30, 30, 90)).save(file, "PNG")
    return attachments.store(alice, pictures.vet(file.getvalue()), origin=Origin.UPLOADED, name="a.png")


@dataclass
class Got:
    headers: Mapping[str, str]
    content: bytes


def asked(client: Client, address: str) -> Got:
    response = client.get(address)
    assert isinstance(response, FileResponse)
    return Got(response.headers, response.getvalue())


@pytest.mark.parametrize(
    ("size", "media_type", "suffix", "sides"),
    [("original", "image/png", "png", (700, 500)), ("thumbnail", "image/webp", "webp", (512, 366))],
)
def test_each_size_comes_under_its_own_type_and_can_do_nothing_in_a_browser(
    as_alice: Client, stored: Attachment, size: str, media_type: str, suffix: str, sides: tuple[int, int]
) -> None:
    response = asked(as_alice, f"/attachments/{stored.uuid}/{size}/")
    assert Image.open(io.BytesIO(response.content)).size == sides
    assert response.headers["Content-Type"] == media_type
    assert response.headers["Content-Disposition"] == f'inline; filename="picture-{stored.uuid}.{suffix}"'
    assert response.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert response.headers["Cache-Control"] == "private, max-age=86400, immutable"
    saved = asked(as_alice, f"/attachments/{stored.uuid}/{size}/?download")
    assert saved.headers["Content-Disposition"] == f'attachment; filename="picture-{stored.uuid}.{suffix}"'


def test_a_picture_whose_file_was_lost_is_missing_and_no_error(as_alice: Client, stored: Attachment) -> None:
    default_storage.delete(stored.path)
    assert as_alice.get(f"/attachments/{stored.uuid}/original/").status_code == 404
    assert Image.open(io.BytesIO(asked(as_alice, f"/attachments/{stored.uuid}/thumbnail/").content)).size == (512, 366)


def test_a_picture_in_no_message_is_described_and_one_comes_back_to_the_start(
    as_alice: Client, stored: Attachment
) -> None:
    address = f"/attachments/{stored.uuid}/describe/"
    page, part = as_alice.get(address), as_alice.get(address, headers={"HX-Request": "true"})
    assert (page.status_code, part.status_code) == (200, 200)
    assert (b"<html" in page.content, b"<html" in part.content) == (True, False)
    assert as_alice.post(address, {"alt": "A  red\nboat"}).headers["Location"] == "/"
    assert Attachment.objects.get().alt == "A red boat"


@pytest.mark.parametrize("page", ["original", "thumbnail", "describe"])
def test_strangers_and_people_who_are_not_logged_in_get_nothing(as_bob: Client, stored: Attachment, page: str) -> None:
    address = f"/attachments/{stored.uuid}/{page}/"
    assert as_bob.get(address).status_code == 404
    assert Client().get(address).status_code == 302
    assert as_bob.delete(address).status_code == 405


def test_a_reviewer_is_shown_a_picture_and_does_not_get_it_as_a_file(stored: Attachment) -> None:
    shown = file_response(stored, "original")
    assert shown.headers["Content-Disposition"].startswith("inline")
    shown.close()
