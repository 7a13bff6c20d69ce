"""Where the guest's own words and the output of programs go: the serial port of the machine."""

import os
import sys


def open_console() -> None:
    """Standard input, output and errors; a machine without a serial port has none to give."""
    for path in ("/dev/console", "/dev/null"):
        try:
            console = os.open(path, os.O_RDWR | os.O_NOCTTY)
            break
        except OSError:
            continue
    else:
        return
    for number in (0, 1, 2):
        os.dup2(console, number)
    if console > 2:
        os.close(console)
    sys.stdout = os.fdopen(1, "w", buffering=1, errors="backslashreplace", closefd=False)
    sys.stderr = os.fdopen(2, "w", buffering=1, errors="backslashreplace", closefd=False)


def say(text: str) -> None:
    print(f"twentysix: {text}", flush=True)
