"""Children of the first process: it is told of every process of the guest that ends."""

import os
import subprocess

_watched = {}


def reap_children() -> None:
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return
        callback = _watched.pop(pid, None)
        if callback is not None:
            callback(os.waitstatus_to_exitcode(status))


def spawn(command, on_exit, **options) -> int:
    """Starts a program in a session of its own. `on_exit(code)`: negative for a signal, as `subprocess` does."""
    process = subprocess.Popen(command, start_new_session=True, stdin=subprocess.DEVNULL, **options)
    # The object must not wait for the process itself: the first process of a machine does.
    process.returncode = 0
    _watched[process.pid] = on_exit
    return process.pid


def signal_group(pid: int, number: int) -> None:
    try:
        os.killpg(pid, number)
    except ProcessLookupError:
        pass  # it has ended
