/** What a switch changes when it is on. */
export type SwitchKind =
  /** Refuses messages that other implementations accept. */
  | "strictness"
  /** Accepts messages that other implementations refuse. */
  | "leniency"
  /** Gives messages another effect; what they rest on changes with it, so some are accepted and some refused. */
  | "state";

export interface SwitchDefinition {
  readonly kind: SwitchKind;
  /** What happens when the switch is on. */
  readonly on: string;
  /** What happens when it is off. */
  readonly off: string;
  /** Switches whose on position comes with this one being on, whatever their own says. */
  readonly implies?: readonly string[];
}

/**
 * Every behaviour that changes what a network accepts or what its messages amount to. All nodes of a network
 * must have the same positions, so they are part of the network definition.
 */
export const PROTOCOL_SWITCHES = {
  anyCidV1: {
    kind: "leniency",
    on: "every CIDv1 in base32 is an item hash, whatever its codec and hash function",
    off: "of CIDv1 only bafy… of 59 characters is an item hash",
  },
  nulsRealFormat: {
    kind: "leniency",
    on: "a NULS signature over the bytes of the buffer is valid (what NULS wallets make)",
    off: "such a signature is refused, as the Python reference does",
  },
  nulsPrintableForm: {
    kind: "leniency",
    on: "a NULS signature over the printable form of the buffer is valid (what the Python reference checks)",
    off: "such a signature is refused",
  },
  substrateHexWithoutPrefix: {
    kind: "leniency",
    on: "the data of a DOT signature may lack its 0x",
    off: "the 0x is required",
  },
  evmForUnverifiedChains: {
    kind: "leniency",
    on: "AURORA, STT and 0x senders on AVAX are verified as EVM",
    off: "no message can be verified for AURORA and STT, and 0x senders on AVAX are refused",
  },
  contractWallets: {
    kind: "leniency",
    on: "signatures of contract wallets (ERC-1271, ERC-6492) are valid where the network anchors on their EVM chain and the contract accepted them at the time of the message",
    off: "only a signature of the sender's own key is valid",
  },
  securityAggregateOwnerOnly: {
    kind: "strictness",
    on: "only the owner may write or forget elements of his security aggregate",
    off: "a delegate with a broad AGGREGATE right may rewrite the owner's permissions",
  },
  observedTimeGates: {
    kind: "strictness",
    on: "cut-over dates are compared with the first confirmation, else with the reception",
    off: "cut-over dates are compared with the unsigned envelope time",
  },
  vmReplacesOwnerCheck: {
    kind: "strictness",
    on: "replaces must name a VM of the same type and owner that allows it, and makes a chain of versions",
    off: "an update of a program is an independent program, whoever owns the original; no other VM can be replaced (300)",
  },
  vprogramReferencesChecked: {
    kind: "strictness",
    on: "the files that a V-PROGRAM names must exist, as for other VMs (301)",
    off: "the references of a V-PROGRAM are not looked at",
  },
  strictVProgramScalars: {
    kind: "strictness",
    on: "numbers and booleans of a V-PROGRAM must have their JSON type, as schemas since 1.4.0 require",
    off: "they are coerced like those of every other type",
  },
  creditInstancesWithoutNode: {
    kind: "leniency",
    on: "an INSTANCE paid with credits may have requirements and GPUs without naming a node, as in schemas since 1.2.0",
    off: "requirements of an INSTANCE paid with credits must name a node",
  },
  forgetAggregatesByName: {
    kind: "leniency",
    on: "the aggregates of a FORGET are keys",
    off: "the aggregates of a FORGET must have the shape of item hashes",
  },
  idempotentForget: {
    kind: "leniency",
    on: "forgetting a forgotten message succeeds and is added to its forgotten_by",
    off: "it ends as FORGET_TARGET_NOT_FOUND (501)",
  },
  ownerForgetsUsedFiles: {
    kind: "leniency",
    on: "the owner may forget a file that a VM uses; a pin on the VM's owner keeps its bytes",
    off: "a file that a live VM references cannot be forgotten (503)",
  },
  removedMayReturn: {
    kind: "leniency",
    on: "a removed message that is submitted again is processed anew",
    off: "removed is final",
  },
  freeItemsUncounted: {
    kind: "leniency",
    on: "what is free by its date or size does not count among what an account must pay for, and no debt makes it refused, not even at the upload",
    off: "the cost of what is free counts against the funds of its owner, whose debt lets even a small file be refused (5, 6), as in the reference",
  },
  overcommitSwept: {
    kind: "leniency",
    on: "what other nodes accepted beyond the funds of an account is accepted as well, and the latest of it in the order of (content.time, item_hash) is removed after the grace",
    off: "what the funds do not cover when it is processed is refused (5, 6)",
  },
  sweepSkipsUnaffordable: {
    kind: "state",
    on: "a message that its owner cannot pay for is passed over, and those after it that he can pay for stay",
    off: "a message that its owner cannot pay for leaves nothing for those after it, as in the reference",
  },
  transfersFullyCovered: {
    kind: "strictness",
    on: "a transfer of credits is refused (0) unless the credits that its sender had at its time cover it",
    off: "a recipient gets the full amount even where the sender had nothing left at the time of the transfer, as in the reference",
  },
  storesDefaultToCredits: {
    kind: "state",
    on: "a STORE that names no payment is paid with credits",
    off: "a STORE that names no payment is paid by holding tokens",
  },
  canonicalOrder: {
    kind: "state",
    on: "what messages amount to follows from the set of valid copies, whatever the order of arrival: delegations, FORGETs, updates and the copy that is served are decided in the order of (content.time, item_hash), and again when something earlier arrives; a content that is not inline must itself say its address and its time (else 0)",
    off: "a message is judged once, by what the node holds when it is processed, and the first valid copy is served, as in the reference; a content that is not inline may take address and time from the envelope",
    implies: [
      "securityAggregateOwnerOnly",
      "idempotentForget",
      "ownerForgetsUsedFiles",
      "vmReplacesOwnerCheck",
    ],
  },
} as const satisfies Readonly<Record<string, SwitchDefinition>>;

export type SwitchName = keyof typeof PROTOCOL_SWITCHES;
export type ProtocolSwitches = Readonly<Record<SwitchName, boolean>>;

/** The positions that hold: a switch that is on takes along those that it implies. */
export function effectiveSwitches(positions: ProtocolSwitches): ProtocolSwitches {
  const effective: Record<SwitchName, boolean> = { ...positions };
  for (const [name, { implies }] of Object.entries<SwitchDefinition>(PROTOCOL_SWITCHES)) {
    if (!positions[name as SwitchName]) continue;
    for (const implied of implies ?? []) effective[implied as SwitchName] = true;
  }
  return effective;
}

/** The positions that the protocol specification calls normative. */
export const NORMATIVE_SWITCHES: ProtocolSwitches = {
  ...(Object.fromEntries(Object.keys(PROTOCOL_SWITCHES).map((name) => [name, false])) as Record<
    SwitchName,
    boolean
  >),
  nulsRealFormat: true,
};
