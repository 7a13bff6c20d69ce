import { isJsonObject, type JsonObject, type JsonValue, memberOf } from "@twentysix/protocol";
import { type Connection, listPosts } from "@twentysix/sdk";
import { CreditError } from "./errors.ts";
import { nonceTag } from "./nonce.ts";

export interface CreditEntry {
  readonly address: string;
  /** Above zero. */
  readonly amount: bigint;
}

/** Where the outcome of a request stands. */
export interface CreditOutcome {
  readonly itemHash: string;
  /** False: an earlier request with the same nonce had made it. */
  readonly isNew: boolean;
}

/**
 * The post that an earlier request with this nonce made; null: there is none.
 *
 * @param kind the member that holds the entries: `distribution` or `transfer`
 * @throws CreditError NONCE_REUSED when that request was for something else
 */
export async function findRequest(
  connection: Connection,
  query: {
    readonly kind: "distribution" | "transfer";
    readonly type: string;
    readonly owner: string;
    readonly nonce: string;
    readonly entries: readonly CreditEntry[];
    readonly signal: AbortSignal;
  },
): Promise<string | null> {
  const { kind, type, owner, nonce, entries, signal } = query;
  const { items } = await listPosts(connection, {
    owners: [owner],
    types: [type],
    tags: [nonceTag(nonce)],
    pageSize: 1,
    signal,
  });
  const [found] = items;
  if (found === undefined) return null;
  const itemHash = found.original_item_hash;
  if (textOf(entriesOf(found.content, kind)) === textOf(entries)) return itemHash;
  throw new CreditError(
    "NONCE_REUSED",
    `the nonce was used for another request (${itemHash}): repeat that one as it was, or take a new nonce`,
    { itemHash },
  );
}

function entriesOf(content: JsonValue, kind: string): readonly CreditEntry[] {
  const body = isJsonObject(content) ? memberOf(content, kind) : undefined;
  const credits = isJsonObject(body) ? memberOf(body, "credits") : undefined;
  return Array.isArray(credits) ? credits.filter(isJsonObject).map(entryOf) : [];
}

function entryOf(entry: JsonObject): CreditEntry {
  const address = memberOf(entry, "address");
  const amount = memberOf(entry, "amount");
  const isInteger = typeof amount === "bigint" || Number.isInteger(amount);
  return { address: String(address), amount: isInteger ? BigInt(amount as number | bigint) : 0n };
}

const textOf = (entries: readonly CreditEntry[]): string =>
  entries.map(({ address, amount }) => `${address} ${amount}`).join("\n");
