"""The bundled model: SmolLM2-135M-Instruct, run on this machine, so that chatting needs no key.

It speaks the same format over HTTP as any other vendor; only its address and key are made when it is started.
"""

from conversations.providers.base import Model, Quirks, Vendor
from conversations.providers.local_process import MODEL_NAME, endpoint, is_installed, is_running, stop
from conversations.providers.local_server import SLOT_TOKENS

__all__ = ["LOCAL", "MODEL_NAME", "endpoint", "is_installed", "is_running", "stop"]

LOCAL = Vendor(
    id="local",
    label="This machine",
    default_base_url="",
    key_env="",
    base_url_env="",
    models_path="",
    # Its server hangs up after every stream without saying so: a request that follows at once would be lost.
    headers=(("Connection", "close"),),
    models=(
        Model(
            id=f"local/{MODEL_NAME}",
            name=MODEL_NAME,
            label="SmolLM2 135M (this machine)",
            description="A very small model that runs on this machine and is often wrong; good for trying things out.",
            dialect="openai_chat",
            streams=True,
            context_window=SLOT_TOKENS,
            # Left alone it may repeat itself until the window is full.
            quirks=Quirks(send_model_field=True, default_max_tokens=1024, stream_usage=True),
        ),
    ),
)
