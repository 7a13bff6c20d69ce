import { runTool, ToolError } from "../../processes/run-tool.ts";
import { MAX_VM_NUMBER, type MachineUsers } from "../machine-user.ts";
import { openTunDevice, TUN_DEVICE } from "../network-devices.ts";
import { asUser } from "../spawn-machine.ts";

/** Does what a machine's namespace needs, and leaves nothing. */
const TRIAL = "nft add table inet trial && mount --bind /dev/null /etc/resolv.conf";

/**
 * Why machines on QEMU's own network get no internet here: QEMU alone would let them reach the loopback of this host.
 * null: they get it, each in a namespace of its own.
 */
export async function userInternetProblem(
  users: MachineUsers | null,
  signal: AbortSignal,
): Promise<string | null> {
  if (users !== null) {
    const problem = await openTunDevice().catch((error: NodeJS.ErrnoException) => error.message);
    if (problem !== undefined) return `${TUN_DEVICE} cannot be opened to machines: ${problem}`;
  }
  const prefix = asUser(users?.of(MAX_VM_NUMBER) ?? null, []);
  const trials = [
    ["test", "-r", TUN_DEVICE, "-a", "-w", TUN_DEVICE],
    ["slirp4netns", "--version"],
    ["unshare", "--user", "--map-root-user", "--net", "--mount", "/bin/sh", "-c", TRIAL],
  ];
  for (const trial of trials) {
    const [file = "", ...args] = [...prefix, ...trial];
    try {
      await runTool(file, args, { signal });
    } catch (error) {
      if (!(error instanceof ToolError)) throw error;
      if (trial[0] === "test")
        return `${TUN_DEVICE} may not be opened by it: its mode is 0666 on most systems`;
      return `${trial[0]} does not work for it: ${error.message}`;
    }
  }
  return null;
}
