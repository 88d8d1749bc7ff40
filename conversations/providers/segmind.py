"""Segmind: its name in the path, one model to an address, whole replies, the credits left in a header.

Two header forms are documented, `x-api-key` and a bearer token; every public client of these models sends the first.
None of the three models documents streaming, and none a token limit.
"""

from conversations.providers.base import Model, Vendor

SEGMIND = Vendor(
    id="segmind",
    label="Segmind",
    default_base_url="https://api.segmind.com/v1",
    key_env="SEGMIND_API_KEY",
    base_url_env="SEGMIND_BASE_URL",
    auth="x-api-key",
    path="/{name}",
    models_path="",
    models=(
        Model(
            id="segmind/gemini-2.5-flash",
            name="gemini-2.5-flash",
            label="Gemini 2.5 Flash (Segmind)",
            description="Quick all-round model that sees pictures; answers arrive in one piece.",
            dialect="openai_chat",
            sees_images=True,
            context_window=1_048_576,
        ),
        Model(
            id="segmind/gemini-2-flash-image-generation",
            name="gemini-2-flash-image-generation",
            label="Gemini 2 Flash Image Generation (Segmind)",
            description="Draws pictures and changes them when told how; sees pictures too.",
            dialect="gemini_wrapped",
            sees_images=True,
            draws_images=True,
            context_window=32_768,
        ),
        Model(
            id="segmind/gemini-1.5-pro",
            name="gemini-1.5-pro",
            label="Gemini 1.5 Pro (Segmind)",
            description="Older, thorough model for long texts that sees pictures; answers arrive in one piece.",
            dialect="gemini_wrapped",
            sees_images=True,
            context_window=2_097_152,
        ),
    ),
)
