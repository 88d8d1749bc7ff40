"""A mail server that keeps the letters of whoever knows the password; it can refuse, and say what it was given."""

import base64
import socketserver
import threading
from typing import Self


class Letterbox(socketserver.ThreadingTCPServer):
    """On a port of its own on loopback. `refuses`: it repeats what it was given, as some servers do."""

    daemon_threads = True

    def __init__(self, password: str) -> None:
        super().__init__(("127.0.0.1", 0), Visit)
        self.password, self.refuses = password, False
        self.letters: list[str] = []

    @property
    def url(self) -> str:
        return f"smtp://postman:{self.password}@127.0.0.1:{self.server_address[1]}"

    def __enter__(self) -> Self:
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_exc: object) -> None:
        self.shutdown()
        self.server_close()


class Visit(socketserver.StreamRequestHandler):
    server: Letterbox

    def handle(self) -> None:
        self._say("220 ready")
        while line := self.rfile.readline().decode().strip():
            word, _, rest = line.partition(" ")
            match word.upper():
                case "EHLO":
                    self._say("250-here\r\n250-8BITMIME\r\n250 AUTH PLAIN")
                case "AUTH":
                    self._let_in(rest.removeprefix("PLAIN "))
                case "DATA":
                    self._take()
                case "QUIT":
                    self._say("221 bye")
                    return
                case _:
                    self._say("250 yes")

    def _let_in(self, given: str) -> None:
        name, password = base64.b64decode(given).decode().strip("\0").split("\0")
        if self.server.refuses or password != self.server.password:
            self._say(f"535 refused: {given} is not {name}, {password} is wrong")
        else:
            self._say("235 come in")

    def _take(self) -> None:
        self._say("354 go on")
        lines: list[str] = []
        while (line := self.rfile.readline().decode().rstrip("\r\n")) != ".":
            lines.append(line)
        self.server.letters.append("\n".join(lines))
        self._say("250 kept")

    def _say(self, words: str) -> None:
        self.wfile.write(f"{words}\r\n".encode())
