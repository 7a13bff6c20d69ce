export type HypervisorErrorCode =
  /** The description of a machine is not one that may be started. */
  | "SPEC_INVALID"
  /** The machine runs already, or its folder is still in use. */
  | "ALREADY_RUNNING"
  | "NOT_RUNNING"
  /** QEMU did not start, or ended at once. */
  | "START_FAILED"
  | "QMP_FAILED"
  | "QMP_TIMEOUT"
  | "QMP_CLOSED"
  | "TEMPLATE_FAILED"
  | "HELPER_UNREACHABLE"
  | "HELPER_REFUSED"
  | "PROBE_FAILED";

/** A failure of a machine's process, or of what starts it; `message` says what failed, why, and what to do. */
export class HypervisorError extends Error {
  override readonly name = "HypervisorError";
  readonly code: HypervisorErrorCode;

  constructor(code: HypervisorErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
