"""Waits, with the server for ASGI applications imported, until it is told which application to run.

Nothing of a user has run in this process, so that snapshots of it can be shared. The application runs in a child of
it: a fork makes Python and OpenSSL take new seeds, after the machine has got fresh entropy.
"""

import gc
import json
import os
import random
import signal
import socket
import sys
import traceback

from zygote_answers import answer_line

REFERENCE_LIBRARIES = "/opt/aleph/libs"
FALLBACK_LIBRARIES = "/usr/lib/twentysix/libraries"


def import_server() -> None:
    if os.path.isdir(REFERENCE_LIBRARIES):
        # In the reference's runtimes they come before Debian's own.
        sys.path.insert(1, REFERENCE_LIBRARIES)
    if os.path.isdir(FALLBACK_LIBRARIES):
        sys.path.append(FALLBACK_LIBRARIES)
    import zygote_server

    zygote_server.import_all()


def wait_for_program(control: socket.socket):
    """The first line from the agent; None when it has gone."""
    data = bytearray()
    while not data.endswith(b"\n"):
        part = control.recv(1_048_576)
        if not part:
            return None
        data += part
    return json.loads(data)


def reseed(generators) -> None:
    """Generators that libraries made while they were imported were the same in all copies of this machine."""
    for generator in generators:
        generator.seed(os.urandom(32))
    import ssl

    ssl.RAND_add(os.urandom(32), 32.0)


def run_child(control: socket.socket, program, generators) -> None:
    reseed(generators)
    os.environ.clear()
    os.environ.update(program["environment"])
    from zygote_application import run_application

    run_application(control, program)


def main() -> None:
    control = socket.socket(fileno=int(sys.argv[1]))
    try:
        import_server()
    except ImportError as error:
        control.sendall(answer_line({"error": str(error)}))
        return
    generators = [item for item in gc.get_objects() if isinstance(item, random.Random)]
    generators.append(random)
    gc.collect()
    gc.freeze()
    control.sendall(answer_line({"ready": True}))
    program = wait_for_program(control)
    if program is None:
        return
    child = os.fork()
    if child == 0:
        code = 1
        try:
            run_child(control, program, generators)
            code = 0
        except BaseException:  # the end of a process of its own, whose reason goes to the log
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)
    control.close()
    # Of a signal to both of them the child is told itself; this process only waits for it.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    os._exit(code if code >= 0 else 128 - code)


if __name__ == "__main__":
    main()
