import type { DriveSpec, PortForward, VmSpec } from "../vm-spec.ts";
import type { OpenFiles } from "./host-facts.ts";
import { PCI_SLOTS } from "./pci-slots.ts";
import { VSOCK_SOCKETS } from "./vsock-sockets.ts";

type Options = Readonly<Record<string, string | number | boolean>>;

/** A device of the bus that the board has: PCI at a fixed address, or memory-mapped without one. */
function device(spec: VmSpec, name: string, slot: number, options: Options): string[] {
  const isPci = spec.machine === "q35";
  const full = {
    driver: `${name}-${isPci ? "pci" : "device"}`,
    ...options,
    ...(isPci ? { bus: "pcie.0", addr: `0x${slot.toString(16)}` } : {}),
  };
  return ["-device", JSON.stringify(full)];
}

/** Disks in the order of the description: vda, vdb … */
export function driveArguments(spec: VmSpec, files: OpenFiles): string[] {
  const limit = spec.limits.diskBytesPerSecond;
  // A machine that continues has the devices of its template, which is for machines of any limit: `slowResumedDisks`.
  const isThrottled = limit !== null && spec.snapshot === null && spec.drives.length > 0;
  const drives = spec.drives.flatMap((drive, index) => {
    const open = files.drives[index];
    if (open === undefined) throw new RangeError(`drive ${index} is not open`);
    const name = `drive${index}`;
    return [
      ...fdSet(open.file),
      ...(open.backing === null ? [] : fdSet(open.backing)),
      ...blockdev(drive, open, { id: name, isThrottled }),
      ...device(spec, "virtio-blk", PCI_SLOTS.firstDrive + index, {
        id: `disk${index}`,
        drive: name,
        ...(spec.kernel === null && index === 0 ? { bootindex: 0 } : {}),
        ...(spec.machine === "q35" ? { serial: `drive${index}` } : {}),
      }),
    ];
  });
  return isThrottled ? ["-object", throttleGroup(limit), ...drives] : drives;
}

function fdSet(file: number): string[] {
  return ["-add-fd", `fd=${file},set=${file}`];
}

const THROTTLE_GROUP = "throttle0";

/** One for all disks: more of them make no machine faster. */
function throttleGroup(bytesPerSecond: number): string {
  return JSON.stringify({
    "qom-type": "throttle-group",
    id: THROTTLE_GROUP,
    limits: { "bps-total": bytesPerSecond },
  });
}

function blockdev(
  drive: DriveSpec,
  open: { readonly file: number; readonly backing: number | null },
  { id, isThrottled }: { readonly id: string; readonly isThrottled: boolean },
): string[] {
  const node = {
    driver: drive.format,
    "node-name": isThrottled ? `${id}-format` : id,
    "read-only": drive.isReadOnly,
    file: fileNode(open.file, drive.isReadOnly),
    ...(drive.isReadOnly ? {} : { discard: "unmap", "detect-zeroes": "unmap" }),
    // Only what the description names is ever opened, whatever the image says.
    ...(drive.format === "qcow2" ? { backing: backingNode(drive, open.backing) } : {}),
  };
  const nodes: object[] = [node];
  if (isThrottled) {
    nodes.push({
      driver: "throttle",
      "node-name": id,
      "throttle-group": THROTTLE_GROUP,
      "read-only": drive.isReadOnly,
      file: node["node-name"],
    });
  }
  return nodes.flatMap((each) => ["-blockdev", JSON.stringify(each)]);
}

function fileNode(file: number, isReadOnly: boolean): object {
  return {
    driver: "file",
    filename: `/dev/fdset/${file}`,
    "read-only": isReadOnly,
    ...(isReadOnly ? {} : { discard: "unmap" }),
  };
}

function backingNode({ backing }: DriveSpec, file: number | null): object | null {
  if (backing === undefined || backing === null || file === null) return null;
  return {
    driver: backing.format,
    "read-only": true,
    file: fileNode(file, true),
    ...(backing.format === "qcow2" ? { backing: null } : {}),
  };
}

export function networkArguments(spec: VmSpec): string[] {
  const { network } = spec;
  if (network.kind === "none") return [];
  return [
    ...["-netdev", netdevOf(spec, network)],
    ...device(spec, "virtio-net", PCI_SLOTS.network, {
      id: "nic0",
      netdev: "net0",
      mac: network.macAddress,
      ...(spec.machine === "q35" ? { romfile: "" } : {}),
    }),
  ];
}

/**
 * The card of a template has no wire, whatever its kind: QEMU's own network would put its state among that of the
 * machine, and only machines on such a network could continue from it.
 */
function netdevOf({ snapshot }: VmSpec, network: Exclude<VmSpec["network"], { kind: "none" }>): string {
  if (snapshot?.kind === "template") return JSON.stringify({ type: "hubport", id: "net0", hubid: 0 });
  return network.kind === "tap" ? tapNetdev(network.tapName) : userNetdev(network);
}

function tapNetdev(tapName: string): string {
  return JSON.stringify({ type: "tap", id: "net0", ifname: tapName, script: "no", downscript: "no" });
}

function userNetdev({
  hasInternet,
  forwards,
}: {
  readonly hasInternet: boolean;
  readonly forwards: readonly PortForward[];
}): string {
  return JSON.stringify({
    type: "user",
    id: "net0",
    restrict: !hasInternet,
    ipv6: false,
    hostfwd: forwards.map((forward) => ({ str: forwardText(forward) })),
  });
}

/** As QEMU's `hostfwd` and the monitor's `hostfwd_add` write it. */
export function forwardText({ protocol, hostAddress, hostPort, guestPort }: PortForward): string {
  return `${protocol}:${hostAddress}:${hostPort}-:${guestPort}`;
}

/** Its process of its own listens in the run folder by then. */
function vsockArguments(spec: VmSpec): string[] {
  if (!spec.hasVsock) return [];
  return [
    ...["-chardev", `socket,id=vsock,path=${VSOCK_SOCKETS.device}`],
    ...device(spec, "vhost-user-vsock", PCI_SLOTS.vsock, { id: "vsock0", chardev: "vsock" }),
  ];
}

/** Serial line, named ports, entropy, and what an instance has beside. */
export function channelArguments(spec: VmSpec, files: OpenFiles): string[] {
  const ports = [
    ...spec.channels.map((name) => ({ name, path: `channel-${name}.sock` })),
    ...(spec.machine === "q35" ? [{ name: "org.qemu.guest_agent.0", path: "qga.sock" }] : []),
  ];
  return [
    ...["-add-fd", `fd=${files.serialLog},set=${files.serialLog}`],
    ...["-chardev", `file,id=serial0,path=/dev/fdset/${files.serialLog},append=on`],
    ...["-serial", "chardev:serial0"],
    ...device(spec, "virtio-rng", PCI_SLOTS.random, { id: "random0" }),
    ...device(spec, "virtio-serial", PCI_SLOTS.serial, { id: "serials0" }),
    ...ports.flatMap(({ name, path }, index) => [
      ...["-chardev", `socket,id=port${index},path=${path},server=on,wait=off`],
      ...["-device", JSON.stringify({ driver: "virtserialport", chardev: `port${index}`, name })],
    ]),
    // Pages of encrypted memory stay where they are.
    ...(spec.machine === "q35" && spec.confidential == null
      ? device(spec, "virtio-balloon", PCI_SLOTS.balloon, { id: "balloon0", "free-page-reporting": true })
      : []),
    ...vsockArguments(spec),
  ];
}
