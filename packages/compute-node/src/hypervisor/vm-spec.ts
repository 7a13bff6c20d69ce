/** What QEMU and the kernels of guests can do with. */
export const MIN_MEMORY_MIB = 32;
export const MAX_VCPUS = 64;

/** What a virtual machine is made of, whoever starts it: the only thing that the host helper starts. */
export interface VmSpec {
  /** Item hash of its message; names its folders, sockets and processes. */
  readonly vmHash: string;
  /** Small integer of this node (`vm_id` of the reference): its tap, addresses and user follow from it. */
  readonly vmNumber: number;
  /** `microvm` for functions, `q35` for instances. */
  readonly machine: "microvm" | "q35";
  readonly vcpus: number;
  readonly memoryMib: number;
  /** Booted directly; null boots from the first drive. */
  readonly kernel: KernelSpec | null;
  /** In the order in which the guest sees them: vda, vdb … */
  readonly drives: readonly DriveSpec[];
  readonly network: NetworkSpec;
  /** Names of virtio-serial ports, each a unix socket `channel-NAME.sock` of the run folder. */
  readonly channels: readonly string[];
  /**
   * Its guest has a vsock device, whose host is the run folder: ports of the guest are reached through `vsock.sock`, and
   * what it connects to arrives at `vsock.sock_PORT`. It waits after its start for whoever makes those, and says `cont`.
   */
  readonly hasVsock: boolean;
  readonly snapshot: SnapshotSpec | null;
  /** Absent or null: the host can read the memory of the guest. */
  readonly confidential?: ConfidentialSpec | null;
  /** Without renewal the machine is stopped this long after its last one; null: it needs none. */
  readonly leaseMs: number | null;
  readonly limits: VmLimits;
}

export interface KernelSpec {
  readonly kernelPath: string;
  readonly initrdPath: string;
  /** Added to what the machine itself needs. */
  readonly arguments: readonly string[];
}

export interface DriveSpec {
  readonly path: string;
  readonly format: "raw" | "qcow2";
  /**
   * What a qcow2 file is an overlay of. What its own header names is never opened; an image that names one without this
   * is refused. null or absent: none.
   */
  readonly backing?: { readonly path: string; readonly format: "raw" | "qcow2" } | null;
  readonly isReadOnly: boolean;
  /** A CD-ROM holds what cloud-init reads. */
  readonly media: "disk" | "cdrom";
}

export type NetworkSpec =
  | { readonly kind: "none" }
  /** A device that the helper has made for this machine. */
  | { readonly kind: "tap"; readonly tapName: string; readonly macAddress: string }
  /** QEMU's own: reaches the outside, never this host's loopback. */
  | {
      readonly kind: "user";
      readonly macAddress: string;
      readonly hasInternet: boolean;
      readonly forwards: readonly PortForward[];
    };

/**
 * AMD SEV: memory is encrypted by the processor, with a key that the owner of the guest has agreed on with it. Such a
 * guest waits after its start until he has measured it and lets it go on.
 */
export interface ConfidentialSpec {
  /** Bits of the SEV policy: 0 no debugging, 2 registers are encrypted too (SEV-ES). */
  readonly policy: number;
  readonly firmwarePath: string;
  /** What the owner made for this one start: base64. */
  readonly sessionPath: string;
  readonly publicKeyPath: string;
}

/** Of a port of the host to one of the guest. */
export interface PortForward {
  readonly protocol: "tcp" | "udp";
  readonly hostAddress: string;
  readonly hostPort: number;
  readonly guestPort: number;
}

/** Memory in a file: of a machine that becomes a template, or of one that continues from it. */
export type SnapshotSpec =
  | { readonly kind: "template"; readonly folder: string }
  | { readonly kind: "resume"; readonly folder: string };

/** What the host grants, where it can limit it. */
export interface VmLimits {
  /** Beside the memory of the guest: what QEMU itself may take. */
  readonly overheadMib: number;
  readonly maxProcesses: number;
  /** What is read and written a second, on all disks together; null: not limited. */
  readonly diskBytesPerSecond: number | null;
}
