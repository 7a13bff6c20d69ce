import type { JsonObject } from "@twentysix/protocol";
import type {
  BalancesEvent,
  NodeScore,
  OperationEvent,
  ScoresEvent,
} from "../../../src/authority/registry/events.ts";
import type { RegistryRules } from "../../../src/authority/registry/rules.ts";

const ATTO = 10n ** 18n;

export const RULES: RegistryRules = {
  nodeAtto: 199_999n * ATTO,
  stakeAtto: 9_999n * ATTO,
  activationAtto: 499_999n * ATTO,
  maxLinkedNodes: 8,
  sharedHosts: false,
  bonusBeforeHeight: 1_000,
  removal: { fromHeight: 5_000, inactiveBlocks: 100 },
  ignoredScores: { fromHeight: 3_000, toHeight: 3_100 },
};

let made = 0;
const place = (timeSeconds = 0, height: number | null = null) => {
  made += 1;
  return { itemHash: `hash-${String(made).padStart(6, "0")}`, timeSeconds, height };
};

interface Options {
  readonly timeSeconds?: number;
  readonly height?: number | null;
  readonly ref?: string;
  readonly isAmend?: boolean;
}

export function operation(
  address: string,
  action: string,
  details: JsonObject = {},
  options: Options = {},
): OperationEvent {
  return {
    ...place(options.timeSeconds, options.height),
    kind: "operation",
    address,
    isAmend: options.isAmend ?? false,
    ref: options.ref ?? null,
    content: { action, details },
  };
}

let lastHeight = 0n;

/** Each later than the one before. */
export function balances(
  tokens: Readonly<Record<string, number>>,
  { platform = "test", ...at }: { readonly platform?: string; readonly timeSeconds?: number } = {},
): BalancesEvent {
  lastHeight += 1n;
  return {
    ...place(at.timeSeconds),
    kind: "balances",
    platform,
    balancesHeight: lastHeight,
    balances: new Map(Object.entries(tokens).map(([address, amount]) => [address, BigInt(amount) * ATTO])),
  };
}

export function scores(
  given: Readonly<Record<string, number | NodeScore>>,
  height: number | null = null,
): ScoresEvent {
  return {
    ...place(0, height),
    kind: "scores",
    scores: new Map(
      Object.entries(given).map(([node, score]) => [
        node,
        typeof score === "number" ? { score, performance: score, decentralization: score } : score,
      ]),
    ),
  };
}
