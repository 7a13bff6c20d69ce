import type { MessageError } from "@twentysix/protocol";
import type { PriceRequest } from "./rules.ts";
import type { Need } from "./world.ts";

/** The copy cannot be judged yet; try again when one of `waits` becomes available, or later. */
export interface Waiting {
  readonly kind: "wait";
  readonly error: MessageError;
  /** `item:<hash>`, `file:<hash>` or `security:<owner>`. */
  readonly waits: readonly string[];
  /** What is missing is missing here and may be anywhere else: the copy is never given up. */
  readonly isLackOfNode?: boolean;
}

/** The copy is refused. `waits` names what could still change the verdict, if anything can. */
export interface Refused {
  readonly kind: "reject";
  readonly error: MessageError;
  readonly waits: readonly string[];
  /** Given for a refusal of the payment: everything that was looked at. Its world is the one of the batch. */
  readonly payment?: PriceRequest;
  /** Given where the price list has no price for the message: its name. */
  readonly priceList?: string;
}

/** Facts are missing: fetch them and ask again. */
export interface Needing {
  readonly kind: "need";
  readonly needs: readonly Need[];
}

/** What became of one copy of a message. */
export type Outcome =
  | Needing
  | Waiting
  | Refused
  /** Applied: the message is now live. */
  | { readonly kind: "processed" }
  /** A further copy of a live message; `stored` when it is a distinct one. */
  | { readonly kind: "confirmed"; readonly stored: boolean }
  /** The message is forgotten; `retained` when this copy is kept, hidden, behind a FORGET that may be taken back. */
  | { readonly kind: "forgotten"; readonly retained: boolean }
  /** The message was removed for lack of funds, which is final in this network. */
  | { readonly kind: "removed" };

/** What stops a message: an outcome, or null to go on. */
export type Stop = Needing | Waiting | Refused | null;

export const need = (needs: readonly Need[]): Needing => ({ kind: "need", needs });

export const wait = (error: MessageError, waits: readonly string[]): Waiting => ({
  kind: "wait",
  error,
  waits,
});

/** For want of funds on a node that does not know all of them. */
export const waitForFunds = (error: MessageError, owner: string): Waiting => ({
  ...wait(error, [`account:${owner}`]),
  isLackOfNode: true,
});

export const reject = (error: MessageError, waits: readonly string[] = []): Refused => ({
  kind: "reject",
  error,
  waits,
});
