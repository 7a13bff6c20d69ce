export type CoreNodesErrorCode =
  /** No core node answered: nothing can be said. */
  | "UNREACHABLE"
  /** Those that answered do not know it. */
  | "NOT_FOUND";

/** What core nodes could not be asked; `message` says what to do. */
export class CoreNodesError extends Error {
  override readonly name = "CoreNodesError";
  readonly code: CoreNodesErrorCode;

  constructor(code: CoreNodesErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? {} : { cause });
    this.code = code;
  }
}
