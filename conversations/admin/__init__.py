"""The administration: people and invitations, and conversations for reviewers (read-only, every look recorded),
prompts and presets."""

from conversations.admin import (
    cases,
    connections,
    conversations,
    invitations,
    keeping,
    library,
    looks,
    names,
    ratings,
    rules,
    usage,
    users,
)

__all__ = [
    "cases",
    "connections",
    "conversations",
    "invitations",
    "keeping",
    "library",
    "looks",
    "ratings",
    "rules",
    "usage",
    "users",
]

names.give()
