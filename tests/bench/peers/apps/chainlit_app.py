"""The smallest Chainlit app that streams a model's reply, as its documentation writes one. Runs beside it only."""

import chainlit as cl
from openai import AsyncOpenAI

client = AsyncOpenAI()  # OPENAI_BASE_URL and OPENAI_API_KEY


@cl.on_message
async def on_message(message: cl.Message) -> None:
    reply = cl.Message(content="")
    turns = [{"role": "user", "content": message.content}]
    stream = await client.chat.completions.create(model="m", stream=True, messages=turns)
    async for chunk in stream:
        if token := chunk.choices[0].delta.content:
            await reply.stream_token(token)
    await reply.update()
