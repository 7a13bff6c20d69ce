/**
 * `NETWORK_KEY_INVALID`: the key file of the peer identity cannot be read. `NETWORK_ADDRESS_INVALID`: a text is no
 * address of a peer. `NETWORK_LISTEN_FAILED`: the port is taken, or may not be opened. `NETWORK_FRAME_TOO_LARGE`: peers
 * would refuse what was to be published. `NETWORK_PEER_FAILED`: a peer does not answer, speaks something else, or broke
 * off.
 */
export type NetworkErrorCode =
  | "NETWORK_KEY_INVALID"
  | "NETWORK_ADDRESS_INVALID"
  | "NETWORK_LISTEN_FAILED"
  | "NETWORK_FRAME_TOO_LARGE"
  | "NETWORK_PEER_FAILED";

/** What went wrong between peers, and what to do. */
export class NetworkError extends Error {
  readonly code: NetworkErrorCode;

  constructor(code: NetworkErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
