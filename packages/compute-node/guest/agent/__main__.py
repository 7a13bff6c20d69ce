"""First process of a guest that runs a function: waits for the host, sets the machine up, and carries connections.

Every other process of the guest is a child of this one. When it fails, the kernel ends the machine.
"""

import asyncio
import os
import signal
import sys

from agent import Agent
from console import open_console, say
from port import open_port
from processes import reap_children


async def main() -> None:
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGCHLD, reap_children)
    agent = Agent(open_port())
    await agent.run()


if __name__ == "__main__":
    open_console()
    os.chdir("/")
    os.environ.setdefault("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
    os.environ.setdefault("HOME", "/root")
    os.environ.setdefault("LANG", "C.UTF-8")
    try:
        asyncio.run(main())
    except Exception as error:  # the machine ends with this process, so that its log must say why
        say(f"the agent failed: {error!r}")
        raise
    sys.exit(0)
