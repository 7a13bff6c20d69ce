"""The interpreter in which an application will run: started before it is known which, with what all of them import."""

import asyncio
import base64
import json
import os
import signal
import socket
import sys

from configuration import ConfigurationError
from console import say
from processes import signal_group, spawn

ZYGOTE_FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "zygote")
READY_SECONDS = 120
#: The start of the application's own lifespan has 30 s, which its imports come before.
START_SECONDS = 120
EVENT_SECONDS = 300
MAX_LINE_BYTES = 16_777_216


class ZygoteProcess:
    def __init__(self) -> None:
        self.pid = None
        self.is_spent = True
        self._reader = None
        self._writer = None
        self._on_exit = None
        self._pending = {}
        self._next_event = 1
        self._listening = None

    async def start(self) -> bool:
        """False: this runtime has no server for ASGI applications."""
        ours, theirs = socket.socketpair()
        with theirs:
            os.set_inheritable(theirs.fileno(), True)
            command = [sys.executable, "-u", "-I", ZYGOTE_FOLDER, str(theirs.fileno())]
            self.pid = spawn(command, self._exited, pass_fds=[theirs.fileno()])
        self._reader, self._writer = await asyncio.open_connection(sock=ours, limit=MAX_LINE_BYTES)
        answer = await self._read(READY_SECONDS)
        self.is_spent = False
        if answer.get("ready") is True:
            return True
        say(f"no ASGI applications here: {answer.get('error', 'the interpreter ended')}")
        self.close()
        return False

    async def launch(self, configuration, code, environment, on_exit) -> None:
        """Resolves when the application serves."""
        self._on_exit = on_exit
        self.is_spent = True
        self._send(
            {
                "encoding": configuration["encoding"],
                "entrypoint": configuration["entrypoint"],
                "wantsLifespan": configuration.get("wantsLifespan", True),
                "code": None if code is None else base64.b64encode(code).decode(),
                "environment": environment,
            }
        )
        answer = await self._read(START_SECONDS)
        if answer.get("started") is not True:
            signal_group(self.pid, signal.SIGKILL)
            error = answer.get("error", "the interpreter ended while the application started")
            raise ConfigurationError(error, answer.get("traceback", ""))
        self._listening = asyncio.get_running_loop().create_task(self._listen())

    async def deliver(self, event):
        number = self._next_event
        self._next_event += 1
        answer = asyncio.get_running_loop().create_future()
        self._pending[number] = answer
        try:
            self._send({"id": number, "event": event})
            return await asyncio.wait_for(answer, EVENT_SECONDS)
        except asyncio.TimeoutError:
            error = f"the application did not finish the event within {EVENT_SECONDS} s"
            return {"success": False, "error": error, "traceback": ""}
        finally:
            self._pending.pop(number, None)

    def close(self) -> None:
        signal_group(self.pid, signal.SIGKILL)
        if self._writer is not None:
            self._writer.close()

    async def _listen(self) -> None:
        while True:
            answer = await self._read(None)
            if not answer:
                break
            pending = self._pending.get(answer.get("id"))
            if pending is not None and not pending.done():
                pending.set_result(answer["result"])
        for pending in self._pending.values():
            if not pending.done():
                pending.set_result({"success": False, "error": "the program ended", "traceback": ""})
        self._writer.close()

    def _send(self, value) -> None:
        self._writer.write(json.dumps(value).encode() + b"\n")

    async def _read(self, timeout):
        """The next answer; empty when the interpreter has gone or takes too long."""
        try:
            line = await asyncio.wait_for(self._reader.readline(), timeout)
            return json.loads(line) if line.endswith(b"\n") else {}
        except asyncio.TimeoutError:
            return {"error": f"it took longer than {timeout} s"}
        except (ConnectionError, ValueError) as error:
            return {"error": f"the interpreter answered badly: {error}"} if isinstance(error, ValueError) else {}

    def _exited(self, code: int) -> None:
        if self._on_exit is not None:
            on_exit, self._on_exit = self._on_exit, None
            on_exit(code)
