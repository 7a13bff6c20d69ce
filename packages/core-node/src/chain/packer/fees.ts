/** What a transaction offers, in the smallest unit of the chain. */
export type Fees =
  | { readonly kind: "eip1559"; readonly maxFeePerGas: bigint; readonly maxPriorityFeePerGas: bigint }
  | { readonly kind: "legacy"; readonly gasPrice: bigint };

/** Answer of `eth_feeHistory`. */
export interface FeeHistory {
  readonly baseFeePerGas?: readonly string[];
  readonly reward?: readonly (readonly string[])[] | null;
}

/** A replacement must offer a tenth more to be taken; an eighth stays above that whatever is rounded. */
const BUMP_NUMERATOR = 9n;
const BUMP_DENOMINATOR = 8n;

/**
 * Tip: mean of what the 25th percentile of the last blocks paid; most: twice the next base fee and the tip. null where
 * the chain has no such market. Source: pyaleph `src/aleph/chains/ethereum.py`.
 */
export function marketFees({ baseFeePerGas = [], reward }: FeeHistory): Fees | null {
  const tips = (reward ?? []).flatMap(([tip]) => (tip === undefined ? [] : [BigInt(tip)]));
  const nextBaseFee = baseFeePerGas.at(-1);
  if (tips.length === 0 || nextBaseFee === undefined) return null;
  const maxPriorityFeePerGas = tips.reduce((sum, tip) => sum + tip, 0n) / BigInt(tips.length);
  return {
    kind: "eip1559",
    maxPriorityFeePerGas,
    maxFeePerGas: 2n * BigInt(nextBaseFee) + maxPriorityFeePerGas,
  };
}

/** Where there is no market: a tenth above what the node asks. */
export const legacyFees = (gasPrice: bigint): Fees => ({ kind: "legacy", gasPrice: (gasPrice * 11n) / 10n });

/** What the market asks, and at least so much more than an earlier offer for the same nonce that it is replaced. */
export function replacing(earlier: Fees, market: Fees): Fees {
  const [before, now] = [ceilingOf(earlier), ceilingOf(market)];
  const most = larger(bumped(before), now);
  if (earlier.kind === "legacy") return { kind: "legacy", gasPrice: most };
  const tip = market.kind === "eip1559" ? market.maxPriorityFeePerGas : 0n;
  return {
    kind: "eip1559",
    maxFeePerGas: most,
    maxPriorityFeePerGas: larger(bumped(earlier.maxPriorityFeePerGas), tip),
  };
}

/** The most that one unit of gas may cost. */
export function ceilingOf(fees: Fees): bigint {
  return fees.kind === "legacy" ? fees.gasPrice : fees.maxFeePerGas;
}

const bumped = (fee: bigint): bigint => (fee * BUMP_NUMERATOR) / BUMP_DENOMINATOR + 1n;
const larger = (a: bigint, b: bigint): bigint => (a > b ? a : b);
