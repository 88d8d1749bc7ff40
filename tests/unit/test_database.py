"""What DATABASE_URL may say."""

from pathlib import Path

import pytest

from chatsite import database


def test_the_default_is_a_file_in_the_data_folder(tmp_path: Path) -> None:
    entry = database.configured("", tmp_path)
    assert (entry["ENGINE"], entry["NAME"]) == ("chatsite.sqlite", str(tmp_path / "chatsite.sqlite3"))


def test_postgresql_is_named_with_its_options() -> None:
    entry = database.configured("postgres://me:p%40ss@db.example:5433/chat?sslmode=require", Path("."))
    assert entry["ENGINE"] == "django.db.backends.postgresql"
    found = [entry[name] for name in ("USER", "PASSWORD", "HOST", "PORT", "NAME")]
    assert found == ["me", "p@ss", "db.example", 5433, "chat"]
    assert entry["OPTIONS"]["sslmode"] == "require"


@pytest.mark.parametrize("url", ["mysql://me@db/chat", "nonsense", "postgres://", "postgres://me@db/"])
def test_anything_else_ends_the_start_with_a_sentence(url: str) -> None:
    with pytest.raises(SystemExit, match="DATABASE_URL must be sqlite"):
        database.configured(url, Path("."))
