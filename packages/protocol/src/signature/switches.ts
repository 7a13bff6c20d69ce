/**
 * Protocol switches of signature verification. Each one changes the set of accepted messages, so all nodes of
 * one network must agree on them: they belong to the network definition.
 */
export interface SignatureSwitches {
  /** NULS: accept signatures over the printable form of the buffer, the only ones the reference accepts. */
  readonly nulsPrintableForm: boolean;
  /** NULS: accept signatures over the bytes of the buffer, which real NULS wallets make. */
  readonly nulsRealFormat: boolean;
  /** DOT: accept `data` without its `0x` (leniency; aleph-sdk-python emits it so). */
  readonly substrateHexWithoutPrefix: boolean;
  /** AURORA, STT, and `0x` senders on AVAX: verify as EVM (leniency; aleph-rs does). */
  readonly evmForUnverifiedChains: boolean;
}

/** The normative behaviour of the protocol specification. */
export const DEFAULT_SIGNATURE_SWITCHES: SignatureSwitches = {
  nulsPrintableForm: false,
  nulsRealFormat: true,
  substrateHexWithoutPrefix: false,
  evmForUnverifiedChains: false,
};
