"""The administration: people and invitations, and conversations for reviewers (read-only, every look recorded),
prompts and presets."""

from conversations.admin import conversations, invitations, library, looks, names, users

__all__ = ["conversations", "invitations", "library", "looks", "users"]

names.give()
