import type { PaymentStatus, VmFacts } from "./model/vm.ts";

/**
 * Checks payments that only a chain knows of. Machines that it says nothing of keep what was said before: a chain that
 * cannot be read changes nothing.
 */
export interface PaymentGate {
  /** All machines that are paid by stream, so that a payer's stream is not counted twice. */
  check(machines: readonly VmFacts[], signal: AbortSignal): Promise<ReadonlyMap<string, PaymentStatus>>;
}

/** So many checks in a row must fail before a machine that ran is ended. */
export const FAILED_CHECKS = 3;

/** Counts failures, so that one bad check ends nothing. */
export class PaymentVerdicts {
  readonly #failures = new Map<string, number>();

  /** What counts now, given what the gate said and what counted before. */
  settle(
    checked: ReadonlyMap<string, PaymentStatus>,
    earlier: (vmHash: string) => PaymentStatus | null,
  ): ReadonlyMap<string, PaymentStatus | null> {
    for (const vmHash of this.#failures.keys()) if (!checked.has(vmHash)) this.#failures.delete(vmHash);
    const settled = new Map<string, PaymentStatus | null>();
    for (const [vmHash, status] of checked) {
      const failures = status === "validated" ? 0 : (this.#failures.get(vmHash) ?? 0) + 1;
      if (failures === 0) this.#failures.delete(vmHash);
      else this.#failures.set(vmHash, failures);
      const isBorne = earlier(vmHash) === "validated" && failures < FAILED_CHECKS;
      settled.set(vmHash, status === "invalidated" && isBorne ? "validated" : status);
    }
    return settled;
  }
}
