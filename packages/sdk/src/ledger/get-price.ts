import type { Connection } from "../connection.ts";
import { findObject } from "../http/answer-json.ts";

export interface GetPriceParameters {
  readonly itemHash: string;
  readonly signal?: AbortSignal | undefined;
}

export interface MessagePrice {
  readonly paymentType: "hold" | "superfluid" | "credit";
  /** Tokens to hold, or tokens or credits a second: an exact decimal text. */
  readonly cost: string;
}

/**
 * What a message costs, as computed when it was accepted; null when the node does not know the message.
 *
 * Errors: SDK_BAD_ANSWER and those of `request` (410 as SDK_HTTP_ERROR: the message is gone).
 *
 * @example
 * const price = await getPrice(connection, { itemHash });
 */
export async function getPrice(
  connection: Connection,
  { itemHash, signal }: GetPriceParameters,
): Promise<MessagePrice | null> {
  const answer = await findObject(connection, {
    path: `/api/v0/price/${encodeURIComponent(itemHash)}`,
    signal,
  });
  if (answer === null) return null;
  const paymentType = answer.text("payment_type");
  if (paymentType !== "hold" && paymentType !== "superfluid" && paymentType !== "credit") {
    throw answer.bad("payment_type", '"hold", "superfluid" or "credit"');
  }
  return { paymentType, cost: answer.text("cost") };
}
