import { isJsonObject, type JsonObject, memberOf, microsOfSeconds, parseAtto } from "@twentysix/protocol";
import { type Connection, type CostObject, iterateMessages, listCosts, listMessages } from "@twentysix/sdk";
import { AuthorityError } from "../errors.ts";

const PAGE_SIZE = 1_000;
const MAX_PAGES = 10_000;
/** A list whose total changes under way may have lost a row at the edge of a page: it is read again. */
const MAX_READINGS = 5;
const HASHES_PER_QUERY = 50;
const PAID_TYPES = ["STORE", "PROGRAM", "INSTANCE", "V-PROGRAM"];

/** What is live and paid with credits, by what it is. */
export interface LiveResource {
  readonly itemHash: string;
  readonly owner: string;
  readonly creditAttoPerSecond: bigint;
  readonly sizeMib: number;
  /** `idle`: a function that runs on request; its calls are billed by whoever ran them. */
  readonly kind: "storage" | "execution" | "idle";
}

/** The owners of everything that credits pay for, in the order of expenses. */
export async function payingOwners(connection: Connection, signal: AbortSignal): Promise<readonly string[]> {
  const owners = new Set<string>();
  // What a page lost to a row that went away meanwhile is in the list that is read again.
  await readCosts(connection, {}, signal, ({ owner }) => owners.add(owner));
  return [...owners].sort((a, b) => (a < b ? -1 : 1));
}

/** What one owner pays for, by item hash. */
export async function resourcesOf(
  connection: Connection,
  owner: string,
  signal: AbortSignal,
): Promise<readonly LiveResource[]> {
  const resources = new Map<string, LiveResource>();
  await readCosts(connection, { owner, withLines: true }, signal, (cost) => {
    resources.set(cost.itemHash, liveResource(cost));
  });
  return [...resources.values()].sort((a, b) => (a.itemHash < b.itemHash ? -1 : 1));
}

async function readCosts(
  connection: Connection,
  query: { readonly owner?: string; readonly withLines?: boolean },
  signal: AbortSignal,
  take: (cost: CostObject) => void,
): Promise<void> {
  for (let reading = 0; reading < MAX_READINGS; reading += 1) {
    const totals = new Set<number>();
    for (let page = 1; page <= MAX_PAGES; page += 1) {
      const { items, total } = await listCosts(connection, { ...query, page, pageSize: PAGE_SIZE, signal });
      totals.add(total);
      for (const item of items) take(item);
      if (items.length < PAGE_SIZE) break;
    }
    if (totals.size <= 1) return;
  }
}

function liveResource({ itemHash, owner, costCredit, lines }: CostObject): LiveResource {
  const creditAttoPerSecond = parseAtto(costCredit);
  if (creditAttoPerSecond === null || creditAttoPerSecond < 0n) {
    throw new AuthorityError(
      "AUTHORITY_BAD_COST",
      `the node says that ${itemHash} costs ${JSON.stringify(costCredit.slice(0, 80))} credits a second, which is no amount; nothing is billed until it says better`,
    );
  }
  const execution = lines?.find(({ type }) => type === "EXECUTION");
  return {
    itemHash,
    owner,
    creditAttoPerSecond,
    sizeMib: (lines ?? []).reduce((sum, { sizeMib }) => sum + (sizeMib ?? 0), 0),
    kind: execution === undefined ? "storage" : execution.name === "program" ? "idle" : "execution",
  };
}

/**
 * Times of the messages of an owner that say they are of this moment or later, by item hash, in microseconds. To be
 * read after what they cost: else what came in between would have no time.
 */
export async function recentTimes(
  connection: Connection,
  owner: string,
  startMicros: bigint,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, bigint>> {
  const times = new Map<string, bigint>();
  // A list cannot be asked for such an owner: he pays for the whole period, and stops the bill of nobody.
  if (owner.includes(",")) return times;
  const messages = iterateMessages(connection, {
    owners: [owner],
    types: PAID_TYPES,
    startTimeSeconds: Number(startMicros / 1_000_000n),
    contentFormat: "none",
    signal,
  });
  for await (const { item_hash: itemHash, time } of messages) {
    times.set(itemHash, microsOfSeconds(time));
  }
  return times;
}

/** The compute nodes that executions ask for, by item hash; those that ask for none are left out. */
export async function requestedNodes(
  connection: Connection,
  itemHashes: readonly string[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, string>> {
  const nodes = new Map<string, string>();
  for (let start = 0; start < itemHashes.length; start += HASHES_PER_QUERY) {
    const hashes = itemHashes.slice(start, start + HASHES_PER_QUERY);
    const { items } = await listMessages(connection, { itemHashes: hashes, pageSize: hashes.length, signal });
    for (const { item_hash: itemHash, content } of items) {
      const node = content === undefined ? null : nodeOf(content);
      if (node !== null) nodes.set(itemHash, node);
    }
  }
  return nodes;
}

function nodeOf(content: JsonObject): string | null {
  const requirements = memberOf(content, "requirements");
  const node = isJsonObject(requirements) ? memberOf(requirements, "node") : undefined;
  const hash = isJsonObject(node) ? memberOf(node, "node_hash") : undefined;
  return typeof hash === "string" ? hash : null;
}
