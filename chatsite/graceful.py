"""uvicorn, in one process or in several, with an end that breaks no request off."""

import asyncio
import socket
from contextlib import suppress
from typing import Any

import uvicorn
from uvicorn.supervisors import multiprocess

LAST_REQUESTS = 0.5  # seconds
APPLICATION = "chatsite.asgi:application"


class Server(uvicorn.Server):
    """Lets those it has let in ask before it closes their connections: one in twenty sends met that moment.

    Each of these answers is the last one of its connection, so that a proxy does not send another request through it.
    """

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for server in self.servers:
            server.close()
        self.server_state.default_headers = [*self.server_state.default_headers, (b"connection", b"close")]
        await asyncio.sleep(LAST_REQUESTS)
        await super().shutdown(sockets)


class Child(multiprocess.Process):
    """One of several; uvicorn's own would end abruptly."""

    @property
    def server(self) -> uvicorn.Server:
        if self._server is None:
            self._server = Server(self.config)
        return self._server


class Parent(multiprocess.Multiprocess):
    """Begins the children, and lets go of the socket first: connections would wait there that nobody accepts."""

    def terminate_all(self) -> None:
        for one in self.sockets:
            one.close()
        super().terminate_all()


def serve(sockets: list[socket.socket] | None, options: dict[str, Any]) -> bool:
    """Until the process is asked to end; whether it has ever begun."""
    config = uvicorn.Config(APPLICATION, workers=1, **options)
    config.load_app()
    server = Server(config)
    with suppress(KeyboardInterrupt):
        server.run(sockets=sockets)
    return server.started


def serve_in_several(number: int, options: dict[str, Any]) -> None:
    config = uvicorn.Config(APPLICATION, workers=number, **options)
    multiprocess.Process = Child  # type: ignore[misc] # it has no other place to name the class
    Parent(config, [config.bind_socket()]).run()
