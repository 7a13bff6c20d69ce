import type { Account } from "@twentysix/protocol";
import type { AuthorityContext } from "../context.ts";
import { type EarlierBalances, earlierBalances } from "./earlier-publications.ts";

/** Addresses of one post. Source: aleph-nodestatus `src/aleph_nodestatus/balances.py`. */
const MAX_ADDRESSES = 10_000;

/**
 * Publishes the balances of all holders, chain by chain, and zeros for those that were holders before: an address
 * that is left out would keep what it had. Nodes remove nothing before they have heard a publication that is newer
 * than their reason, so this is repeated even when nothing changes.
 */
export async function publishBalances(
  context: AuthorityContext,
  account: Account,
  signal: AbortSignal,
): Promise<void> {
  const { definition, settings, connection, clock } = context;
  const type = definition.authorities.balances.postType;
  const earlier = await earlierBalances(connection, { owner: account.address, type, signal });
  const nowSeconds = clock.nowMicros() / 1_000_000n;
  for (const chain of new Set([...Object.keys(settings.balances), ...earlier.keys()])) {
    const before = earlier.get(chain);
    const balances = withZeros(settings.balances[chain] ?? {}, before);
    if (balances.length === 0) continue;
    await publishChain(context, account, { chain, balances, height: laterOf(nowSeconds, before) }, signal);
  }
}

/** Seconds: they grow. A clock that was set back must not make a publication that nobody takes. */
function laterOf(nowSeconds: bigint, before: EarlierBalances | undefined): bigint {
  return before === undefined || nowSeconds > before.height ? nowSeconds : before.height + 1n;
}

function withZeros(
  balances: Readonly<Record<string, number>>,
  before: EarlierBalances | undefined,
): (readonly [string, number])[] {
  const vanished = [...(before?.holders ?? [])].filter((address) => !Object.hasOwn(balances, address));
  return [...Object.entries(balances), ...vanished.map((address) => [address, 0] as const)];
}

async function publishChain(
  { definition, publisher, log }: AuthorityContext,
  account: Account,
  publication: {
    readonly chain: string;
    readonly balances: readonly (readonly [string, number])[];
    readonly height: bigint;
  },
  signal: AbortSignal,
): Promise<void> {
  const { chain, balances, height } = publication;
  const parts = Math.ceil(balances.length / MAX_ADDRESSES);
  for (let part = 0; part < parts; part += 1) {
    const addresses = balances.slice(part * MAX_ADDRESSES, (part + 1) * MAX_ADDRESSES);
    const content = {
      chain,
      main_height: height,
      height,
      platform: definition.name,
      dapp: null,
      tags: ["balances", definition.name],
      part,
      parts,
      balances: Object.fromEntries(addresses),
    };
    const itemHash = await publisher.publish(
      { account, type: "POST", content: { type: definition.authorities.balances.postType, content } },
      signal,
    );
    log.info("published balances", { chain, addresses: addresses.length, height: String(height), itemHash });
  }
}
