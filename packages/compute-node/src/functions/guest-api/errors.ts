/** What a program is told by its API instead of an answer; `text/plain`, as the reference does. */
export class GuestApiError extends Error {
  override readonly name = "GuestApiError";
  readonly status: number;

  constructor(status: number, message: string, options?: ErrorOptions) {
    super(message, options);
    this.status = status;
  }
}
