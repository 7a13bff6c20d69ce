/** The keys of the authorities cannot be used as configured. Names a setting: the command line ends with code 2. */
export class AuthorityKeysError extends Error {
  readonly code: "AUTHORITY_KEYS_UNUSABLE" | "AUTHORITY_KEYS_MISSING";
  readonly setting = "authorityKeys";

  /** @param flag that of the command which wants the keys. */
  constructor(code: AuthorityKeysError["code"], reason: string, flag = "--authority-keys") {
    super(`${flag}: ${reason}`);
    this.name = "AuthorityKeysError";
    this.code = code;
  }
}
