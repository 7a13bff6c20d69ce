import type { Envelope, MessageError } from "@twentysix/protocol";
import type { PreparedMessage, Skeleton } from "@twentysix/state";
import type { Origin } from "@twentysix/storage";

/** One copy of a batch, with whatever is known of it. */
export interface Submission {
  /** null for a candidate that is tried again. */
  readonly jobId: number | null;
  readonly candidateId: number | null;
  readonly origin: Origin;
  readonly receptionMicros: bigint;
  /** Earlier failures of this copy. */
  readonly attempts: number;
  /** null when the copy cannot be judged: see `error`. */
  readonly message: PreparedMessage | null;
  readonly envelope: Envelope | null;
  /** Given when there is no envelope. */
  readonly itemHash?: string | null;
  readonly raw: string;
  readonly error: MessageError | null;
  /** Beside a FORGET: see `CopyJob`. */
  readonly skeletons?: readonly Skeleton[];
}
