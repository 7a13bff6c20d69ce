"""What the host may ask of the guest, and what the guest answers."""

import asyncio
import json
import os
import traceback

from api_socket import ApiSocket
from bridge import Bridge
from configuration import ConfigurationError, apply_configuration
from console import say
from exchange import Exchange
from frames import CONFIGURE, CREDIT, DATA, END, HALT, HALTED, HELLO, OPEN, RESET, WAKE, encode
from link import Link
from power import power_off, unmount_all
from programs import Programs
from runtime import runtime_name
from wake import wake

PROTOCOL = "3.0.0"
HTTP_PORT = 8080
MAX_STREAMS = 1_024
MAX_TRACEBACK_CHARACTERS = 20_000


class Agent:
    def __init__(self, port: int) -> None:
        self._streams = {}
        self._is_awake = False
        self._boot_id = os.urandom(16).hex()
        self._configured = None
        self._is_configuring = False
        self._port = port
        self._programs = Programs()
        self._halted = asyncio.Event()
        self._tasks = set()

    async def run(self) -> None:
        await self._programs.prepare()
        # Nothing is read from the host before: its WAKE is answered by a machine that can be configured.
        self._link = Link(self._port, self._on_preamble, self._on_frame, self._lose_streams)
        self._api = ApiSocket(self._link, self._streams)
        await self._api.listen()
        say("ready")
        self._link.greet(self._hello())
        await self._halted.wait()

    def _hello(self, nonce=None) -> bytes:
        hello = {
            "protocol": PROTOCOL,
            "runtime": runtime_name(),
            "bootId": self._boot_id,
            "configured": self._configured,
            **({} if nonce is None else {"id": nonce}),
        }
        return encode(HELLO, 0, json.dumps(hello).encode())

    def _on_preamble(self) -> None:
        """A new connection of the host: nothing of it counts before it woke the machine."""
        self._is_awake = False
        self._lose_streams()

    def _lose_streams(self) -> None:
        for stream in list(self._streams.values()):
            stream.take_reset()
        self._streams.clear()

    def _on_frame(self, kind: int, stream: int, payload: bytes) -> None:
        if kind == WAKE:
            self._wake(payload)
        elif not self._is_awake:
            say(f"a frame of type {kind} before WAKE is left out")
        elif kind == CONFIGURE:
            self._accept(stream, Exchange(self._link, stream, self._configure, self._forget(stream)))
        elif kind == OPEN:
            self._open(stream, payload)
        elif kind == HALT:
            self._start(self._halt())
        else:
            self._pass_on(kind, stream, payload)

    def _wake(self, payload: bytes) -> None:
        self._lose_streams()
        request = json.loads(payload)
        wake(bytes.fromhex(request["entropyHex"]), int(request["timeMicros"]))
        if self._configured is None:
            # Resumed copies of one machine have been the same until now.
            self._boot_id = os.urandom(16).hex()
        self._is_awake = True
        self._link.greet(self._hello(request.get("id")))

    def _pass_on(self, kind: int, stream: int, payload: bytes) -> None:
        target = self._streams.get(stream)
        if target is None:
            return  # it has ended on this side while the frame was on its way
        if kind == DATA:
            target.take(payload)
        elif kind == END:
            target.take_end()
        elif kind == RESET:
            target.take_reset()
        elif kind == CREDIT and len(payload) == 4:
            target.take_credit(int.from_bytes(payload, "big"))

    def _accept(self, stream: int, target) -> bool:
        if stream in self._streams or stream % 2 == 0 or len(self._streams) >= MAX_STREAMS:
            self._link.send(RESET, stream, b"this stream cannot be opened: it is open, even, or one too many")
            return False
        self._streams[stream] = target
        return True

    def _forget(self, stream: int):
        return lambda: self._streams.pop(stream, None)

    def _open(self, stream: int, payload: bytes) -> None:
        target = json.loads(payload).get("to")
        if target == "event":
            self._accept(stream, Exchange(self._link, stream, self._deliver, self._forget(stream)))
        elif target == "http":
            bridge = Bridge(self._link, stream, self._forget(stream))
            if self._accept(stream, bridge):
                self._start(self._connect(bridge))
        else:
            self._link.send(RESET, stream, f"nothing called {target!r} can be reached here".encode())

    async def _connect(self, bridge: Bridge) -> None:
        try:
            loop = asyncio.get_running_loop()
            await loop.create_connection(lambda: bridge, "127.0.0.1", HTTP_PORT)
        except OSError:
            bridge.reset(self._programs.why_unreachable())

    def _configure(self, configuration, exchange: Exchange) -> None:
        self._start(self._answer_configuration(configuration, exchange))

    async def _answer_configuration(self, configuration, exchange: Exchange) -> None:
        if self._configured is not None or self._is_configuring:
            error = "this machine is configured already"
            exchange.answer({"success": False, "error": error, "traceback": ""})
            return
        self._is_configuring = True
        try:
            await apply_configuration(configuration, self._programs)
            self._configured = configuration["vmHash"]
            exchange.answer({"success": True})
        except ConfigurationError as error:
            exchange.answer(failure(str(error), error.traceback))
        except Exception as error:  # whatever a stranger's configuration provokes is told, and ends nothing
            exchange.answer(failure(f"{type(error).__name__}: {error}", traceback.format_exc()))
        finally:
            self._is_configuring = False

    def _deliver(self, event, exchange: Exchange) -> None:
        async def deliver() -> None:
            exchange.answer(await self._programs.deliver(event))

        self._start(deliver())

    async def _halt(self) -> None:
        say("the host ends this machine")
        await self._programs.stop()
        self._api.close()
        self._lose_streams()
        unmount_all()
        self._link.send(HALTED, 0)
        try:
            await asyncio.wait_for(self._link.drained(), 2)
        except asyncio.TimeoutError:
            pass  # whoever asked has gone; the machine ends all the same
        power_off()

    def _start(self, work) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def failure(error: str, trace: str):
    return {"success": False, "error": error[:2_000], "traceback": trace[-MAX_TRACEBACK_CHARACTERS:]}
