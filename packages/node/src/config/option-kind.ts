/** The outcome of reading a value: the value, or what was expected instead (completes "expected ..."). */
export type Parsed<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly expected: string };

/** What a value is read against. */
export interface ParseContext {
  /** The folder that relative paths start from: the working directory, or the folder of the config file. */
  readonly baseDir: string;
}

/** A type of option: how its values are written and read. */
export interface OptionKind<T> {
  /** Stands for the value in help texts, in capitals: `PORT`. */
  readonly placeholder: string;
  /** What values look like, for the documentation. */
  readonly describe: string;
  /** Reads the text of a flag or of an environment variable. */
  parseText(text: string, context: ParseContext): Parsed<T>;
  /** Reads the value of a key of the config file. */
  parseJson(value: unknown, context: ParseContext): Parsed<T>;
}

export function parsed<T>(value: T): Parsed<T> {
  return { ok: true, value };
}

/** A kind whose values are texts in the config file too. */
export function textKind<T>(kind: Omit<OptionKind<T>, "parseJson">): OptionKind<T> {
  return {
    ...kind,
    parseJson: (value, context) =>
      typeof value === "string"
        ? kind.parseText(value, context)
        : { ok: false, expected: `a text: ${kind.describe}` },
  };
}
