import { CHAINS, type Chain } from "../chains.ts";
import { openObject, optional, required } from "../content/composite-checks.ts";
import { oneOf, wideInteger } from "../content/scalar-checks.ts";
import { type Check, INVALID, type Validation } from "../content/validation.ts";
import { isJsonObject, type JsonValue, memberOf } from "../json/json-value.ts";
import { floorToAtto, PriceDecimal } from "../pricing/amount.ts";
import { type LedgerContentResult, ledgerName, readLedgerContent } from "./ledger-checks.ts";

/** Token balances that an authority publishes. Source: pyaleph `src/aleph/handlers/content/post.py`. */
export interface BalanceUpdate {
  readonly chain: Chain;
  /** Height of the network's main chain: of two figures for one address the higher one counts. */
  readonly mainHeight: bigint;
  /** Balances inside an application are kept apart and cannot be spent; null: ordinary ones. */
  readonly dapp: string | null;
  /** Tokens in units of 10^-18. An address that is left out keeps its balance. */
  readonly balances: readonly (readonly [address: string, tokensAtto: bigint])[];
  /** Its place in a publication that says that it lists every holder; null: it says nothing of others. */
  readonly part: BalancePart | null;
}

/** Part `index` of `count`, from 0. */
export interface BalancePart {
  readonly index: number;
  readonly count: number;
}

type Fields = {
  readonly chain: Chain;
  readonly main_height: number | bigint;
  readonly dapp: string | null;
  readonly balances: BalanceUpdate["balances"];
};

/** Larger than any supply; a figure beyond it is an error of the publisher. */
const MAX_TOKENS = 1e15;

const tokens = (value: JsonValue, at: Validation): bigint | typeof INVALID => {
  const isNumber = typeof value === "number" || typeof value === "bigint";
  if (!isNumber) return at.fail("float_type", "Input should be a valid number", value);
  if (value < 0 || value > MAX_TOKENS)
    return at.fail("value_error", "Value error, a balance lies between 0 and 10^15 tokens", value);
  return floorToAtto(new PriceDecimal(String(value)));
};

const balancesByAddress: Check<BalanceUpdate["balances"]> = (value, at) => {
  if (!isJsonObject(value)) return at.fail("dict_type", "Input should be a valid dictionary", value);
  const read: [string, bigint][] = [];
  let isValid = true;
  for (const [address, member] of Object.entries(value)) {
    const amount = at.inside(value, address, member, tokens);
    const name = at.inside(value, "address", address, ledgerName);
    if (amount === INVALID || name === INVALID) isValid = false;
    else read.push([address, amount]);
  }
  return isValid ? read : INVALID;
};

const balanceUpdate = openObject<Fields>({
  chain: required(oneOf(...CHAINS)),
  main_height: required(wideInteger({ min: 0, max: 2n ** 62n })),
  dapp: optional(ledgerName),
  balances: required(balancesByAddress),
});

/** Reads `content.content` of a balance post. */
export function readBalancePost(content: JsonValue): LedgerContentResult<BalanceUpdate> {
  const result = readLedgerContent("balance update", content, balanceUpdate);
  if (!result.ok) return result;
  const { chain, main_height, dapp, balances } = result.value;
  const part = dapp === null ? partOf(content) : null;
  return { ok: true, value: { chain, mainHeight: BigInt(main_height), dapp, balances, part } };
}

const MAX_PARTS = 100_000;

/** `part` and `parts` are words of ours: what else they may be to others is no mistake. */
function partOf(content: JsonValue): BalancePart | null {
  const [index, count] = ["part", "parts"].map((name) =>
    isJsonObject(content) ? memberOf(content, name) : undefined,
  );
  if (!Number.isSafeInteger(index) || !Number.isSafeInteger(count)) return null;
  const part = { index: Number(index), count: Number(count) };
  return part.index >= 0 && part.index < part.count && part.count <= MAX_PARTS ? part : null;
}
