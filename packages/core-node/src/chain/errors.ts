/** Why a chain cannot be read or written; the code names what happened, the message says what to do. */
export type ChainErrorCode =
  /** No RPC answered as it should. */
  | "CHAIN_RPC_UNAVAILABLE"
  /** An RPC refused the request itself. */
  | "CHAIN_RPC_REFUSED"
  /** An RPC or indexer cannot answer so much at once. */
  | "CHAIN_ANSWER_TOO_LARGE"
  /** What the RPC tells contradicts itself: the chain changed meanwhile. */
  | "CHAIN_CHANGED"
  /** The chain is not the one that was read before. */
  | "CHAIN_HISTORY_DIFFERS"
  /** Archive or indexer answers that cannot be had now. */
  | "CHAIN_CONTENT_UNAVAILABLE"
  /** A file or payload that will never be what it should be. */
  | "CHAIN_CONTENT_INVALID"
  /** The settings name a chain or key that does not fit the network. */
  | "CHAIN_SETTINGS_INVALID";

export class ChainError extends Error {
  readonly code: ChainErrorCode;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: ChainErrorCode, message: string, details: Readonly<Record<string, unknown>> = {}) {
    super(message);
    this.name = "ChainError";
    this.code = code;
    this.details = details;
  }
}
