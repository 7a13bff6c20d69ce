import { Type } from "@sinclair/typebox";
import { TypeCompiler } from "@sinclair/typebox/compiler";
import { MAX_PCI_DRIVES } from "../hypervisor/command-line/pci-slots.ts";
import { HypervisorError } from "../hypervisor/errors.ts";
import { MAX_VCPUS, MIN_MEMORY_MIB, type VmSpec } from "../hypervisor/vm-spec.ts";
import { MAX_VM_NUMBER } from "./machine-user.ts";

const closed = { additionalProperties: false } as const;
const MAX_LEASE_MS = 7 * 86_400_000;

/** Absolute, without what would end an option of QEMU or hide in a log. */
const Path = Type.String({ pattern: "^/[^,\\u0000-\\u001f\\u007f]{1,1000}$" });
const Mac = Type.String({ pattern: "^[0-9a-f]{2}(:[0-9a-f]{2}){5}$" });
const Port = Type.Integer({ minimum: 1, maximum: 65_535 });
const Format = Type.Union([Type.Literal("raw"), Type.Literal("qcow2")]);

const Kernel = Type.Object(
  {
    kernelPath: Path,
    initrdPath: Path,
    arguments: Type.Array(Type.String({ pattern: "^[\\u0021-\\u007e]{1,200}$" }), { maxItems: 32 }),
  },
  closed,
);

const Drive = Type.Object(
  {
    path: Path,
    format: Format,
    backing: Type.Optional(Type.Union([Type.Object({ path: Path, format: Format }, closed), Type.Null()])),
    isReadOnly: Type.Boolean(),
    media: Type.Union([Type.Literal("disk"), Type.Literal("cdrom")]),
  },
  closed,
);

/** One forward of a port, as requests carry it. */
export const Forward = Type.Object(
  {
    protocol: Type.Union([Type.Literal("tcp"), Type.Literal("udp")]),
    hostAddress: Type.String({ pattern: "^(\\d{1,3}\\.){3}\\d{1,3}$" }),
    hostPort: Port,
    guestPort: Port,
  },
  closed,
);

const Network = Type.Union([
  Type.Object({ kind: Type.Literal("none") }, closed),
  Type.Object(
    { kind: Type.Literal("tap"), tapName: Type.String({ pattern: "^[a-z0-9]{1,15}$" }), macAddress: Mac },
    closed,
  ),
  Type.Object(
    {
      kind: Type.Literal("user"),
      macAddress: Mac,
      hasInternet: Type.Boolean(),
      forwards: Type.Array(Forward, { maxItems: 256 }),
    },
    closed,
  ),
]);

const Snapshot = Type.Object(
  { kind: Type.Union([Type.Literal("template"), Type.Literal("resume")]), folder: Path },
  closed,
);

const Confidential = Type.Object(
  {
    policy: Type.Integer({ minimum: 0, maximum: 0xffff_ffff }),
    firmwarePath: Path,
    sessionPath: Path,
    publicKeyPath: Path,
  },
  closed,
);

const Limits = Type.Object(
  {
    overheadMib: Type.Integer({ minimum: 0, maximum: 65_536 }),
    maxProcesses: Type.Integer({ minimum: 1, maximum: 65_536 }),
    diskBytesPerSecond: Type.Union([Type.Integer({ minimum: 65_536, maximum: 1e12 }), Type.Null()]),
  },
  closed,
);

/** The name of a machine: the hash of its message, or that of a template. */
export const VmHash = Type.String({ pattern: "^[A-Za-z0-9][A-Za-z0-9-]{7,99}$" });

const Spec = Type.Object(
  {
    vmHash: VmHash,
    vmNumber: Type.Integer({ minimum: 0, maximum: MAX_VM_NUMBER }),
    machine: Type.Union([Type.Literal("microvm"), Type.Literal("q35")]),
    vcpus: Type.Integer({ minimum: 1, maximum: MAX_VCPUS }),
    memoryMib: Type.Integer({ minimum: MIN_MEMORY_MIB, maximum: 1_048_576 }),
    kernel: Type.Union([Kernel, Type.Null()]),
    drives: Type.Array(Drive, { maxItems: MAX_PCI_DRIVES }),
    network: Network,
    channels: Type.Array(Type.String({ pattern: "^[a-z0-9][a-z0-9.-]{0,31}$" }), {
      maxItems: 8,
      uniqueItems: true,
    }),
    hasVsock: Type.Boolean(),
    snapshot: Type.Union([Snapshot, Type.Null()]),
    confidential: Type.Optional(Type.Union([Confidential, Type.Null()])),
    leaseMs: Type.Union([Type.Integer({ minimum: 500, maximum: MAX_LEASE_MS }), Type.Null()]),
    limits: Limits,
  },
  closed,
);

const compiled = TypeCompiler.Compile(Spec);

/**
 * What arrived as the description of a machine, when it is one. Whether its files may be used is checked when they are
 * opened.
 *
 * @throws HypervisorError SPEC_INVALID
 */
export function checkSpec(value: unknown): VmSpec {
  if (!compiled.Check(value)) {
    const first = compiled.Errors(value).First();
    throw invalid(`${first?.path || "it"}: ${first?.message ?? "is of another shape"}`);
  }
  const spec: VmSpec = value;
  if (spec.machine === "microvm" && spec.kernel === null) throw invalid("a microvm boots a kernel only");
  if (spec.kernel === null && spec.drives.length === 0) throw invalid("there is nothing to boot");
  if (spec.snapshot !== null && spec.hasVsock) {
    throw invalid("a machine with vsock cannot be saved: the host keeps a part of its state");
  }
  const boots = spec.machine === "q35" && spec.kernel === null && spec.snapshot === null;
  if (spec.confidential != null && !boots) {
    throw invalid("a confidential machine is a q35 that boots a disk by its own firmware");
  }
  for (const drive of spec.drives) {
    if (drive.format === "raw" && drive.backing) throw invalid("a raw drive is an overlay of nothing");
  }
  return spec;
}

function invalid(reason: string): HypervisorError {
  return new HypervisorError(
    "SPEC_INVALID",
    `the machine was not started, its description is wrong: ${reason}`,
  );
}
