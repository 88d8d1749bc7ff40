"""Long conversations and long lists, written straight into the database: nobody waits for ten thousand answers."""

import datetime as dt

from django.utils import timezone

from conversations import markup
from conversations.models import Conversation, Message, Part, User
from conversations.models.message import Kind, Role

MODEL = "aimlapi/google/gemini-2.5-flash"
QUESTION = "message {depth}: how do I count the words of a text file, and which of them come most often?"
ANSWER = """message {depth}

Read the file **once** and let a counter do the work:

```python
from collections import Counter
from pathlib import Path

words = Path("text.txt").read_text().split()
for word, times in Counter(words).most_common({depth}):
    print(f"{{times:6}}  {{word}}")
```

- A *word* is here what stands between two spaces; `re.findall` cuts more finely.
- For files larger than memory go line by line. The counter stays small, because it holds each word once.

| size of the file | seconds |
|---|---:|
| 1 MB | 0.1 |
| {depth} MB | {depth} |
"""


def conversation(owner: User, length: int, *, title: str = "A long conversation") -> Conversation:
    """One branch of `length` messages, in turn by the person and by the model; each begins with "message <depth>"."""
    now = timezone.now()
    made = Conversation.objects.create(owner=owner, model=MODEL, title=title, active_at=now)
    messages = Message.objects.bulk_create(
        Message(
            conversation=made,
            depth=depth,
            role=Role.ASSISTANT if depth % 2 else Role.USER,
            model=MODEL if depth % 2 else "",
            output_tokens=200 if depth % 2 else None,
            ended_at=now,
        )
        for depth in range(length)
    )
    Part.objects.bulk_create((_part(message) for message in messages), batch_size=500)
    return made


def conversations(owner: User, count: int, *, apart: dt.timedelta = dt.timedelta(hours=1)) -> list[Conversation]:
    """Empty ones called "talk 0", the newest, to "talk <count - 1>"."""
    now = timezone.now()
    return Conversation.objects.bulk_create(
        [
            Conversation(owner=owner, model=MODEL, title=f"talk {number}", active_at=now - apart * number)
            for number in reversed(range(count))
        ]
    )


def _part(message: Message) -> Part:
    text = (ANSWER if message.is_reply else QUESTION).format(depth=message.depth)
    html = markup.render(text) if message.is_reply else ""
    return Part(message=message, position=0, kind=Kind.TEXT, text=text, html=html, markup_version=markup.VERSION)
