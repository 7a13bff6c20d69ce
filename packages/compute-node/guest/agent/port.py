"""The virtio-serial port that leads to the host."""

import os
import time

PORT_NAME = "aleph.52"
PORTS_FOLDER = "/sys/class/virtio-ports"
MAX_WAIT_SECONDS = 30


def open_port() -> int:
    """File descriptor of the port, not blocking. Its device appears a moment after its driver."""
    deadline = time.monotonic() + MAX_WAIT_SECONDS
    while True:
        name = find_port()
        if name is not None:
            return os.open(f"/dev/{name}", os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        if time.monotonic() > deadline:
            raise FileNotFoundError(f"this machine has no virtio-serial port named {PORT_NAME}")
        time.sleep(0.01)


def find_port():
    try:
        candidates = os.listdir(PORTS_FOLDER)
    except FileNotFoundError:
        return None
    for candidate in candidates:
        with open(f"{PORTS_FOLDER}/{candidate}/name", encoding="ascii") as file:
            if file.read().strip() == PORT_NAME:
                return candidate
    return None
