"""AI/ML API: chat completions, streamed.

Its documentation named a default limit of 512 tokens, which hidden reasoning alone can use up: a limit is always sent.
"""

from conversations.providers.base import COMMON_IMAGE_TYPES, Model, Quirks, Vendor

AIMLAPI = Vendor(
    id="aimlapi",
    label="AI/ML API",
    default_base_url="https://api.aimlapi.com/v1",
    key_env="AIMLAPI_API_KEY",
    base_url_env="AIMLAPI_BASE_URL",
    models=(
        Model(
            id="aimlapi/google/gemini-2.5-flash",
            name="google/gemini-2.5-flash",
            label="Gemini 2.5 Flash (AI/ML API)",
            description="Quick all-round model that sees pictures; answers appear as they are written.",
            dialect="openai_chat",
            sees_images=True,
            streams=True,
            context_window=1_048_576,
            quirks=Quirks(
                send_model_field=True,
                default_max_tokens=8192,
                stream_usage=True,
                image_types=(*COMMON_IMAGE_TYPES, "image/gif"),
            ),
        ),
    ),
)
