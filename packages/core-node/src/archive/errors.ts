/** The data folder has no database: nothing was ever stored there. */
export class NoDatabaseError extends Error {
  readonly code = "NO_DATABASE";

  constructor(path: string) {
    super(`there is no database at ${path}: check --data-dir`);
  }
}
