"""The administration: people and invitations, and conversations for reviewers (read-only, every look recorded),
prompts and presets."""

from conversations.admin import conversations, invitations, library, looks, names, ratings, users

__all__ = ["conversations", "invitations", "library", "looks", "ratings", "users"]

names.give()
