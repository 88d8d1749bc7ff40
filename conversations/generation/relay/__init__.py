"""Past one process: the logs of replies travel from workers to web processes through Redis, the work through Celery.

- engine.py     in every process: hands a reply to whichever worker takes it, and tells when nobody waits any more
- tasks.py      in workers: answers one reply with the same engine that a single server has; the scheduled work
- worker.py     in workers: begins and ends with the process; closes the calls of replies that were ended elsewhere
- publisher.py  in workers: one thread sends what has changed in all logs, one pipeline at a time
- mirror.py     in web processes: one thread reads the logs that somebody here follows
- entries.py    what a log's stream holds; pure
- streams.py    Redis: how long to wait for it, what is called how

The database stays the truth. Without Redis nothing is lost: browsers see what is stored, once a second.
"""
