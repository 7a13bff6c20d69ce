/** The outcome of reading a value: the value, or what was expected instead (completes "expected ..."). */
export type Parsed<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly expected: string };

/** What a value is read against. */
export interface ParseContext {
  /** The folder that relative paths start from: the working directory, or the folder of the config file. */
  readonly baseDir: string;
  /** Environment variables that belong to no setting of their own: the keys of S3. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
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

/** The same kind, which also takes a word that means that there is no such value (null). */
export function orWord<T>(kind: OptionKind<T>, word: string): OptionKind<T | null> {
  const withWord = (outcome: Parsed<T>): Parsed<T | null> =>
    outcome.ok ? outcome : { ok: false, expected: `${outcome.expected}, or ${word}` };
  return {
    placeholder: kind.placeholder,
    describe: `${kind.describe}, or \`${word}\``,
    parseText: (text, context) => (text === word ? parsed(null) : withWord(kind.parseText(text, context))),
    parseJson: (value, context) =>
      value === word || value === null ? parsed(null) : withWord(kind.parseJson(value, context)),
  };
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
