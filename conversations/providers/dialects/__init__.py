"""Wire formats. `BODIES` is the registry of request forms; how a reply reads is detected from the reply itself."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from conversations.providers.base import DialectName, Model
from conversations.providers.dialects import gemini, openai_chat
from conversations.providers.turns import ChatRequest, Json

BODIES: Mapping[DialectName, Callable[[Model, ChatRequest], Json]] = MappingProxyType(
    {"openai_chat": openai_chat.body, "gemini_wrapped": gemini.wrapped_body, "gemini": gemini.body}
)
