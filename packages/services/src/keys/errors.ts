/** The keys of the authorities cannot be used as configured. Names a setting: the command line ends with code 2. */
export class AuthorityKeysError extends Error {
  readonly code: "AUTHORITY_KEYS_UNUSABLE" | "AUTHORITY_KEYS_MISSING";
  readonly setting = "authorityKeys";

  constructor(code: AuthorityKeysError["code"], reason: string) {
    super(`--authority-keys: ${reason}`);
    this.name = "AuthorityKeysError";
    this.code = code;
  }
}
