import type { Connection } from "../connection.ts";
import { type AnswerObject, getObject } from "../http/answer-json.ts";
import { buildQuery } from "../http/query.ts";
import { getBalance } from "./get-balance.ts";
import { readInteger } from "./read-integer.ts";

/** What a transfer of credits came to, as the ledger of the node has it. */
export interface TransferReceipt {
  /** Of the post. */
  readonly itemHash: string;
  /** False: an earlier request with the same nonce had made it. */
  readonly isNew: boolean;
  readonly sender: string;
  /** ISO 8601: the time of the transfer. */
  readonly time: string | null;
  /** What each got: in parts where the credits of the sender end at different times. */
  readonly portions: readonly TransferPortion[];
  /** Of the sender, after all that is known by now. */
  readonly creditsLeft: bigint;
}

export interface TransferPortion {
  readonly address: string;
  readonly amount: bigint;
  /** ISO 8601; null: they do not end. */
  readonly expirationDate: string | null;
}

/** Entries of one history that are looked through at once, and how often. */
const PAGE_SIZE = 100;
const MAX_PAGES = 20;

/** Reads the receipt of a transfer that was applied. Errors: SDK_BAD_ANSWER and those of `request`. */
export async function readTransferReceipt(
  connection: Connection,
  query: {
    readonly itemHash: string;
    readonly isNew: boolean;
    readonly sender: string;
    readonly addresses: readonly string[];
    readonly signal?: AbortSignal | undefined;
  },
): Promise<TransferReceipt> {
  const { itemHash, isNew, sender, addresses, signal } = query;
  const portions: TransferPortion[] = [];
  let time: string | null = null;
  for (const address of addresses) {
    for (const entry of await entriesOf(connection, { address, sender, itemHash, signal })) {
      time ??= entry.text("message_timestamp");
      portions.push({
        address,
        amount: readInteger(entry, "amount"),
        expirationDate: entry.textOrNull("expiration_date"),
      });
    }
  }
  const { credits: creditsLeft } = await getBalance(connection, { address: sender, signal });
  return { itemHash, isNew, sender, time, portions, creditsLeft };
}

/** What an address got by a transfer, in the order of the ledger. The newest of what it got from that sender is read first. */
async function entriesOf(
  connection: Connection,
  query: {
    readonly address: string;
    readonly sender: string;
    readonly itemHash: string;
    readonly signal: AbortSignal | undefined;
  },
): Promise<AnswerObject[]> {
  const { address, sender, itemHash, signal } = query;
  for (let page = 1; page <= MAX_PAGES; page += 1) {
    const answer = await getObject(connection, {
      path: `/api/v0/addresses/${encodeURIComponent(address)}/credit_history`,
      query: buildQuery({
        origin: sender,
        payment_method: "credit_transfer",
        direction: "incoming",
        pagination: PAGE_SIZE,
        page,
        empty: 200,
      }),
      signal,
    });
    const entries = answer.objects("credit_history");
    const found = entries
      .filter((entry) => entry.text("credit_ref") === itemHash)
      .toSorted((a, b) => a.number("credit_index") - b.number("credit_index"));
    if (found.length > 0 || entries.length < PAGE_SIZE) return found;
  }
  return [];
}
