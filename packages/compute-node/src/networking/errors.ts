/** What went wrong with the network of a machine, or with the settings of all of them. */
export type NetworkingErrorCode =
  | "NETWORK_SETTING_INVALID"
  | "NETWORK_REQUEST_INVALID"
  | "NETWORK_POOL_EXHAUSTED"
  | "NETWORK_ADDRESS_TAKEN"
  | "NETWORK_PORTS_EXHAUSTED"
  | "NETWORK_UNAVAILABLE";

/** A network that could not be made or changed; `message` says what failed, why, and what to do. */
export class NetworkingError extends Error {
  override readonly name = "NetworkingError";
  readonly code: NetworkingErrorCode;

  constructor(code: NetworkingErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
