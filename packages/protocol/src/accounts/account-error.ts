/** What an account refuses. */
export type AccountErrorCode = "private_key_invalid" | "address_prefix_invalid" | "time_too_precise";

/** An account cannot be made from what was given, or cannot sign what was given. */
export class AccountError extends Error {
  readonly code: AccountErrorCode;

  constructor(code: AccountErrorCode, message: string) {
    super(message);
    this.name = "AccountError";
    this.code = code;
  }
}
