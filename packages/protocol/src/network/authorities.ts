import { closedObject, nullable, required } from "../content/composite-checks.ts";
import { string } from "../content/scalar-checks.ts";
import { set, text } from "./strict-checks.ts";

/** Addresses are compared exactly, in the checksummed form. Source: pyaleph `src/aleph/config.py`. */
export type Authorities = {
  /** Publishers of token balances. */
  readonly balances: { readonly addresses: readonly string[]; readonly postType: string };
  readonly credits: {
    /** Owners of grants and debits; they also transfer without having credits. */
    readonly addresses: readonly string[];
    /** Channels in which credit posts count; none: every channel. */
    readonly channels: readonly string[];
    readonly distributionPostType: string;
    readonly expensePostType: string;
    readonly transferPostType: string;
  };
  readonly scoring: {
    readonly addresses: readonly string[];
    readonly channel: string;
    readonly metricsPostType: string;
    readonly scoresPostType: string;
  };
  /** Owner of the price list, the settings and the list of runtimes. */
  readonly prices: {
    readonly address: string;
    readonly pricingKey: string;
    readonly settingsKey: string;
  };
  /** Publisher of the registry of nodes. */
  readonly registry: {
    readonly address: string;
    readonly key: string;
    readonly operationPostType: string;
    /** The tag that an operation must carry to concern this network. */
    readonly operationTag: string;
  };
  readonly rewards: { readonly payers: readonly string[] };
  /** Who may tell compute nodes what to run while the settings aggregate names nobody. */
  readonly allocation: { readonly signers: readonly string[] };
  /** Compressed secp256k1 key that signs administration tokens, 66 hexadecimal digits; null: none. */
  readonly administrationKey: string | null;
};

const addresses = set(text);

export const authorities = closedObject<Authorities>({
  balances: required(
    closedObject<Authorities["balances"]>({ addresses: required(addresses), postType: required(text) }),
  ),
  credits: required(
    closedObject<Authorities["credits"]>({
      addresses: required(addresses),
      channels: required(set(text)),
      distributionPostType: required(text),
      expensePostType: required(text),
      transferPostType: required(text),
    }),
  ),
  scoring: required(
    closedObject<Authorities["scoring"]>({
      addresses: required(addresses),
      channel: required(text),
      metricsPostType: required(text),
      scoresPostType: required(text),
    }),
  ),
  prices: required(
    closedObject<Authorities["prices"]>({
      address: required(text),
      pricingKey: required(text),
      settingsKey: required(text),
    }),
  ),
  registry: required(
    closedObject<Authorities["registry"]>({
      address: required(text),
      key: required(text),
      operationPostType: required(text),
      operationTag: required(text),
    }),
  ),
  rewards: required(closedObject<Authorities["rewards"]>({ payers: required(addresses) })),
  allocation: required(closedObject<Authorities["allocation"]>({ signers: required(addresses) })),
  administrationKey: required(nullable(string({ pattern: /^0[23][0-9a-f]{64}$/ }))),
});
