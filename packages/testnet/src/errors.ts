export type TestnetErrorCode =
  /** Something else listens on ports of the network. */
  | "TESTNET_PORTS_TAKEN"
  /** No package carries the local chain for this machine, or it is not installed. */
  | "TESTNET_CHAIN_NOT_INSTALLED"
  /** The local chain refuses what it is asked for. */
  | "TESTNET_CHAIN_FAILED"
  /** A process of the network ended before the network was ready. */
  | "TESTNET_PART_ENDED"
  /** The processes run, and what they wait for does not come. */
  | "TESTNET_NOT_READY";

/** A network that cannot be brought up. */
export class TestnetError extends Error {
  readonly code: TestnetErrorCode;

  constructor(code: TestnetErrorCode, message: string) {
    super(message);
    this.name = "TestnetError";
    this.code = code;
  }
}
