/**
 * Which rule lets a message pass or stops it; the names are part of the API of explanations.
 */
export type PaymentRule =
  | "free-by-date"
  | "free-by-size"
  | "free-in-debt"
  | "stream-watched-by-node"
  | "credit-only"
  | "credit-only-machines"
  | "credit-only-verifiable"
  | "funds-suffice"
  | "funds-exceeded-elsewhere"
  | "funds-missing";

/** What the owner must have for everything that he pays in this way, and has: tokens or credits in 10^-18. */
export interface FundsCheck {
  readonly committedAtto: bigint;
  readonly addedAtto: bigint;
  readonly requiredAtto: bigint;
  readonly availableAtto: bigint;
}

/** By which rule a message was accepted, and the funds that the rule looked at, if it did. */
export interface Acceptance {
  readonly rule: PaymentRule;
  readonly funds: FundsCheck | null;
}
