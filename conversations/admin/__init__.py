"""The administration: people, and conversations for reviewers (read-only, every look recorded),
prompts and presets."""

from conversations.admin import conversations, library, looks, names, users

__all__ = ["conversations", "library", "looks", "users"]

names.give()
