import { isJsonObject, type JsonObject, type JsonValue, memberOf, sha256OfText } from "@twentysix/protocol";
import type { Connection } from "../connection.ts";
import { listPosts } from "../posts/list-posts.ts";

/** Who gets how many credits. */
export interface CreditEntry {
  readonly address: string;
  /** Above zero. */
  readonly amount: bigint;
}

export interface FindCreditRequestParameters {
  /** The member that holds the entries. */
  readonly kind: "distribution" | "transfer";
  readonly postType: string;
  readonly owner: string;
  readonly nonce: string;
  readonly entries: readonly CreditEntry[];
  readonly signal?: AbortSignal | undefined;
}

/** A text by which a request is known again, whatever stands in it: a tag of its post. */
export const creditNonceTag = (nonce: string): string => `nonce:${sha256OfText(nonce)}`;

/**
 * The post that an earlier request with this nonce made, and whether it was for the same entries; null: there is none
 * that was applied.
 *
 * Errors: those of `listPosts`.
 *
 * @example
 * const earlier = await findCreditRequest(connection, { kind: "transfer", postType, owner, nonce, entries });
 */
export async function findCreditRequest(
  connection: Connection,
  { kind, postType, owner, nonce, entries, signal }: FindCreditRequestParameters,
): Promise<{ readonly itemHash: string; readonly isSame: boolean; readonly createdAt: string } | null> {
  const { items } = await listPosts(connection, {
    owners: [owner],
    types: [postType],
    tags: [creditNonceTag(nonce)],
    pageSize: 1,
    signal,
  });
  const [found] = items;
  if (found === undefined) return null;
  return {
    itemHash: found.original_item_hash,
    isSame: textOf(entriesOf(found.content, kind)) === textOf(entries),
    createdAt: found.created,
  };
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
