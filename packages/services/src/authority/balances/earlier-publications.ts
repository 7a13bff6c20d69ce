import { isJsonObject, type JsonValue, memberOf } from "@twentysix/protocol";
import { type Connection, iteratePosts } from "@twentysix/sdk";

/** What this authority said before of the balances on one chain. */
export interface EarlierBalances {
  /** Highest of all its posts. */
  readonly height: bigint;
  /** Whom the last complete publication, or a part of one after it, gives more than nothing. */
  readonly holders: ReadonlySet<string>;
}

/** So many posts are looked back for publications of which every part is there, */
const MAX_POSTS = 200;
/** and so many at least: after a clock was set back the newest is not the first. */
const MIN_POSTS = 20;

/** By chain. Reads the posts of the authority from the newest back. */
export async function earlierBalances(
  connection: Connection,
  query: { readonly owner: string; readonly type: string; readonly signal: AbortSignal },
): Promise<ReadonlyMap<string, EarlierBalances>> {
  const { owner, type, signal } = query;
  const chains = new Map<string, ChainHistory>();
  let read = 0;
  for await (const { content } of iteratePosts(connection, {
    owners: [owner],
    types: [type],
    pageSize: 20,
    signal,
  })) {
    read += 1;
    const post = balancePart(content);
    if (post !== null) {
      const known = chains.get(post.chain) ?? new ChainHistory();
      known.add(post);
      chains.set(post.chain, known);
    }
    const areComplete = [...chains.values()].every(({ isComplete }) => isComplete);
    if (read >= MAX_POSTS || (read >= MIN_POSTS && areComplete)) break;
  }
  return chains;
}

interface BalancePart {
  readonly chain: string;
  readonly height: bigint;
  readonly part: number;
  /** null: somebody else's word in the name of the authority, which says nothing of all holders. */
  readonly parts: number | null;
  readonly holders: readonly string[];
}

/** The publications on one chain by their heights: a clock that was set back puts their times out of order. */
class ChainHistory implements EarlierBalances {
  readonly #publications = new Map<bigint, { readonly parts: Set<number>; readonly holders: Set<string> }>();
  #completeHeight = 0n;
  height = 0n;

  add({ height, part, parts, holders }: BalancePart): void {
    if (height > this.height) this.height = height;
    if (parts === null) return;
    const publication = this.#publications.get(height) ?? { parts: new Set(), holders: new Set() };
    this.#publications.set(height, publication);
    publication.parts.add(part);
    for (const address of holders) publication.holders.add(address);
    if (publication.parts.size === parts && height > this.#completeHeight) this.#completeHeight = height;
  }

  get isComplete(): boolean {
    return this.#completeHeight > 0n;
  }

  get holders(): ReadonlySet<string> {
    const since = [...this.#publications].filter(([height]) => height >= this.#completeHeight);
    return new Set(since.flatMap(([, { holders }]) => [...holders]));
  }
}

function balancePart(content: JsonValue): BalancePart | null {
  if (!isJsonObject(content)) return null;
  const chain = memberOf(content, "chain");
  const height = memberOf(content, "main_height");
  const balances = memberOf(content, "balances");
  const isHeight = typeof height === "bigint" || Number.isSafeInteger(height);
  if (typeof chain !== "string" || !isHeight || !isJsonObject(balances)) return null;
  const parts = memberOf(content, "parts");
  return {
    chain,
    height: BigInt(height as number | bigint),
    part: Number(memberOf(content, "part") ?? 0),
    parts: Number.isSafeInteger(parts) ? Number(parts) : null,
    holders: Object.entries(balances).flatMap(([address, amount]) => (Number(amount) > 0 ? [address] : [])),
  };
}
