"""The administration: people, and conversations for reviewers (read-only, every look recorded)."""

from conversations.admin import conversations, looks, users

__all__ = ["conversations", "looks", "users"]
