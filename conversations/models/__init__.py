"""What is stored. Fields, constraints, QuerySets and small properties; no rules, no signals, no network."""

from conversations.models.attachment import Attachment
from conversations.models.budget import Budget, Reservation, Spending
from conversations.models.call import ProviderCall
from conversations.models.connection import Connection, OfferedModel, OwnKey
from conversations.models.conversation import Conversation
from conversations.models.invitation import Invitation
from conversations.models.keeping import Hold, Notices, Retention
from conversations.models.ledger import LedgerEntry, LedgerSum
from conversations.models.library import Preset, Prompt
from conversations.models.message import Message, Part, Piece
from conversations.models.remembered import Remembered
from conversations.models.review import Look
from conversations.models.user import SetupLink, User
from conversations.models.work import Case, Flag, Label, Note, Rating, Rule

__all__ = [
    "Attachment",
    "Budget",
    "Case",
    "Connection",
    "Conversation",
    "Flag",
    "Hold",
    "Invitation",
    "Label",
    "LedgerEntry",
    "LedgerSum",
    "Look",
    "Message",
    "Note",
    "Notices",
    "OfferedModel",
    "OwnKey",
    "Part",
    "Piece",
    "Preset",
    "Prompt",
    "ProviderCall",
    "Rating",
    "Remembered",
    "Reservation",
    "Retention",
    "Rule",
    "SetupLink",
    "Spending",
    "User",
]
