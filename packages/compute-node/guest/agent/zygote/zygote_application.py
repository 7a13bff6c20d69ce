"""The application of a user, served on port 8080 of the machine's loopback."""

import asyncio
import importlib
import os
import signal
import socket
import sys
import traceback

from zygote_answers import answer_line, failure
from zygote_events import take_events
from zygote_failures import TellingFailures
from zygote_imports import forget_replaced_modules
from zygote_lifespan import Lifespan
from zygote_program import load_application
from zygote_server import make_server

PORT = 8080
BACKLOG = 1_024


def run_application(control: socket.socket, program) -> None:
    """Runs until it is told to end."""
    try:
        application = load_application(program, forget_replaced_modules)
        listener = listen()
    except BaseException as error:  # code of a user: also a SystemExit is only a failure of this program
        tell_failure(control, error)
        return
    importlib.invalidate_caches()
    asyncio.run(serve(control, application, listener, program["wantsLifespan"]))


def tell_failure(control: socket.socket, error: BaseException) -> None:
    trace = traceback.format_exc()
    sys.stderr.write(trace)
    control.sendall(answer_line(failure(error, trace)))


def listen() -> socket.socket:
    # With its protocol named: asyncio takes Nagle's algorithm off such connections alone, and an answer whose body
    # follows its head would wait for an acknowledgement that the other side delays by 40 ms.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", PORT))
    listener.listen(BACKLOG)
    listener.setblocking(False)
    return listener


async def serve(control: socket.socket, application, listener: socket.socket, wants_lifespan: bool) -> None:
    lifespan = Lifespan(application)
    if wants_lifespan:
        try:
            await lifespan.start()
        except Exception as error:  # the application's own code
            tell_failure(control, error)
            return
    server = make_server(TellingFailures(application))
    # The server's own handlers would wait for connections that the host keeps open.
    server.install_signal_handlers = lambda: None
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    asyncio.get_running_loop().add_signal_handler(signal.SIGINT, stop.set)
    serving = asyncio.get_running_loop().create_task(server.serve(sockets=[listener]))
    reader, writer = await asyncio.open_connection(sock=control, limit=16_777_216)
    events = asyncio.get_running_loop().create_task(take_events(reader, writer, application))
    writer.write(answer_line({"started": True}))
    stopped = asyncio.get_running_loop().create_task(stop.wait())
    await asyncio.wait([serving, stopped, events], return_when=asyncio.FIRST_COMPLETED)
    server.should_exit = True
    server.force_exit = True
    if wants_lifespan:
        await lifespan.stop()
    os._exit(0)
