"""Reading replies. The format of a reply is detected, never configured: one tolerant reader serves every provider.

decoder.py      bytes in, events out: the only thing others need
bodies.py       the forms of a body: event stream, JSON array, JSON value, picture, text, error
framing.py      lines, server-sent events and array elements over raw bytes
reader.py       which shape a JSON value has: chat.py, gemini.py, or an object with one telling member
collector.py    what the reply has brought so far, and the verdict at its end (outcomes.py)
prose.py        whole characters, pictures cut out of text; pictures.py, base64 and links
tally.py        tokens, cost and credits
failures.py     status and error body to an error; waits.py, how long to wait; censor.py, without keys
"""
