/** Why a machine may not start as it is paid; `status` is the HTTP status that clients know for it. */
export class PaymentError extends Error {
  override readonly name = "PaymentError";
  readonly code: "PAYMENT_INVALID" | "PAYMENT_MISSING";

  constructor(code: PaymentError["code"], message: string) {
    super(message);
    this.code = code;
  }
}
