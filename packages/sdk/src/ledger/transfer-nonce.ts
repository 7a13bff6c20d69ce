import type { Account } from "@twentysix/protocol";
import type { Connection } from "../connection.ts";

/** Microseconds, and what tells apart nonces of the same moment. */
const MADE = /^t([0-9]{1,16})-[0-9a-f]{16}$/;

/**
 * A new nonce for a transfer of credits. It carries the time of the transfer, so that all who send it with the same
 * entries send the same message, byte for byte, whenever and however often they do.
 *
 * @example
 * const nonce = createTransferNonce(connection, account);
 * save(nonce);
 * await transferCredits(connection, { account, entries, nonce });
 */
export function createTransferNonce(
  { clock, runtime }: Connection,
  { timeStepMicros }: Pick<Account, "timeStepMicros">,
): string {
  const part = (): string =>
    Math.floor(runtime.random() * 2 ** 32)
      .toString(16)
      .padStart(8, "0");
  return `t${clock.next(timeStepMicros)}-${part()}${part()}`;
}

/** The time in a nonce, in microseconds; null in one that was made otherwise. */
export function timeOfNonce(nonce: string): bigint | null {
  const made = MADE.exec(nonce);
  return made === null ? null : BigInt(made[1] ?? "");
}
