/** What each error carries beside its message, by code. */
export interface CreditErrorDetails {
  /** Another request was made under the same nonce. */
  readonly NONCE_REUSED: { readonly itemHash: string };
  /** The address has had its share of today. */
  readonly FAUCET_LIMIT_REACHED: { readonly address: string; readonly perDay: number };
  /** A text that is no address, or one whose letter case shows a mistake. */
  readonly CREDIT_ADDRESS_INVALID: { readonly address: string };
  /** Neither a development account nor a key file gives the key. */
  readonly CREDIT_KEY_MISSING: { readonly addresses: readonly string[] };
}

export class CreditError<Code extends keyof CreditErrorDetails = keyof CreditErrorDetails> extends Error {
  readonly code: Code;
  readonly details: CreditErrorDetails[Code];

  constructor(code: Code, message: string, details: CreditErrorDetails[Code]) {
    super(message);
    this.name = "CreditError";
    this.code = code;
    this.details = details;
  }
}
