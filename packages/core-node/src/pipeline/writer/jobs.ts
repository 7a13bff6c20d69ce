import type { JsonValue, MessageError } from "@twentysix/protocol";
import type { Skeleton } from "@twentysix/state";
import type {
  ChainChange,
  Confirmation,
  FileNote,
  HeldFile,
  Origin,
  SignatureDecision,
  Status,
} from "@twentysix/storage";
import type { VerifiedCopy } from "../verify-copy.ts";

/** One copy on its way into the state. */
export interface CopyJob {
  readonly jobId: number;
  readonly copy: VerifiedCopy;
  readonly origin: Origin;
  readonly receptionMicros: bigint;
  /** Nobody waits for its outcome in particular. */
  readonly isBulk?: boolean;
  /** Beside a FORGET: what its source has kept of messages that it hides. */
  readonly skeletons?: readonly Skeleton[];
  /** The transaction that carried the copy. */
  readonly confirmation?: CopyConfirmation;
}

/** A confirmation of whatever message a copy turns out to be. */
export type CopyConfirmation = Omit<Confirmation, "hash"> & {
  /** The transaction also vouches for the sender: the copy has no signature. */
  readonly vouches: boolean;
};

/** What else the writer commits, in the order given, before the copies of a batch. */
export type SideJob =
  | {
      readonly kind: "file";
      readonly jobId: number;
      readonly file: HeldFile;
      readonly graceUntilMicros: bigint | null;
    }
  | { readonly kind: "confirmation"; readonly jobId: number; readonly confirmation: Confirmation }
  | { readonly kind: "chain"; readonly jobId: number; readonly change: ChainChange }
  | { readonly kind: "signature"; readonly jobId: number; readonly decision: SignatureDecision }
  | { readonly kind: "note"; readonly jobId: number; readonly note: FileNote };

/** What one copy came to, once that is durable. */
export interface CopyResult {
  readonly jobId: number;
  readonly itemHash: string | null;
  /** Status of the copy: `rejected` even if another copy of the message is fine. */
  readonly status: Status;
  readonly errorCode?: number;
  readonly errorText?: string;
  readonly details?: JsonValue;
  /** Refused for what it is: syntax, hash or signature. */
  readonly refused: boolean;
  /** This node had a verdict on the hash before. */
  readonly known: boolean;
}

/** A change of the status of an item, for whoever waits for it. */
export interface ItemChange {
  readonly itemHash: string;
  readonly status: Status;
  readonly error: MessageError | null;
}

export interface BatchReport {
  readonly results: readonly CopyResult[];
  readonly sideJobs: readonly number[];
  readonly changes: readonly ItemChange[];
  /** Messages that became live. */
  readonly processed: number;
  /** Candidates that became due because of this batch. */
  readonly woken: number;
}
