"""Proofs that nothing is lost, doubled or stuck when things break: real servers, real sockets, real kills.

    site.py       a running set-up as the proofs see it; another set-up is another class with the same methods
    observed.py   the settings of a server under proof: short deadlines, death at a commit, a count of what it holds
    place.py      the reply that is damaged, and the four places where
    bodies.py, heads.py, upstream.py, troubles.py, simulated.py    a provider that breaks in every way
    crash.py, invariants.py       people chat, the server is killed, and what must be true afterwards
    proxy.py, resume.py           connections between browsers and the site break, and streams go on
    repeats.py                    sends are repeated because nobody knows whether they arrived
    fullness.py                   the disk is full
    restarts.py                   the server is asked to end, and begun anew, under load
    comings.py, writers.py        browsers break off by the thousand, fifty people write at once
    clocks.py                     the wall clock jumps
    moves.py                      backups under load, to another database and back
    clustered.py, past_one.py     the same set-up past one process, and the proofs on it
    death.py, stillness.py        dying at a chosen moment; a machine that sleeps
    __main__.py   `make soak`: every proof at full length, as a table

Each proof is a function that takes how long or how often and gives figures; its test runs it small.
"""
