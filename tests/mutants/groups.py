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


HOSTILE = (  # without the loads: they measure work, and take minutes for it
    "test_hostile_text_is_only_text",
    "test_raw_html_can_be_read",
    "test_the_sanitiser_alone_stops_everything",
    "test_a_block_nested_too_deep_is_shown_as_it_was_written",
    "test_nesting_within_the_limit_is_kept",
    "test_emphasis_nested_too_deep_is_shown_as_it_was_written",
    "test_the_parser_stops_where_quotes_look_at_the_same_lines_again_and_again",
    "test_a_table_ends_where_its_cells_would_have_to_be_made_up",
)
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
        (
            *_in("conversations/markup", "__init__", "blocks", "characters", "delimiters", "formulas", "highlighting"),
            *_in("conversations/markup", "limits", "links", "notes", "parser", "rendering", "sanitiser", "tables"),
            *_in("conversations/markup", "writer"),
        ),
        (
            *_in("tests/unit", "test_markup", "test_markup_blocks", "test_markup_bounds", "test_markup_edges"),
            *_in("tests/unit", "test_tables", "test_formulas", "test_formula_converter"),
            *(f"tests/unit/test_markup_hostile.py::{name}" for name in HOSTILE),
        ),
        ("tests/unit/test_markup_bounds.py::test_the_bounds_of_a_text",),
    ),
    Group(
        "upload",
        (
            *_in("conversations/services", "pictures", "picture_child", "attachments", "strays"),
            *_in("conversations/views", "attachments"),
        ),
        (
            *_in("tests/services", "test_pictures", "test_pictures_bounds", "test_pictures_colours", "test_strays"),
            "tests/services/test_pictures_hostile.py",
            *_in("tests/services", "test_pictures_child", "test_pictures_taken_over", "test_attachments"),
            *_in("tests/views", "test_pictures", "test_composer"),
            *_in("tests/unit", "test_webp_kinds"),
        ),
    ),
    Group(
        "outbound",
        _in("conversations/providers", "addresses", "attempts", "call", "connections", "taps", "wire"),
        (
            *_in("tests/wire", "test_addresses", "test_attempts", "test_calls", "test_paced", "test_taps", "test_wire"),
            *_in("tests/wire", "test_retries", "test_endpoints", "test_failures", "test_deadlines"),
            "tests/wire/test_cases_replies.py",
        ),
        ("tests/wire/test_calls.py::test_the_deadlines_where_nobody_sets_others",),
    ),
    Group(
        "replies",
        _in("conversations/services", "replies"),
        _in(
            "tests/services",
            "test_replies",
            "test_continuing",
            "test_columns",
            "test_waiting",
            "test_leases",
            "test_ledger",
            "test_budget_bounds",
        ),
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
