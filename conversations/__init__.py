"""Conversations with language models. The map: the eight stops of a message, one line per file.

1. views/messages.py          takes the form: text, pictures, model, idempotency key
2. services/messages.py       stores the message, its pictures and a PENDING reply in one transaction, or lets it wait
3. generation/engine.py       begins the reply at a desk, or lets it wait visibly; reader.py reads all streams
4. generation/answer.py       claims the reply and drives one call: history -> provider -> recorder -> end
5. services/history.py        turns stored rows into a request; providers/ makes bytes of that and events of the reply
6. generation/recorder.py     writes what arrived (one statement for all running replies), then publishes it
7. generation/log.py          what followers can see of a running reply; views/stream.py sends it to browsers
   generation/relay/          the same across processes: Celery workers, logs through Redis
8. services/replies.py        the only place where a reply changes its status: claim, finish, stop, sweep
"""
