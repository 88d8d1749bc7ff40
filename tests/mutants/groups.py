"""Which files are broken, and which tests must notice."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Group:
    """`always`: tests for changes of what is loaded once, beside those that run through a use of it."""

    name: str
    files: tuple[str, ...]
    tests: tuple[str, ...]
    always: tuple[str, ...] = ()


def _in(folder: str, *names: str) -> tuple[str, ...]:
    return tuple(f"{folder}/{name}.py" for name in names)


MARKUP = ("blocks", "delimiters", "formulas", "highlighting", "limits", "links", "notes", "parser", "rendering")
GROUPS = (
    Group(
        "permissions",
        (
            *_in("conversations/models", "attachment", "conversation", "library"),
            *_in("conversations/services", "roles"),
            *_in("conversations/views", "http"),
            *_in("conversations/admin", "hidden", "reviewing"),
        ),
        (
            *_in("tests/services", "test_nobody", "test_library", "test_people", "test_roles", "test_conversations"),
            *_in("tests/views", "test_guard", "test_list", "test_library", "test_admin", "test_reasons"),
            *_in("tests/views", "test_leaving", "test_everyone"),
        ),
        _in("tests/architecture", "test_migrations"),
    ),
    Group(
        "renderer",
        _in("conversations/markup", *MARKUP, "sanitiser", "tables", "writer"),
        _in("tests/unit", "test_markup", "test_markup_blocks", "test_formulas", "test_markup_hostile"),
    ),
    Group(
        "upload",
        (
            *_in("conversations/services", "pictures", "picture_child", "attachments", "strays"),
            *_in("conversations/views", "attachments"),
        ),
        (
            *_in("tests/services", "test_pictures", "test_pictures_colours", "test_pictures_hostile", "test_strays"),
            *_in("tests/services", "test_pictures_child", "test_pictures_taken_over", "test_attachments"),
            *_in("tests/views", "test_pictures", "test_composer"),
        ),
    ),
    Group(
        "outbound",
        _in("conversations/providers", "addresses", "attempts", "call", "connections", "taps", "wire"),
        (
            *_in("tests/wire", "test_addresses", "test_taps", "test_wire", "test_retries", "test_endpoints"),
            *_in("tests/wire", "test_failures", "test_deadlines", "test_cases_replies"),
        ),
    ),
    Group(
        "replies",
        _in("conversations/services", "replies"),
        _in("tests/services", "test_replies", "test_continuing", "test_columns", "test_waiting", "test_leases"),
    ),
    Group(
        "imports",
        _in("conversations/backup", "archive", "restoring", "rows"),
        (
            *_in("tests/unit", "test_backup_archive"),
            *_in("tests/services", "test_backup_rows", "test_restoring", "test_backup"),
        ),
    ),
)
