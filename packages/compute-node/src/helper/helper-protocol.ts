import type { HypervisorCapabilities, VmExit, VmProcess } from "../hypervisor/hypervisor.ts";

/**
 * What the node and its host helper say to each other: one JSON text a line. Every request may be sent again after the
 * connection was lost: it does once what it asks for.
 */
export interface HelperRequest {
  readonly id: number;
  readonly verb: string;
  readonly parameters: unknown;
}

export type HelperAnswer =
  | { readonly id: number; readonly result: unknown }
  | { readonly id: number; readonly error: { readonly code: string; readonly message: string } };

/** Told to everybody who is connected. */
export interface ExitEvent {
  readonly event: "exit";
  readonly vmHash: string;
  readonly launchId: string;
  readonly exit: VmExit;
}

export interface HelperGreeting {
  readonly protocol: number;
  readonly pid: number;
  readonly isRoot: boolean;
  /** Those of the host, with what the helper and its parts lack. */
  readonly capabilities: HypervisorCapabilities;
}

/** A machine that runs, as the helper tells of it. */
export interface MachineFacts extends VmProcess {
  readonly launchId: string;
  readonly runDir: string;
  /** Of a machine that becomes a template; null otherwise. */
  readonly templateFolder: string | null;
  /** null: the helper is not root. */
  readonly userId: number | null;
}

/** Changes with what a request may hold: one of an older helper would refuse every machine, and not say why. */
export const HELPER_PROTOCOL = 2;
/** The networks, or the facts, of as many machines as there can be. */
export const MAX_HELPER_LINE_BYTES = 16 * 1_048_576;
/** Of one connection that run at once. */
export const MAX_REQUESTS = 256;
