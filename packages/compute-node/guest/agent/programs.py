"""The program of this machine: an ASGI application in the prepared interpreter, or an executable."""

import asyncio
import io
import signal

from archives import unpack
from configuration import ConfigurationError
from console import say
from executable import install_code, start_command
from processes import signal_group, spawn
from zygote_process import ZygoteProcess

#: At most this long from the start of an executable to its first answer.
START_SECONDS = 60
STOP_SECONDS = 10
HTTP_PORT = 8080
MAX_RESTART_SECONDS = 60


class Programs:
    def __init__(self) -> None:
        self._zygote = None
        self._pid = None
        self._ended = asyncio.Event()
        self._is_stopping = False
        self._is_started = False
        self._last_exit = None
        self._restart = None
        self._delay_seconds = 1

    async def prepare(self) -> None:
        """What takes long and belongs to no program yet: a snapshot of the machine has it behind itself."""
        zygote = ZygoteProcess()
        if await zygote.start():
            self._zygote = zygote

    async def start(self, configuration, code, environment) -> None:
        """Resolves when the program answers; raises what keeps it from that."""
        if configuration["interface"] == "asgi":
            await self._start_asgi(configuration, code, environment)
        elif configuration["interface"] == "executable":
            await self._start_executable(configuration, code, environment)
        else:
            raise ConfigurationError(f"there is no interface called {configuration['interface']!r}")
        self._is_started = True

    async def _start_asgi(self, configuration, code, environment) -> None:
        if self._zygote is None:
            raise ConfigurationError("this runtime cannot run ASGI applications: it has no Python server for them")
        if configuration["encoding"] == "zip":
            unpack(io.BytesIO(code or b""), "/opt")
            code = None

        async def launch() -> None:
            if self._zygote.is_spent and not await self._zygote.start():
                raise ConfigurationError("the interpreter for the application could not be started again")
            self._ended.clear()
            self._pid = self._zygote.pid
            await self._zygote.launch(configuration, code, environment, self._on_exit)

        self._relaunch = launch
        await launch()

    async def _start_executable(self, configuration, code, environment) -> None:
        self._close_zygote()
        path = install_code(configuration, code)
        command = start_command(path, configuration.get("args") or [])

        async def launch() -> None:
            self._ended.clear()
            self._pid = spawn(command, self._on_exit, env=environment, cwd="/opt/code")
            await self._until_it_answers()

        self._relaunch = launch
        await launch()

    def _close_zygote(self) -> None:
        if self._zygote is not None:
            self._zygote.close()
            self._zygote = None

    async def _until_it_answers(self) -> None:
        deadline = asyncio.get_running_loop().time() + START_SECONDS
        while not self._ended.is_set():
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", HTTP_PORT)
                writer.close()
                return
            except OSError:
                if asyncio.get_running_loop().time() > deadline:
                    raise ConfigurationError(
                        f"the program does not listen on port {HTTP_PORT} after {START_SECONDS} s"
                    ) from None
                await asyncio.sleep(0.02)
        raise ConfigurationError(f"the program ended before it listened on port {HTTP_PORT}: {self._last_exit}")

    def _on_exit(self, code: int) -> None:
        self._last_exit = f"signal {-code}" if code < 0 else f"exit code {code}"
        self._ended.set()
        self._pid = None
        if self._is_stopping or not self._is_started:
            return
        say(f"the program ended ({self._last_exit}), it is started again in {self._delay_seconds} s")
        self._restart = asyncio.get_running_loop().create_task(self._start_again())

    async def _start_again(self) -> None:
        await asyncio.sleep(self._delay_seconds)
        self._delay_seconds = min(self._delay_seconds * 2, MAX_RESTART_SECONDS)
        try:
            await self._relaunch()
        except Exception as error:  # whatever the program does; the next end of it is followed by another try
            say(f"the program could not be started again: {error}")
            self._restart = asyncio.get_running_loop().create_task(self._start_again())

    def why_unreachable(self) -> str:
        if self._is_started and self._last_exit is not None and self._pid is None:
            return f"the program has ended ({self._last_exit}) and is started again"
        return f"the program does not listen on port {HTTP_PORT} of its machine"

    async def deliver(self, event):
        """{"success", "output"}, or {"success": false, "error", "traceback"}."""
        if self._zygote is None or not self._is_started:
            error = "only ASGI applications take events" if self._is_started else "no program has been started"
            return {"success": False, "error": error, "traceback": ""}
        return await self._zygote.deliver(event)

    async def stop(self) -> None:
        self._is_stopping = True
        if self._restart is not None:
            self._restart.cancel()
        if self._pid is None:
            return
        pid = self._pid
        signal_group(pid, signal.SIGTERM)
        try:
            await asyncio.wait_for(self._ended.wait(), STOP_SECONDS)
        except asyncio.TimeoutError:
            say(f"the program did not end within {STOP_SECONDS} s and is killed")
        signal_group(pid, signal.SIGKILL)
