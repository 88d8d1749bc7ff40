"""The smallest Gradio chat that streams a model's reply, as its documentation writes one. Runs beside it only.

By default it serves one person at a time, and functions that are not asynchronous forty; this one has no limit.
"""

from collections.abc import AsyncIterator

import gradio
from openai import AsyncOpenAI

client = AsyncOpenAI()  # OPENAI_BASE_URL and OPENAI_API_KEY


async def answer(message: str, history: list[dict[str, str]]) -> AsyncIterator[str]:
    turns = [*history, {"role": "user", "content": message}]
    stream = await client.chat.completions.create(model="m", stream=True, messages=turns)
    text = ""
    async for chunk in stream:
        if token := chunk.choices[0].delta.content:
            text += token
            yield text


if __name__ == "__main__":
    gradio.ChatInterface(answer, api_name="chat", concurrency_limit=None).launch()
