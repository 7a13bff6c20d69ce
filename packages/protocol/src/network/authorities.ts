import { closedObject, nullable, required } from "../content/composite-checks.ts";
import { string } from "../content/scalar-checks.ts";
import { count, set, strictFlag, text } from "./strict-checks.ts";

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
    readonly rules: RegistryDefinition;
  };
  readonly rewards: { readonly payers: readonly string[] };
  /** Who may tell compute nodes what to run while the settings aggregate names nobody. */
  readonly allocation: { readonly signers: readonly string[] };
  /** Compressed secp256k1 key that signs administration tokens, 66 hexadecimal digits; null: none. */
  readonly administrationKey: string | null;
};

/** Who may have a node, and what becomes of it. Source: aleph-nodestatus `src/aleph_nodestatus/settings.py`. */
export type RegistryDefinition = {
  /** Tokens that the owner of a core node must hold. */
  readonly nodeTokens: number;
  /** Tokens that a staker must hold. */
  readonly stakeTokens: number;
  /** Tokens on a core node from which on it is active. */
  readonly activationTokens: number;
  /** Compute nodes of one core node. */
  readonly maxLinkedNodes: number;
  /** Several nodes may name the same host; otherwise the later one's address is not taken. */
  readonly sharedHosts: boolean;
  /** Core nodes that were made below this height of Ethereum have a bonus; null: none has. */
  readonly bonusBeforeHeight: number | null;
  /** When compute nodes without a parent leave that score nothing; null: never. */
  readonly removal: { readonly fromHeight: number; readonly inactiveBlocks: number } | null;
  /** Heights whose scores are passed over, both included; null: all count. */
  readonly ignoredScores: { readonly fromHeight: number; readonly toHeight: number } | null;
};

const addresses = set(text);

const registryDefinition = closedObject<RegistryDefinition>({
  nodeTokens: required(count),
  stakeTokens: required(count),
  activationTokens: required(count),
  maxLinkedNodes: required(count),
  sharedHosts: required(strictFlag),
  bonusBeforeHeight: required(nullable(count)),
  removal: required(
    nullable(
      closedObject<NonNullable<RegistryDefinition["removal"]>>({
        fromHeight: required(count),
        inactiveBlocks: required(count),
      }),
    ),
  ),
  ignoredScores: required(
    nullable(
      closedObject<NonNullable<RegistryDefinition["ignoredScores"]>>({
        fromHeight: required(count),
        toHeight: required(count),
      }),
    ),
  ),
});

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
      rules: required(registryDefinition),
    }),
  ),
  rewards: required(closedObject<Authorities["rewards"]>({ payers: required(addresses) })),
  allocation: required(closedObject<Authorities["allocation"]>({ signers: required(addresses) })),
  administrationKey: required(nullable(string({ pattern: /^0[23][0-9a-f]{64}$/ }))),
});
