import type { LocalAccount, NetworkDefinition, ProtocolSwitches } from "@twentysix/protocol";
import { type AccountFact, creditsAt, judgePayment, type RemovedBill, World } from "@twentysix/state";
import { aggregate, evm, type Signed, signed } from "../../pipeline/support/signed.ts";
import { networkDefinition, StateHarness } from "../../pipeline/support/state-harness.ts";

/** Who publishes balances, credits and prices in these tests. */
export const authorities = {
  balances: evm("publisher of balances"),
  credits: evm("issuer of credits"),
  prices: evm("whose prices hold"),
};

/** A network whose authorities are those of the tests. */
export function ledgerNetwork(
  name: "local" | "mainnet",
  switches: Partial<ProtocolSwitches> = {},
  changes: { readonly cutovers?: Partial<NetworkDefinition["cutovers"]> } = {},
): NetworkDefinition {
  const definition = networkDefinition(name, switches);
  const { balances, credits, prices } = definition.authorities;
  return {
    ...definition,
    cutovers: { ...definition.cutovers, ...changes.cutovers },
    authorities: {
      ...definition.authorities,
      balances: { ...balances, addresses: [authorities.balances.address] },
      credits: { ...credits, addresses: [authorities.credits.address] },
      prices: { ...prices, address: authorities.prices.address },
    },
  };
}

/** A node that judges payments as the product does. */
export async function ledgerNode(definition: NetworkDefinition): Promise<StateHarness> {
  const node = await StateHarness.open(definition);
  node.priceCheck = judgePayment;
  return node;
}

/** Balances of addresses on ETH, at a height. */
export function balancePost(
  time: number,
  balances: Readonly<Record<string, number>>,
  fields: Readonly<Record<string, unknown>> = {},
  publisher: LocalAccount = authorities.balances,
): Signed {
  const content = { chain: "ETH", main_height: Math.floor(time), balances, ...fields };
  return signed(publisher, "POST", time, { type: "balances-update", content });
}

export interface GrantEntry {
  readonly address: string;
  readonly amount: unknown;
  readonly expiration?: number | null;
  readonly price?: unknown;
}

const CREDITS = { channel: "ALEPH_CREDIT" };

export function distribution(time: number, ...entries: readonly GrantEntry[]): Signed {
  const credits = entries.map((entry) => ({
    price: "0.0000573",
    tx_hash: "0xabc",
    provider: "ALEPH",
    ...entry,
  }));
  const content = { distribution: { token: "ALEPH", chain: "ETH", credits } };
  return signed(authorities.credits, "POST", time, { type: "aleph_credit_distribution", content }, CREDITS);
}

export function expense(
  time: number,
  ...credits: readonly (GrantEntry & { readonly execution_id?: string; readonly ref?: string })[]
): Signed {
  const content = { expense: { count: credits.length, credits } };
  return signed(authorities.credits, "POST", time, { type: "aleph_credit_expense", content }, CREDITS);
}

export function transfer(sender: LocalAccount, time: number, ...credits: readonly GrantEntry[]): Signed {
  const content = { transfer: { credits } };
  return signed(sender, "POST", time, { type: "aleph_credit_transfer", content }, CREDITS);
}

export const priceListOf = (time: number, content: object, key = "pricing"): Signed =>
  aggregate(authorities.prices, time, key, content);

/** Submits messages one after the other and says how each ended. */
export async function outcomes(
  node: StateHarness,
  ...messages: readonly Signed[]
): Promise<(string | null)[]> {
  const statuses: (string | null)[] = [];
  for (const { text, hash } of messages) {
    await node.submit(text);
    statuses.push(node.status(hash));
  }
  return statuses;
}

/** The account of an address as the writer holds it. */
export function accountIn(node: StateHarness, address: string): AccountFact | null {
  const world = new World();
  node.store.fetch(world, [{ table: "accounts", key: address }], () => undefined);
  return world.facts.accounts.get(address);
}

/** What the writer has kept of the bill and the end of a removed message. */
export function removedBillIn(node: StateHarness, hash: string): RemovedBill | null {
  const world = new World();
  node.store.fetch(world, [{ table: "removedBills", key: hash }], () => undefined);
  return world.facts.removedBills.get(hash);
}

/** Credits of an address at a moment; the node's own by default. */
export function creditsIn(node: StateHarness, address: string, atSeconds?: number): bigint {
  const world = new World();
  node.store.fetch(world, [{ table: "lots", key: address }], () => undefined);
  const atMicros = atSeconds === undefined ? node.nowMicros : BigInt(atSeconds) * 1_000_000n;
  return creditsAt(world.facts.lots.get(address) ?? [], atMicros);
}

/** The credit history of an address: amount and expiry in seconds, in the order of the ledger. */
export function historyIn(
  node: StateHarness,
  address: string,
): { amount: bigint; expiresAt: number | null }[] {
  const world = new World();
  node.store.fetch(world, [{ table: "creditHistory", key: address }], () => undefined);
  return (world.index.creditHistory.get(address) ?? []).map(({ amount, expirationMicros }) => ({
    amount,
    expiresAt: expirationMicros === null ? null : Number(expirationMicros / 1_000_000n),
  }));
}
