/** What an authority publishes beyond the definition of its network. */
export interface AuthoritySettings {
  /** Tokens of every holder, by chain and address. */
  readonly balances: Readonly<Record<string, Readonly<Record<string, number>>>>;
  /** Credits that addresses get once, by address. */
  readonly grants: Readonly<Record<string, bigint>>;
  readonly faucet: FaucetSettings;
  readonly billing: BillingSettings;
  /** How often the registry of nodes is looked after. */
  readonly registryPeriodSeconds: number;
  /** Also replace prices and settings that the network has and that differ from the definition. */
  readonly updatesPrices: boolean;
}

export interface FaucetSettings {
  /** Credits of one grant. */
  readonly credits: bigint;
  /** Grants to one address on one UTC day. */
  readonly grantsPerDay: number;
  /** How long they last; null: for ever. */
  readonly expiryDays: number | null;
}

export interface BillingSettings {
  readonly periodSeconds: number;
  /** Most that one expense covers, however long nothing was billed. */
  readonly maxSpanSeconds: number;
  /** Tokens that one credit is worth, a decimal text: told with expenses, for those who compute rewards. */
  readonly creditPriceTokens: string;
}

export const DEFAULT_FAUCET: FaucetSettings = { credits: 10_000_000n, grantsPerDay: 5, expiryDays: null };
export const DEFAULT_BILLING: BillingSettings = {
  periodSeconds: 3_600,
  maxSpanSeconds: 86_400,
  creditPriceTokens: "0.00001",
};

const DEFAULT_REGISTRY_PERIOD_SECONDS = 5;

/** What each development account has unless it is said otherwise: tokens, and credits worth 1,000 dollars. */
const DEVELOPMENT_TOKENS = 1_000_000;
const DEVELOPMENT_CREDITS = 1_000_000_000n;

/** The settings of a network for development: its published accounts are rich. */
export function defaultAuthoritySettings(
  accounts: readonly { readonly chain: string; readonly address: string }[],
): AuthoritySettings {
  const balances: Record<string, Record<string, number>> = {};
  for (const { chain, address } of accounts) {
    balances[chain] = { ...balances[chain], [address]: DEVELOPMENT_TOKENS };
  }
  return {
    balances,
    grants: Object.fromEntries(accounts.map(({ address }) => [address, DEVELOPMENT_CREDITS])),
    faucet: DEFAULT_FAUCET,
    billing: DEFAULT_BILLING,
    registryPeriodSeconds: DEFAULT_REGISTRY_PERIOD_SECONDS,
    updatesPrices: false,
  };
}
