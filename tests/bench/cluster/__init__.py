"""What a set-up past one machine costs: every process of one, on this machine, counted while people send and follow.

- meter.py   what the processes used and PostgreSQL and Redis counted, between two moments
- drive.py   people who send, and any number of followers for each reply
- model.py   costs from measurements, predictions from costs, sizes from predictions; pure
"""
