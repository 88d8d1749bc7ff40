"""Files of pictures that nothing names, as a kill before the commit of their row leaves them: only these go."""

import datetime as dt
import io
import logging
import sys
import threading
import traceback
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
import time_machine
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import call_command
from django.db import connection, transaction
from django.utils import timezone
from pytest_django import Settings

from conversations.generation.engine import Pool
from conversations.generation.sweeper import Sweeper
from conversations.models import Attachment, User
from conversations.models.attachment import Origin
from conversations.services import attachments, pictures, strays
from conversations.services.pictures import Picture
from tests.cluster.processes import Bucket
from tests.services.photographs import photograph
from tests.serving import until


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bucket]:
    bucket = Bucket(tmp_path_factory.mktemp("store"))
    bucket.start()
    try:
        yield bucket
    finally:
        bucket.kill()


@pytest.fixture(params=["files", "bucket"])
def anywhere(request: pytest.FixtureRequest, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pictures are kept in a folder, then in an S3-compatible store."""
    if request.param == "bucket":
        from chatsite import bucket

        named = request.getfixturevalue("store").settings
        for name, value in named.items():
            monkeypatch.setenv(name, value)
        settings.STORAGES = settings.STORAGES | {"default": bucket.configured(named["S3_BUCKET"])}
        for name, _ in default_storage.listed("", 1000):  # type: ignore[attr-defined]
            default_storage.delete(name)


@pytest.fixture(scope="module")
def boat() -> Picture:
    return pictures.vet(photograph(60, 40))


@pytest.fixture(scope="module")
def house() -> Picture:
    return pictures.vet(photograph(60, 40, seed=1))


class Killed(BaseException):
    pass


def store_and_be_killed(owner: User, picture: Picture) -> list[str]:
    """The files it leaves behind."""
    with suppress(Killed), transaction.atomic():
        attachment = attachments.store(owner, picture, origin=Origin.UPLOADED)
        raise Killed
    assert not Attachment.objects.filter(pk=attachment.pk).exists()
    return [attachment.path, attachment.thumbnail_path]


def a_day_later() -> time_machine.travel:
    return time_machine.travel(timezone.now() + dt.timedelta(hours=25))


def are_there(names: list[str]) -> list[bool]:
    return [default_storage.exists(name) for name in names]


@pytest.mark.usefixtures("anywhere")
def test_what_nothing_names_is_removed_after_a_day_and_what_a_row_names_stays(
    alice: User, boat: Picture, house: Picture
) -> None:
    lost = store_and_be_killed(alice, boat)
    kept = attachments.store(alice, house, origin=Origin.UPLOADED)
    assert strays.sweep(pages=9) == (0, "")
    assert are_there(lost) == [True, True]
    with a_day_later():
        assert sorted(strays.every()) == sorted(lost)
        assert strays.sweep(pages=9) == (2, "")
        assert list(strays.every()) == []
    assert are_there(lost) == [False, False]
    assert are_there([kept.path, kept.thumbnail_path]) == [True, True]
    assert kept.read() == house.data


def test_a_file_of_a_day_less_a_minute_stays(alice: User, boat: Picture) -> None:
    lost = store_and_be_killed(alice, boat)
    with time_machine.travel(timezone.now() + dt.timedelta(hours=24, minutes=-1)):
        assert strays.sweep(pages=9) == (0, "")
    assert are_there(lost) == [True, True]


def test_a_file_of_a_day_and_some_seconds_goes(alice: User, boat: Picture) -> None:
    lost = store_and_be_killed(alice, boat)
    with time_machine.travel(timezone.now() + dt.timedelta(hours=24, seconds=5)):
        assert strays.sweep(pages=9) == (2, "")
    assert are_there(lost) == [False, False]


@pytest.mark.usefixtures("anywhere")
def test_files_are_listed_in_the_order_of_their_names_from_anywhere_on() -> None:
    names = [f"{digest[:2]}/{digest}.png" for digest in (f"{number:02x}" * 32 for number in (3, 200, 17, 18))]
    for name in names:
        default_storage.save(name, ContentFile(b"x"))

    def listed(after: str, most: int) -> list[str]:
        return [name for name, _ in default_storage.listed(after, most)]  # type: ignore[attr-defined]

    first, second, third, fourth = sorted(names)
    assert listed("", 9) == [first, second, third, fourth]
    assert listed("", 2) == [first, second]
    assert listed(second, 2) == [third, fourth]
    assert listed("12", 1) == [third]
    assert listed(fourth, 2) == []


@pytest.mark.usefixtures("db")
def test_an_installation_without_pictures_has_nothing_to_look_at(settings: Settings, tmp_path: Path) -> None:
    default = settings.STORAGES["default"] | {"OPTIONS": {"location": tmp_path / "none"}}
    settings.STORAGES = settings.STORAGES | {"default": default}
    assert strays.sweep(pages=9) == (0, "")


@pytest.mark.parametrize(
    "name",
    [
        "ab/notes.txt",
        f"ab/{'cd' * 32}.png",
        f"ab/.part-{'ab' * 32}.png",
        f"ab/{'ab' * 32}.png.old",
        f"ab/{'ab' * 31}.png",
        f"zz/{'zz' * 32}.png",
        f"ab/{'ab' * 32}.svg",
    ],
)
@pytest.mark.usefixtures("db")
def test_files_of_others_are_left_alone(name: str) -> None:
    default_storage.save(name, ContentFile(b"not ours"))
    with a_day_later():
        assert strays.sweep(pages=9) == (0, "")
    assert default_storage.exists(name)


def scatter(count: int) -> None:
    for number in range(count):
        digest = f"{number * 40:04x}".ljust(64, "0")
        path = Path(default_storage.path(f"{digest[:2]}/{digest}.png"))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def left() -> int:
    return len(default_storage.listed("", 10_000))  # type: ignore[attr-defined]


@pytest.mark.usefixtures("db")
def test_a_step_looks_at_a_bounded_number_of_files_and_the_next_one_goes_on_behind_them() -> None:
    scatter(1203)
    with a_day_later():
        removed, after = strays.sweep(pages=2)
        assert (removed, left()) == (1000, 203)
        removed, after = strays.sweep(after, pages=1)
        assert (removed, left()) == (203, 0)
        assert strays.sweep(after, pages=1) == (0, "")


@pytest.mark.usefixtures("db")
def test_all_of_them_are_named_however_many_there_are() -> None:
    scatter(501)
    with a_day_later():
        assert len(set(strays.every())) == 501
    assert left() == 501


@pytest.mark.usefixtures("db")
def test_the_sweeper_comes_round_to_every_file_and_says_how_many_it_removed(caplog: pytest.LogCaptureFixture) -> None:
    scatter(30)
    sweeper = Sweeper(Pool(limit=1), is_alone=False)
    with a_day_later(), caplog.at_level(logging.WARNING):
        for _ in range(2):  # it begins somewhere
            sweeper.tidy()
        assert left() == 0
        sweeper.tidy()
    said = [record.args[0] for record in caplog.records if isinstance(record.args, tuple) and record.args]
    assert sum(count for count in said if isinstance(count, int)) == 30


def test_the_command_names_them_and_removes_them_only_if_it_may(alice: User, boat: Picture, house: Picture) -> None:
    lost = store_and_be_killed(alice, boat)
    kept = attachments.store(alice, house, origin=Origin.UPLOADED)

    def said(*arguments: str) -> list[str]:
        out = io.StringIO()
        with a_day_later():
            call_command("tidy_pictures", *arguments, stdout=out)
        return out.getvalue().splitlines()

    assert said("--dry-run") == [*sorted(lost), "Nothing was removed."]
    assert are_there(lost) == [True, True]
    assert said() == ["Files removed: 2"]
    assert said() == ["Files removed: 0"]
    assert are_there([*lost, kept.path]) == [False, False, True]


def is_held_up(thread: threading.Thread) -> bool:
    """Whether it stands where SQLite lets one writer in at a time, or PostgreSQL one that removes files."""
    frame = sys._current_frames().get(thread.ident or 0)
    names = {found.f_code.co_name for found, _line in traceback.walk_stack(frame)} if frame else set()
    return bool(names & {"_start_transaction_under_autocommit", "_hold_files"})


@pytest.mark.django_db(transaction=True)
def test_an_upload_under_way_keeps_the_file_that_it_is_about_to_name(alice: User, boat: Picture) -> None:
    """A picture is sent again whose file an earlier kill has left: its row is not committed while the sweep looks."""
    lost = store_and_be_killed(alice, boat)

    def sweep() -> None:
        try:
            removed.append(strays.sweep(pages=9)[0])
        finally:
            connection.close()

    removed: list[int] = []
    sweeping = threading.Thread(target=sweep)
    with a_day_later(), transaction.atomic():
        attachment = attachments.store(alice, boat, origin=Origin.UPLOADED)
        sweeping.start()
        until(lambda: is_held_up(sweeping) or not sweeping.is_alive(), "a wait for the upload", 60)
    sweeping.join(60)
    assert removed == [0]
    assert are_there(lost) == [True, True]
    assert attachment.read() == boat.data
