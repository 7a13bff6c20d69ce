/** What an authority meets that it cannot publish from. */
export class AuthorityError extends Error {
  readonly code: "AUTHORITY_BAD_COST";

  constructor(code: AuthorityError["code"], message: string) {
    super(message);
    this.name = "AuthorityError";
    this.code = code;
  }
}
