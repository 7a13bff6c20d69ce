"""Start and end of an ASGI application. Source: ASGI specification, lifespan protocol 2.0."""

import asyncio
import traceback

STARTUP_SECONDS = 30
SHUTDOWN_SECONDS = 10


class LifespanError(Exception):
    """The application says that it cannot start."""


class Lifespan:
    """One call of the application that lasts from its start to its end, as servers make it."""

    def __init__(self, application) -> None:
        self._application = application
        self._events = asyncio.Queue()
        self._started = asyncio.Event()
        self._stopped = asyncio.Event()
        self._failure = None
        self._error = None
        self._task = None

    async def start(self) -> None:
        self._events.put_nowait({"type": "lifespan.startup"})
        self._task = asyncio.get_running_loop().create_task(self._run())
        try:
            await asyncio.wait_for(self._started.wait(), STARTUP_SECONDS)
        except asyncio.TimeoutError:
            raise LifespanError(f"the application's start-up did not complete within {STARTUP_SECONDS} s") from None
        if self._failure is not None:
            raise LifespanError(self._failure) from self._error

    async def stop(self) -> None:
        if self._task is None or self._task.done():
            return
        self._events.put_nowait({"type": "lifespan.shutdown"})
        try:
            await asyncio.wait_for(self._stopped.wait(), SHUTDOWN_SECONDS)
        except asyncio.TimeoutError:
            print(f"twentysix: the application's shutdown did not complete within {SHUTDOWN_SECONDS} s")

    async def _run(self) -> None:
        scope = {"type": "lifespan", "asgi": {"version": "3.0", "spec_version": "2.0"}, "state": {}}
        try:
            await self._application(scope, self._events.get, self._take)
        except Exception as error:  # an application that has no lifespan raises on this kind of scope
            self._error = error
            if self._started.is_set():
                traceback.print_exc()
        finally:
            self._started.set()
            self._stopped.set()

    async def _take(self, event) -> None:
        kind = event["type"]
        if kind == "lifespan.startup.complete":
            self._started.set()
        elif kind == "lifespan.startup.failed":
            self._failure = f"the application failed to start: {event.get('message', '')}"
            self._started.set()
        else:
            self._stopped.set()
