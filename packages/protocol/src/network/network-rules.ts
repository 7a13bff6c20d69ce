import { CHAINS, type Chain } from "../chains.ts";
import { closedObject, type Field, nullable, required } from "../content/composite-checks.ts";
import { oneOf } from "../content/scalar-checks.ts";
import { PROTOCOL_SWITCHES, type ProtocolSwitches, type SwitchName } from "../switches/protocol-switches.ts";
import { count, positive, seconds, strictFlag } from "./strict-checks.ts";

/** Dates from which a rule holds, Unix seconds; at the very second it holds. null: the change never comes. */
export type Cutovers = {
  /** STORE and non-persistent PROGRAM are free before; null: they were never free. */
  readonly paidFilesFromSeconds: number | null;
  /** The same change as a block height, for messages that are confirmed. */
  readonly paidFilesFromHeight: { readonly chain: Chain; readonly height: number } | null;
  /** INSTANCE and persistent PROGRAM must be paid with credits from here. */
  readonly creditOnlyMachinesFromSeconds: number | null;
  /** Everything must be paid with credits from here. */
  readonly creditOnlyFromSeconds: number | null;
  /** Amounts of credit posts before are multiplied by `creditPrecisionFactor`. */
  readonly creditPrecisionFromSeconds: number | null;
  readonly creditPrecisionFactor: number;
};

export const cutovers = closedObject<Cutovers>({
  paidFilesFromSeconds: required(nullable(seconds)),
  paidFilesFromHeight: required(
    nullable(
      closedObject<{ readonly chain: Chain; readonly height: number }>({
        chain: required(oneOf(...CHAINS)),
        height: required(count),
      }),
    ),
  ),
  creditOnlyMachinesFromSeconds: required(nullable(seconds)),
  creditOnlyFromSeconds: required(nullable(seconds)),
  creditPrecisionFromSeconds: required(nullable(seconds)),
  creditPrecisionFactor: required(positive),
});

export type NetworkLimits = {
  /** Longest `item_content`, in code points. */
  readonly itemContentCharacters: number;
  /** Largest frame of the gossip layer, the whole envelope in it. */
  readonly gossipFrameBytes: number;
  /** Contents of this size and more are stored as files by clients. */
  readonly inlineContentBytes: number;
  /** Content of a message on IPFS must be smaller. */
  readonly storedContentBytes: number;
  /** Longest channel that a submit endpoint takes. */
  readonly channelCharacters: number;
  /** Files up to this size are free while holding tokens. Looked at by the ledger alone. */
  readonly freeFileBytes: number;
  /** How long a file outlives its last pin. */
  readonly gracePeriodSeconds: number;
  /** How long a file outlives the decision to remove it for lack of funds. */
  readonly removalGraceSeconds: number;
  /** Credits must last this long for a machine or file to be accepted. */
  readonly creditRuntimeSeconds: number;
  /** Attempts at a message after the first. Missing content is tried a fixed number of times more. */
  readonly messageRetries: number;
};

export const networkLimits = closedObject<NetworkLimits>({
  itemContentCharacters: required(positive),
  gossipFrameBytes: required(positive),
  inlineContentBytes: required(positive),
  storedContentBytes: required(positive),
  channelCharacters: required(positive),
  freeFileBytes: required(count),
  gracePeriodSeconds: required(count),
  removalGraceSeconds: required(count),
  creditRuntimeSeconds: required(count),
  messageRetries: required(count),
});

/** Every switch must be named: a position that is left out would be a guess. */
export const protocolSwitches = closedObject<ProtocolSwitches>(
  Object.fromEntries(Object.keys(PROTOCOL_SWITCHES).map((name) => [name, required(strictFlag)])) as Record<
    SwitchName,
    Field<boolean>
  >,
);
