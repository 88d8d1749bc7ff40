"""Other chats, measured with the same load beside ours: each in a virtual environment of its own under .bench/.

- apps/          the smallest app of each; runs there, never imported here
- installed.py   brings a peer from the package index
- peer.py        what this package knows of one: how it is started, how a person writes to it, what arrived
- chainlit.py, gradio.py
- weight.py      a first page in Chromium
- run.py         the measurement of one peer
"""
