import { PatternError } from "./pattern-error.ts";

/** The tokens of a pattern: one character, or a backslash with the character after it. */
export class PatternSource {
  readonly #tokens: string[] = [];
  #position = 0;

  constructor(pattern: string) {
    const characters = [...pattern];
    for (let index = 0; index < characters.length; index += 1) {
      const character = characters[index] ?? "";
      if (character !== "\\") {
        this.#tokens.push(character);
        continue;
      }
      index += 1;
      const escaped = characters[index];
      if (escaped === undefined) {
        throw new PatternError("bad escape (end of pattern)");
      }
      this.#tokens.push(`\\${escaped}`);
    }
  }

  get next(): string | undefined {
    return this.#tokens[this.#position];
  }

  get position(): number {
    return this.#position;
  }

  seek(position: number): void {
    this.#position = position;
  }

  get(): string | undefined {
    const token = this.next;
    if (token !== undefined) this.#position += 1;
    return token;
  }

  /** The next token; the end of the pattern is an error. */
  need(message: string): string {
    const token = this.get();
    if (token === undefined) throw new PatternError(message);
    return token;
  }

  match(token: string): boolean {
    if (this.next !== token) return false;
    this.#position += 1;
    return true;
  }

  /** At most `limit` characters of `alphabet`. */
  getWhile(limit: number, alphabet: string): string {
    let text = "";
    while (text.length < limit && this.next !== undefined && isOneOf(this.next, alphabet)) text += this.get();
    return text;
  }

  /** The text up to `terminator`, which is stepped over; neither may be missing. */
  getUntil(terminator: string, noun: string): string {
    let text = "";
    for (;;) {
      const token = this.get();
      if (token === undefined) {
        throw new PatternError(text === "" ? `missing ${noun}` : `missing ${terminator}, unterminated name`);
      }
      if (token === terminator) break;
      text += token;
    }
    if (text === "") throw new PatternError(`missing ${noun}`);
    return text;
  }
}

export function isOneOf(token: string, alphabet: string): boolean {
  return token.length === 1 && alphabet.includes(token);
}
