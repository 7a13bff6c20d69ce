import type { VmSpec } from "../vm-spec.ts";
import type { HostFacts, OpenFiles } from "./host-facts.ts";

/** No feature that a guest could use to reach further: see QEMU's `-sandbox`. */
const SANDBOX = "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny";

/**
 * Translated code is bounded: QEMU keeps up to a GiB of it otherwise, which no limit of a machine's memory foresees
 * (`vm-spec.ts`, `overheadMib`).
 */
const TCG = "tcg,thread=multi,tb-size=256";

/** Processor, memory and board. */
export function machineArguments(spec: VmSpec, files: OpenFiles, host: HostFacts): string[] {
  const accelerator = host.accelerator === "kvm" ? "kvm" : TCG;
  return [
    ...["-name", `guest=twentysix-${spec.vmHash},debug-threads=on`],
    // The guest's first instruction waits until its limits are in force.
    ...["-S", "-nodefaults", "-no-user-config", "-display", "none"],
    // The firmware of a confidential guest boots once: its owner has to measure each start.
    ...(spec.machine === "microvm" || isConfidential(spec) ? ["-no-reboot"] : []),
    ...["-sandbox", SANDBOX],
    ...["-accel", accelerator],
    ...["-cpu", processorOf(spec, host)],
    ...["-smp", String(spec.vcpus), "-m", String(spec.memoryMib)],
    ...["-machine", boardOf(spec), "-rtc", "base=utc"],
    ...memoryArguments(spec, files),
    ...sevArguments(spec, files, host),
  ];
}

const isConfidential = ({ confidential }: VmSpec): boolean => confidential != null;

/** Emulated, wide registers cost more than they save: what x86-64-v2 demands, and AES. */
const EMULATED_PROCESSOR = "Westmere,-spec-ctrl";
const PROCESSOR = "host,migratable=on";

/** Of the addresses that a confidential guest has, the processor takes bits away. */
const CONFIDENTIAL_PROCESSOR = "host,host-phys-bits-limit=0x28";

function processorOf(spec: VmSpec, { accelerator }: HostFacts): string {
  if (accelerator === "tcg") return EMULATED_PROCESSOR;
  return isConfidential(spec) ? CONFIDENTIAL_PROCESSOR : PROCESSOR;
}

function boardOf(spec: VmSpec): string {
  const memory = spec.snapshot === null && !spec.hasVsock ? "" : ",memory-backend=mem0";
  const sev = isConfidential(spec) ? ",confidential-guest-support=sev0,pflash0=firmware" : "";
  if (spec.machine === "q35") return `q35,smm=off,vmport=off${memory}${sev}`;
  return `microvm,acpi=on,rtc=on,pit=off,pic=off,isa-serial=on${memory}`;
}

function memoryArguments(spec: VmSpec, { memory }: OpenFiles): string[] {
  // A device in a process of its own reads and writes it.
  if (spec.hasVsock) return ["-object", `memory-backend-memfd,id=mem0,size=${spec.memoryMib}M,share=on`];
  if (spec.snapshot === null || memory === null) return [];
  const share = spec.snapshot.kind === "template" ? "on" : "off";
  return [
    "-object",
    `memory-backend-file,id=mem0,size=${spec.memoryMib}M,mem-path=/proc/self/fd/${memory},share=${share}`,
  ];
}

/** Source: QEMU `docs/system/i386/amd-memory-encryption.rst`. */
function sevArguments({ confidential }: VmSpec, files: OpenFiles, { sev }: HostFacts): string[] {
  if (confidential == null || files.confidential == null) return [];
  if (sev == null) throw new RangeError("this host runs no confidential machines");
  const { firmware, session, publicKey } = files.confidential;
  const guest = {
    "qom-type": "sev-guest",
    id: "sev0",
    policy: confidential.policy,
    cbitpos: sev.cBitPosition,
    "reduced-phys-bits": sev.reducedPhysBits,
    "session-file": `/proc/self/fd/${session}`,
    "dh-cert-file": `/proc/self/fd/${publicKey}`,
  };
  const image = {
    driver: "raw",
    "node-name": "firmware",
    "read-only": true,
    file: { driver: "file", filename: `/dev/fdset/${firmware}`, "read-only": true },
  };
  return [
    ...["-add-fd", `fd=${firmware},set=${firmware}`],
    ...["-blockdev", JSON.stringify(image)],
    ...["-object", JSON.stringify(guest)],
  ];
}

/** What is booted: a kernel of this host, or the first drive. */
export function bootArguments(spec: VmSpec, files: OpenFiles, host: HostFacts): string[] {
  const { kernel } = spec;
  if (kernel === null || files.kernel === null || files.initrd === null) return [];
  const words = ["console=ttyS0", "quiet", "reboot=t", "panic=-1", "nokaslr"];
  if (host.accelerator === "tcg") words.push("mitigations=off");
  if (spec.machine === "microvm" && host.accelerator === "tcg" && host.tscKhz !== null) {
    words.push("tsc=reliable", `tsc_early_khz=${host.tscKhz}`);
  }
  return [
    ...["-kernel", `/proc/self/fd/${files.kernel}`],
    ...["-initrd", `/proc/self/fd/${files.initrd}`],
    ...["-append", [...words, ...kernel.arguments].join(" ")],
  ];
}
