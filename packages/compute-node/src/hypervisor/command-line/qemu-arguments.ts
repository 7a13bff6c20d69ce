import type { VmSpec } from "../vm-spec.ts";
import { channelArguments, driveArguments, networkArguments } from "./device-arguments.ts";
import type { HostFacts, OpenFiles } from "./host-facts.ts";
import { bootArguments, machineArguments } from "./machine-arguments.ts";

/** Of the node, and of the helper: QEMU talks to one client on each. */
export const QMP_SOCKETS = { node: "qmp.sock", helper: "helper-qmp.sock" } as const;

/**
 * The arguments of QEMU for a machine; pure, so that a machine that continues from a template gets the devices of the
 * template. Sockets are made in its working directory, files are open already.
 */
export function qemuArguments(spec: VmSpec, files: OpenFiles, host: HostFacts): string[] {
  return [
    ...machineArguments(spec, files, host),
    ...bootArguments(spec, files, host),
    ...driveArguments(spec, files),
    ...networkArguments(spec),
    ...channelArguments(spec, files),
    ...Object.values(QMP_SOCKETS).flatMap((path) => ["-qmp", `unix:${path},server=on,wait=off`]),
    ...(spec.snapshot?.kind === "resume" ? ["-incoming", "defer"] : []),
  ];
}
