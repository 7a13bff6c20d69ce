import { closeSync, existsSync, openSync, readFileSync, readSync } from "node:fs";
import type { SevFacts } from "../hypervisor/command-line/host-facts.ts";

/** Where the kernel tells of AMD SEV. */
export interface SevPaths {
  readonly parameter: string;
  readonly device: string;
  /** Reads at an offset are the registers of that leaf. */
  readonly cpuid: string;
}

export const SEV_PATHS: SevPaths = {
  parameter: "/sys/module/kvm_amd/parameters/sev",
  device: "/dev/sev",
  cpuid: "/dev/cpu/0/cpuid",
};

export type SevHost =
  | { readonly facts: SevFacts; readonly problem: null }
  | { readonly facts: null; readonly problem: string };

/** AMD64 Architecture Programmer's Manual, volume 3, E.4.17: Encrypted Memory Capabilities. */
const ENCRYPTED_MEMORY_LEAF = 0x8000_001f;
const REGISTERS_BYTES = 16;
const EBX_OFFSET = 4;
const SIX_BITS = 0x3f;

/** Whether this host runs confidential machines, and why not. */
export function findSev(accelerator: "kvm" | "tcg", isRoot: boolean, paths: SevPaths = SEV_PATHS): SevHost {
  const lacks = (problem: string): SevHost => ({ facts: null, problem });
  if (!/^[Y1]$/.test(textOf(paths.parameter))) return lacks("the processor or kernel offers no AMD SEV");
  if (accelerator !== "kvm") return lacks("AMD SEV needs KVM, which guests do not boot on here");
  if (!existsSync(paths.device)) return lacks(`this host has no ${paths.device}: load the module ccp`);
  if (!isRoot) return lacks("the memory of confidential guests is locked, for which the helper must be root");
  const registers = leafOf(paths.cpuid);
  if (registers === null) return lacks(`${paths.cpuid} cannot be read: load the module cpuid`);
  const ebx = registers.readUInt32LE(EBX_OFFSET);
  return {
    facts: { cBitPosition: ebx & SIX_BITS, reducedPhysBits: (ebx >>> 6) & SIX_BITS },
    problem: null,
  };
}

function textOf(path: string): string {
  return existsSync(path) ? readFileSync(path, "utf8").trim() : "";
}

function leafOf(path: string): Buffer | null {
  if (!existsSync(path)) return null;
  const registers = Buffer.alloc(REGISTERS_BYTES);
  const file = openSync(path, "r");
  try {
    const bytesRead = readSync(file, registers, 0, REGISTERS_BYTES, ENCRYPTED_MEMORY_LEAF);
    return bytesRead === REGISTERS_BYTES ? registers : null;
  } finally {
    closeSync(file);
  }
}
