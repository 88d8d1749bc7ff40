"""Settings from the environment: typed, from files too, and wrong ones end the start with one sentence."""

from pathlib import Path

import pytest

from chatsite import env


def test_a_value_may_come_from_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "key").write_text("from the file\n")
    monkeypatch.setenv("SOME_KEY_FILE", str(tmp_path / "key"))
    assert env.text("SOME_KEY") == "from the file"


def test_a_value_given_twice_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SOME_KEY", "one")
    monkeypatch.setenv("SOME_KEY_FILE", str(tmp_path / "key"))
    with pytest.raises(SystemExit, match="SOME_KEY and SOME_KEY_FILE are both set"):
        env.text("SOME_KEY")


def test_a_missing_file_is_named_without_its_path(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SOME_KEY_FILE", str(tmp_path / "missing"))
    with pytest.raises(SystemExit, match="SOME_KEY_FILE names a file that cannot be read: FileNotFoundError"):
        env.text("SOME_KEY")


@pytest.mark.parametrize(("value", "expected"), [("true", True), ("1", True), ("off", False), ("", False)])
def test_flags(monkeypatch: pytest.MonkeyPatch, value: str, expected: bool) -> None:
    monkeypatch.setenv("SOME_FLAG", value)
    assert env.flag("SOME_FLAG", default=not expected) is expected


@pytest.mark.parametrize(
    ("reader", "value", "sentence"),
    [
        (lambda: env.flag("SOME", default=True), "maybe", "SOME must be true or false"),
        (lambda: env.number("SOME", 1), "many", "SOME must be a whole number"),
        (lambda: env.number("SOME", 5, minimum=2), "1", "SOME must be at least 2"),
        (lambda: env.choice("SOME", ("closed", "open")), "ajar", "SOME must be one of: closed, open"),
    ],
)
def test_wrong_values_end_the_start_with_a_sentence(
    monkeypatch: pytest.MonkeyPatch, reader: object, value: str, sentence: str
) -> None:
    monkeypatch.setenv("SOME", value)
    with pytest.raises(SystemExit, match=sentence):
        reader()  # type: ignore[operator]


def test_a_secret_is_made_once_and_kept_private(tmp_path: Path) -> None:
    first = env.secret_kept_in(tmp_path / "secret")
    assert env.secret_kept_in(tmp_path / "secret") == first
    assert len(first) >= 50
    assert (tmp_path / "secret").stat().st_mode & 0o777 == 0o600
