"""The socket by which programs reach the guest API on the host. Its path is that of the reference's runtimes."""

import asyncio
import json
import os

from bridge import Bridge
from frames import OPEN

SOCKET_PATH = "/tmp/socat-socket"
MAX_STREAMS = 256


class ApiSocket:
    def __init__(self, link, streams) -> None:
        self._link = link
        self._streams = streams
        self._next = 2
        self._server = None

    async def listen(self) -> None:
        if os.path.lexists(SOCKET_PATH):
            os.unlink(SOCKET_PATH)
        loop = asyncio.get_running_loop()
        self._server = await loop.create_unix_server(self._make_bridge, SOCKET_PATH)
        os.chmod(SOCKET_PATH, 0o666)

    def close(self) -> None:
        if self._server is not None:
            self._server.close()

    def _make_bridge(self) -> Bridge:
        stream = self._take_number()
        bridge = Bridge(self._link, stream, lambda: self._streams.pop(stream, None))
        if sum(1 for number in self._streams if number % 2 == 0) >= MAX_STREAMS:
            bridge.take_reset()
            return bridge
        self._streams[stream] = bridge
        self._link.send(OPEN, stream, json.dumps({"to": "api"}).encode())
        return bridge

    def _take_number(self) -> int:
        while self._next in self._streams:
            self._next = self._next + 2 if self._next < 0xFFFF_FFF0 else 2
        number = self._next
        self._next = number + 2 if number < 0xFFFF_FFF0 else 2
        return number
