import type { VmSpec } from "../hypervisor/vm-spec.ts";

/**
 * What one part of the host helper (networks, control groups) adds to it. A part never prevents the helper from
 * starting: what it cannot do here is in `missing`, with the reason.
 */
export interface HostPart {
  readonly name: string;
  /** Requests that the part answers, by verb (`createNetwork`, `removeNetwork`, `setPorts`, `recreateNetworks` …). */
  readonly verbs: Readonly<Record<string, HostVerb>>;
  /** Of every ability that it lacks on this host, the reason: `tap: needs root`. */
  readonly missing: Readonly<Record<string, string>>;
  /**
   * The process of a machine exists, and waits: nothing of QEMU has run yet, so no limit is missed.
   *
   * @throws when the machine must not run; the helper ends its process then, and calls `detach`
   */
  attach(machine: HostMachine, signal: AbortSignal): Promise<void>;
  /** The process of a machine has ended, or never came to be. Idempotent: also called for what was found dead. */
  detach(machine: Pick<HostMachine, "vmHash" | "vmNumber">): Promise<void>;
  /** What of the part exists on this host now, whoever made it. */
  inventory(signal: AbortSignal): Promise<readonly InventoryEntry[]>;
}

/**
 * One request. The parameters come from the node's process: the handler checks them itself, and throws an error with a
 * `code` for what it refuses. The result must be JSON.
 */
export type HostVerb = (parameters: unknown, signal: AbortSignal) => Promise<unknown>;

/** A machine whose process is about to run. */
export interface HostMachine {
  readonly vmHash: string;
  readonly vmNumber: number;
  readonly pid: number;
  /** The unprivileged user that it runs as; null: the helper's own, because it is not root. */
  readonly userId: number | null;
  readonly spec: VmSpec;
}

/** One thing on this host that belongs to machines, for `twentysix compute inspect`. */
export interface InventoryEntry {
  readonly kind: "process" | "tap" | "rule" | "cgroup" | "folder" | "file" | "lock";
  /** Process id, device, rule, path. */
  readonly name: string;
  /** The machine that it belongs to; null where the thing does not say. */
  readonly vmHash: string | null;
  readonly vmNumber: number | null;
  readonly detail: string;
}

/** How code of the node reaches a verb of the helper. */
export interface HelperCalls {
  /** @throws HelperError: HELPER_UNREACHABLE, or what the helper answered */
  call<Result>(verb: string, parameters: object, signal: AbortSignal): Promise<Result>;
}
