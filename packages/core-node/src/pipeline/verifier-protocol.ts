import type { Chain, NetworkLimits, ProtocolSwitches } from "@twentysix/protocol";
import type { Skeleton } from "@twentysix/state";
import type { Origin } from "@twentysix/storage";
import type { ThreadPort } from "../threads/threads.ts";
import type { VerifiedCopy } from "./verify-copy.ts";
import type { CopyConfirmation, CopyJob } from "./writer/jobs.ts";

/** What a verifier thread is started with. */
export interface VerifierData {
  readonly switches: ProtocolSwitches;
  readonly limits: NetworkLimits;
  readonly contractChains: readonly Chain[];
  /** Verified copies go to the writer without a detour. */
  readonly writer: Pick<ThreadPort<readonly CopyJob[], unknown>, "postMessage">;
}

/** One copy to verify. */
export interface VerifyJob {
  readonly jobId: number;
  readonly text: string;
  readonly origin: Origin;
  readonly receptionMicros: bigint;
  readonly trusted: boolean;
  /** Passed on with the copy: see `CopyJob`. */
  readonly isBulk: boolean;
  /** Say what it is as soon as that is known. */
  readonly tells: boolean;
  /** Passed on with the copy: see `CopyJob`. */
  readonly skeletons?: readonly Skeleton[];
  readonly confirmation?: CopyConfirmation;
}

export type VerifierRequest =
  | { readonly kind: "verify"; readonly jobs: readonly VerifyJob[] }
  /** Looks at one copy that came to a submit endpoint and tells, without passing it on. */
  | { readonly kind: "inspect"; readonly requestId: number; readonly text: string }
  /** Ends the thread, once everything before is done. */
  | { readonly kind: "end" };

/** What a first look at a copy tells: whether hash, schema and signature are right. */
export type ToldCopy =
  | { readonly isGenuine: false }
  /** A chain is to be asked. */
  | { readonly isGenuine: null }
  /** `identity`: the same for copies that differ in their layout alone, lower-case hexadecimal. */
  | { readonly isGenuine: true; readonly identity: string };

export type VerifierResponse =
  | { readonly kind: "ready"; readonly implementation: Readonly<Record<string, string>> }
  /** The last word, which hands the channel to the writer back. */
  | { readonly kind: "ended"; readonly writer: VerifierData["writer"] }
  | { readonly kind: "verified"; readonly jobId: number; readonly told: ToldCopy }
  | { readonly kind: "inspected"; readonly requestId: number; readonly copy: VerifiedCopy }
  /** A copy that makes the rules throw. */
  | {
      readonly kind: "defect";
      readonly jobId: number | null;
      readonly requestId: number | null;
      readonly error: unknown;
    };
