"""What makes a resumed copy of a machine a machine of its own: randomness and the time."""

import fcntl
import os
import time

#: Linux `include/uapi/linux/random.h`: the generator takes what is in its pool at once.
RNDRESEEDCRNG = 0x5207
MIN_ENTROPY_BYTES = 32


def wake(entropy: bytes, time_micros: int) -> None:
    """Before anything of a user runs. Copies of one memory give the same "random" bytes until then."""
    if len(entropy) < MIN_ENTROPY_BYTES:
        raise ValueError(f"{len(entropy)} bytes of entropy are too few")
    with open("/dev/urandom", "wb", buffering=0) as generator:
        generator.write(entropy)
        fcntl.ioctl(generator, RNDRESEEDCRNG)
    time.clock_settime_ns(time.CLOCK_REALTIME, time_micros * 1_000)
    # The generator's first bytes after that go to nobody.
    os.urandom(32)
