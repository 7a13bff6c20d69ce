export const EXECUTION_ERROR_CODES = [
  "NO_CAPACITY",
  "BUSY",
  "NOT_FOUND",
  "REQUIREMENTS_NOT_MET",
  "IMAGE_DOWNLOAD_FAILED",
  "IMAGE_INVALID",
  "HOST_IMAGES_MISSING",
  "VOLUME_INVALID",
  "NETWORK_FAILED",
  "HYPERVISOR_FAILED",
  "GUEST_INIT_FAILED",
  "GUEST_SETUP_FAILED",
  "INVALID_STATE",
  "UNSUPPORTED",
] as const;

/** What went wrong with a machine, for its owner. */
export type ExecutionErrorCode = (typeof EXECUTION_ERROR_CODES)[number];

/** A failure of an operation on a machine; `message` says what failed, why, and what to do. */
export class ExecutionError extends Error {
  override readonly name = "ExecutionError";
  readonly code: ExecutionErrorCode;

  constructor(code: ExecutionErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
