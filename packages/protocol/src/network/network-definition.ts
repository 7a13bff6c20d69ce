import type { Chain } from "../chains.ts";
import { closedObject, list, required, withDefault, withRules } from "../content/composite-checks.ts";
import { oneOf, string } from "../content/scalar-checks.ts";
import { INVALID, Validation } from "../content/validation.ts";
import type { FormatProblem } from "../errors/error-table.ts";
import { type Sha256, sha256OfText } from "../hash/sha256-hash.ts";
import { isJsonObject, type JsonValue } from "../json/json-value.ts";
import { stringifyCanonicalJson } from "../json/stringify-json.ts";
import { contractChainsOf } from "../signature/contract-question.ts";
import type { ProtocolSwitches } from "../switches/protocol-switches.ts";
import { type Authorities, authorities } from "./authorities.ts";
import { type Durability, durability, EVERYONE } from "./durability.ts";
import { type NetworkChain, networkChains } from "./network-chains.ts";
import {
  type Cutovers,
  cutovers,
  type NetworkLimits,
  networkLimits,
  protocolSwitches,
} from "./network-rules.ts";
import { type NetworkSettings, networkSettings, type PriceList, priceList } from "./price-list.ts";
import { set, text } from "./strict-checks.ts";

/** Everything that makes one network differ from another. The code has none of it. */
export type NetworkDefinition = {
  readonly name: string;
  readonly description: string;
  readonly topics: {
    /** Gossip and IPFS pubsub carry messages under the same name. */
    readonly messages: string;
    readonly alive: string;
    readonly ipfsAlive: string;
  };
  /** Whether nodes announce public addresses only, or private ones as well. */
  readonly announce: "public" | "private";
  /** By default every node keeps every file. */
  readonly durability: Durability;
  readonly authorities: Authorities;
  readonly chains: readonly NetworkChain[];
  readonly cutovers: Cutovers;
  readonly limits: NetworkLimits;
  readonly switches: ProtocolSwitches;
  readonly pricing: PriceList;
  readonly settings: NetworkSettings;
  readonly bootstrap: Bootstrap;
  /** Keys that everybody knows, for networks that hold nothing of value. */
  readonly developmentAccounts: readonly DevelopmentAccount[];
};

/** Where to find the network. Two nodes may differ here and belong to the same network. */
export type Bootstrap = {
  /** Multiaddresses of nodes. */
  readonly libp2p: readonly string[];
  /** Multiaddresses of IPFS peers. */
  readonly ipfs: readonly string[];
  /** HTTP addresses of nodes, for clients. */
  readonly http: readonly string[];
  /** Event indexers of chains that are read through one. */
  readonly indexers: readonly { readonly chain: Chain; readonly url: string }[];
};

/** INSECURE: its private key is published. */
export type DevelopmentAccount = {
  readonly role: string;
  readonly chain: "ETH" | "SOL";
  readonly address: string;
  /** 64 hexadecimal digits. */
  readonly insecurePrivateKey: string;
};

export type NetworkDefinitionResult =
  | { readonly ok: true; readonly definition: NetworkDefinition }
  | { readonly ok: false; readonly errors: readonly FormatProblem[] };

const topic = string({ pattern: /^[^.]+$/ });

const networkDefinition = withRules(
  closedObject<NetworkDefinition>({
    name: required(string({ pattern: /^[a-z][a-z0-9-]{0,31}$/ })),
    description: required(text),
    topics: required(
      closedObject<NetworkDefinition["topics"]>({
        messages: required(topic),
        alive: required(topic),
        ipfsAlive: required(topic),
      }),
    ),
    announce: required(oneOf("public", "private")),
    durability: withDefault(durability, () => EVERYONE),
    authorities: required(authorities),
    chains: required(networkChains),
    cutovers: required(cutovers),
    limits: required(networkLimits),
    switches: required(protocolSwitches),
    pricing: required(priceList),
    settings: required(networkSettings),
    bootstrap: required(
      closedObject<Bootstrap>({
        libp2p: required(set(text)),
        ipfs: required(set(text)),
        http: required(set(text)),
        indexers: required(
          list(
            closedObject<Bootstrap["indexers"][number]>({
              chain: required(oneOf("ETH", "BSC", "TEZOS", "SOL")),
              url: required(text),
            }),
          ),
        ),
      }),
    ),
    developmentAccounts: required(
      list(
        closedObject<DevelopmentAccount>({
          role: required(text),
          chain: required(oneOf("ETH", "SOL")),
          address: required(text),
          insecurePrivateKey: required(string({ pattern: /^[0-9a-f]{64}$/ })),
        }),
      ),
    ),
  }),
  ({ chains }) =>
    new Set(chains.map(({ chain }) => chain)).size === chains.length ? null : "a chain is defined twice",
  ({ announce, developmentAccounts }) =>
    announce === "public" && developmentAccounts.length > 0
      ? "a public network cannot have accounts whose private keys are published"
      : null,
  (definition) =>
    definition.switches.contractWallets && contractChainsOf(definition).length === 0
      ? "contractWallets needs an EVM chain that the network anchors on: its contracts are asked there"
      : null,
);

/**
 * Reads the JSON of a network definition. Exact: an unknown key, a missing one, or a value that would need a
 * coercion is an error, with the path to it. A `$schema` at the top is for editors and is left out.
 */
export function parseNetworkDefinition(json: JsonValue): NetworkDefinitionResult {
  let body = json;
  if (isJsonObject(json)) {
    const { $schema: _editorHint, ...rest } = json;
    body = rest;
  }
  const validation = new Validation([], {});
  const definition = networkDefinition(body, validation);
  return definition === INVALID ? { ok: false, errors: validation.problems } : { ok: true, definition };
}

/**
 * The identity of a network: SHA-256, in hexadecimal, of its definition as canonical JSON without `bootstrap`,
 * which says where the network is and not what it is. Nodes whose hashes differ do not agree on the rules.
 */
export function networkHash(definition: NetworkDefinition, sha256?: Sha256): string {
  const { bootstrap: _whereItIs, ...rules } = definition;
  return sha256OfText(stringifyCanonicalJson(rules), sha256);
}
