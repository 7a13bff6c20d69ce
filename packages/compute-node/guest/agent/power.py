"""The end of a machine."""

import ctypes
import os

from console import say
from mounts import mounted_volumes, unmount

#: Linux `include/uapi/linux/reboot.h`.
RB_POWER_OFF = 0x4321FEDC


def unmount_all() -> None:
    """What programs wrote is on its disk after this."""
    os.sync()
    for path in reversed(mounted_volumes()):
        try:
            unmount(path)
        except OSError as error:
            say(f"{path} stays mounted: {error}")
    os.sync()


def power_off() -> None:
    ctypes.CDLL(None, use_errno=True).reboot(RB_POWER_OFF)
