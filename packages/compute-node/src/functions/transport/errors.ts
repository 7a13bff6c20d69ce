/** What went wrong between this node and a guest. */
export type TransportErrorCode =
  /** The guest does not keep to the protocol: what comes after cannot be understood. */
  | "GUEST_PROTOCOL_BROKEN"
  /** The port is closed: the machine ended, or somebody took it over. */
  | "GUEST_CONNECTION_LOST"
  /** One stream was given up by the other side. */
  | "GUEST_STREAM_RESET"
  /** Too many streams are open at once. */
  | "GUEST_STREAMS_EXHAUSTED"
  /** The guest did not answer in time. */
  | "GUEST_SILENT"
  /** The guest answered that it could not do it; the message is its own. */
  | "GUEST_REFUSED";

/** A failure on the way to a guest, or in it. `traceback` is what the guest told of its own failure. */
export class TransportError extends Error {
  override readonly name = "TransportError";
  readonly code: TransportErrorCode;
  readonly traceback: string | null;

  constructor(
    code: TransportErrorCode,
    message: string,
    options: ErrorOptions & { readonly traceback?: string } = {},
  ) {
    super(message, options);
    this.code = code;
    this.traceback = options.traceback ?? null;
  }
}
