"""Secrets at rest: unreadable without the key and anywhere but in their own row, and sealed anew on demand."""

import base64
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from conversations.models import Connection, OwnKey, User
from conversations.services import connections, keyring, offers
from tests.connected import KEY, connect

OLD, NEW = "an old secret of more than thirty-two characters", "a new secret of more than thirty-two characters"


def test_a_sealed_secret_comes_back_and_shows_nothing_of_itself() -> None:
    token = keyring.seal(KEY, "here")
    assert keyring.unseal(token, "here") == KEY
    for shown in (KEY, base64.b64encode(KEY.encode()).decode().rstrip("="), KEY[::-1]):
        assert shown not in token
    assert keyring.seal(KEY, "here") != token


def test_a_sealed_secret_is_read_only_where_it_belongs() -> None:
    with pytest.raises(keyring.Unreadable):
        keyring.unseal(keyring.seal(KEY, "connection:1:key"), "connection:2:key")


@pytest.mark.parametrize("position", [3, 12, 30, -3])
def test_a_changed_token_is_not_read(position: int) -> None:
    token = keyring.seal(KEY, "here")
    changed = "A" if token[position] != "A" else "B"
    characters = list(token)
    characters[position] = changed
    with pytest.raises(keyring.Unreadable):
        keyring.unseal("".join(characters), "here")


@pytest.mark.parametrize("token", ["x", "v1.x", "v1.00000000.!!", "v2.a.b", KEY, "v1..", "a.b.c.d"])
def test_what_is_no_token_is_not_read(token: str) -> None:
    with pytest.raises(keyring.Unreadable):
        keyring.unseal(token, "here")


def test_another_secret_key_reads_nothing(settings: Settings) -> None:
    token = keyring.seal(KEY, "here")
    settings.SECRET_KEY = OLD
    with pytest.raises(keyring.Unreadable):
        keyring.unseal(token, "here")


def test_the_first_key_seals_and_all_of_them_read(settings: Settings) -> None:
    by_default = keyring.seal(KEY, "here")
    settings.CHATSITE_ENCRYPTION_KEYS = [OLD]
    by_old = keyring.seal(KEY, "here")
    settings.CHATSITE_ENCRYPTION_KEYS = [NEW, OLD]
    assert keyring.unseal(by_old, "here") == keyring.unseal(by_default, "here") == KEY
    assert not keyring.is_current(by_old)
    assert keyring.is_current(keyring.seal(KEY, "here"))


def test_only_the_end_of_a_long_key_is_shown() -> None:
    assert keyring.hint("sk-0123456789abcdefgh") == "efgh"
    assert keyring.hint("short-key") == ""


# Keys in the database


def test_a_key_moved_to_another_row_counts_as_none(db: None) -> None:
    first, second = connect("first"), connect("second", key="another-key-0123456789")
    Connection.objects.filter(pk=second.pk).update(sealed_key=first.sealed_key, sealed_headers=first.sealed_key)
    second.refresh_from_db()
    link = offers.link_of(second)
    assert (link.key, link.headers, link.is_shared) == ("", (), False)
    assert offers.link_of(first).key == KEY


def rotate() -> str:
    out = StringIO()
    call_command("rotate_keys", stdout=out)
    return out.getvalue()


def test_rotation_seals_everything_with_the_newest_key(alice: User, settings: Settings) -> None:
    settings.CHATSITE_ENCRYPTION_KEYS = [OLD]
    connection = connect(headers="X-Gate: header-secret", takes_own_keys=True)
    connections.bring_key(alice, connection, "alices-own-key-987654321")
    settings.CHATSITE_ENCRYPTION_KEYS = [NEW, OLD]
    assert rotate() == "Sealed 3 secrets with the newest key.\n"
    settings.CHATSITE_ENCRYPTION_KEYS = [NEW]
    connection.refresh_from_db()
    own = OwnKey.objects.get()
    link = offers.link_of(connection)
    assert (link.key, link.headers) == (KEY, (("X-Gate", "header-secret"),))
    assert keyring.unseal(own.sealed_key, own.bound_to) == "alices-own-key-987654321"


def test_rotation_names_what_cannot_be_read_and_leaves_it(db: None, settings: Settings) -> None:
    settings.CHATSITE_ENCRYPTION_KEYS = [OLD]
    lost = connect("lost")
    settings.CHATSITE_ENCRYPTION_KEYS = [NEW]
    kept = connect("kept")
    with pytest.raises(CommandError, match=f"1 cannot be read.*connection:{lost.uuid}:key") as caught:
        rotate()
    assert KEY not in str(caught.value)
    before = lost.sealed_key
    lost.refresh_from_db()
    kept.refresh_from_db()
    assert lost.sealed_key == before
    assert offers.link_of(kept).key == KEY
