/** A refusal of the API: `message` is told as it stands, with this HTTP status. */
export class ControlError extends Error {
  override readonly name = "ControlError";
  readonly status: number;
  /** The whole body where it is more than `{"error": message}`; a text is sent as text. */
  readonly body: object | string | null;

  constructor(status: number, message: string, body: object | string | null = null, options?: ErrorOptions) {
    super(message, options);
    this.status = status;
    this.body = body;
  }
}
