import { CHAINS, type Chain } from "../chains.ts";
import { closedObject, list, nullable, required, withDefault } from "../content/composite-checks.ts";
import { oneOf } from "../content/scalar-checks.ts";
import { count, positive, set, text } from "./strict-checks.ts";

/** What a network uses a chain for. Chains that only sign messages need no entry. */
export type NetworkChain = {
  readonly chain: Chain;
  /** EIP-155 id; null for chains that have none. */
  readonly chainId: number | null;
  readonly sync: ChainSync | null;
  /** Contract of the network's token. */
  readonly tokenContract: string | null;
  readonly stream: StreamContracts | null;
  readonly creditContract: string | null;
};

/** Where messages and archives of messages are anchored. */
export type ChainSync = {
  readonly contract: string;
  /** First block worth reading. */
  readonly startHeight: number;
  readonly reader: "rpc" | "indexer" | "explorer";
  readonly events: readonly ("sync" | "message")[];
  /** Whose archives are read; null: anybody's. */
  readonly authorisedEmitters: readonly string[] | null;
  /** Text that marks the transactions, where there is no contract. */
  readonly remark: string | null;
  /** Blocks that must stand on top of one before its events count. */
  readonly finalityDepth: number;
};

/** About two and a half minutes on Ethereum: deeper changes of a chain are undone when they are met. */
const DEFAULT_FINALITY_DEPTH = 12;

/** Token streams: Superfluid. */
export type StreamContracts = {
  readonly superToken: string;
  readonly flowAgreement: string;
  readonly host: string;
  readonly forwarder: string;
};

export const networkChains = list(
  closedObject<NetworkChain>({
    chain: required(oneOf(...CHAINS)),
    chainId: required(nullable(positive)),
    sync: required(
      nullable(
        closedObject<ChainSync>({
          contract: required(text),
          startHeight: required(count),
          reader: required(oneOf("rpc", "indexer", "explorer")),
          events: required(list(oneOf("sync", "message"), { min: 1 })),
          authorisedEmitters: required(nullable(set(text))),
          remark: required(nullable(text)),
          finalityDepth: withDefault(count, () => DEFAULT_FINALITY_DEPTH),
        }),
      ),
    ),
    tokenContract: required(nullable(text)),
    stream: required(
      nullable(
        closedObject<StreamContracts>({
          superToken: required(text),
          flowAgreement: required(text),
          host: required(text),
          forwarder: required(text),
        }),
      ),
    ),
    creditContract: required(nullable(text)),
  }),
);
