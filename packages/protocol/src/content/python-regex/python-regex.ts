import { PatternError } from "./pattern-error.ts";
import { readEscape, readSetEscape } from "./pattern-escapes.ts";
import { type InlineFlags, readFlags, startsFlags } from "./pattern-flags.ts";
import { checkGroupName, PatternGroups } from "./pattern-groups.ts";
import { isOneOf, PatternSource } from "./pattern-source.ts";
import { eitherOf, followedBy, NO_WIDTH, ONE_CHARACTER, repeated, type Width } from "./pattern-width.ts";

/**
 * Why `pattern` does not compile in Python's regular expression syntax (3.11 and later), or null.
 *
 * Contents may carry a pattern that must compile; every node has to give the same answer, so the rules are those
 * of Python's `re` module and not of this runtime. Nothing is matched. One thing cannot be known here: whether
 * the name in `\N{…}` exists.
 */
export function pythonRegexProblem(pattern: string): string | null {
  try {
    new PatternReader(pattern).read();
    return null;
  } catch (error) {
    if (error instanceof PatternError) return error.message;
    throw error;
  }
}

/** What a quantifier would repeat: a position and a repetition cannot be. */
type Item = { readonly kind: "position" | "repetition" | "item"; readonly width: Width };

/** Longest look-behind. */
const MAX_LOOK_BEHIND = 2 ** 32 - 1;
const MAX_REPEAT = 2 ** 32 - 1;
const MAX_GROUPS = 1_073_741_823;

class PatternReader {
  readonly #source: PatternSource;
  readonly #groups = new PatternGroups();
  readonly #globalFlags = new Set<string>();

  constructor(pattern: string) {
    this.#source = new PatternSource(pattern);
  }

  read(): void {
    this.#alternatives(false, true);
    if (this.#globalFlags.has("a") && this.#globalFlags.has("u")) {
      throw new PatternError("ASCII and UNICODE flags are incompatible");
    }
    if (this.#source.next !== undefined) throw new PatternError("unbalanced parenthesis");
    this.#groups.checkConditions();
  }

  #alternatives(verbose: boolean, top: boolean): Width {
    let width = this.#sequence(verbose, top);
    while (this.#source.match("|")) width = eitherOf(width, this.#sequence(verbose, false));
    return width;
  }

  /** Items up to a bar, a closing parenthesis or the end. Global flags may stand before the `first` item only. */
  #sequence(outerVerbose: boolean, first: boolean): Width {
    let verbose = outerVerbose;
    let width = NO_WIDTH;
    let last: Item | null = null;
    const push = (item: Item) => {
      width = last === null ? width : followedBy(width, last.width);
      last = item;
    };
    for (;;) {
      const token = this.#source.next;
      if (token === undefined || token === "|" || token === ")") {
        return last === null ? width : followedBy(width, (last as Item).width);
      }
      this.#source.get();
      if (verbose && this.#skipsSpace(token)) continue;
      if (token.startsWith("\\")) push(readEscape(this.#source, token, this.#groups));
      else if (token === "[") push(this.#set());
      else if (isOneOf(token, "*+?{")) {
        const range = this.#quantifier(token);
        if (range === null) push({ kind: "item", width: ONE_CHARACTER });
        else last = this.#repeat(last, range);
      } else if (token === "(") {
        const group = this.#group(verbose);
        if (group === "comment") continue;
        if ("global" in group) {
          if (!first || last !== null) {
            throw new PatternError("global flags not at the start of the expression");
          }
          verbose = this.#globalFlags.has("x");
        } else push(group);
      } else if (token === "^" || token === "$") push({ kind: "position", width: NO_WIDTH });
      else push({ kind: "item", width: ONE_CHARACTER });
    }
  }

  #skipsSpace(token: string): boolean {
    if (isOneOf(token, " \t\n\r\v\f")) return true;
    if (token !== "#") return false;
    for (;;) {
      const skipped = this.#source.get();
      if (skipped === undefined || skipped === "\n") return true;
    }
  }

  #set(): Item {
    this.#source.match("^");
    for (let count = 0; ; count += 1) {
      const token = this.#setToken();
      if (token === "]" && count > 0) break;
      const low = this.#setCharacter(token);
      if (!this.#source.match("-")) continue;
      const end = this.#setToken();
      if (end === "]") break;
      const high = this.#setCharacter(end);
      if (low === null || high === null || high < low) {
        throw new PatternError(`bad character range ${token}-${end}`);
      }
    }
    return { kind: "item", width: ONE_CHARACTER };
  }

  #setToken(): string {
    return this.#source.need("unterminated character set");
  }

  /** Code point, or null for a class of characters. */
  #setCharacter(token: string): number | null {
    return token.startsWith("\\") ? readSetEscape(this.#source, token) : (token.codePointAt(0) ?? 0);
  }

  /** Bounds of a quantifier; null when the brace is a plain character. */
  #quantifier(token: string): { min: number; max: number } | null {
    if (token === "?") return { min: 0, max: 1 };
    if (token === "*") return { min: 0, max: Number.POSITIVE_INFINITY };
    if (token === "+") return { min: 1, max: Number.POSITIVE_INFINITY };
    if (this.#source.next === "}") return null;
    const start = this.#source.position;
    const low = this.#digits();
    const high = this.#source.match(",") ? this.#digits() : low;
    if (!this.#source.match("}")) {
      this.#source.seek(start);
      return null;
    }
    const min = low === "" ? 0 : Number(low);
    const max = high === "" ? Number.POSITIVE_INFINITY : Number(high);
    if (min >= MAX_REPEAT || (high !== "" && max >= MAX_REPEAT)) {
      throw new PatternError("the repetition number is too large");
    }
    if (max < min) throw new PatternError("min repeat greater than max repeat");
    return { min, max };
  }

  #digits(): string {
    return this.#source.getWhile(Number.POSITIVE_INFINITY, "0123456789");
  }

  #repeat(item: Item | null, { min, max }: { min: number; max: number }): Item {
    if (item === null || item.kind === "position") throw new PatternError("nothing to repeat");
    if (item.kind === "repetition") throw new PatternError("multiple repeat");
    // Lazy or possessive.
    if (!this.#source.match("?")) this.#source.match("+");
    return { kind: "repetition", width: repeated(item.width, min, max) };
  }

  #group(verbose: boolean): Item | "comment" | { readonly global: true } {
    if (!this.#source.match("?")) return this.#capture(null, verbose);
    const token = this.#source.need("unexpected end of pattern");
    switch (token) {
      case "P":
        return this.#named(verbose);
      case ":":
      case ">":
        return this.#body(verbose);
      case "#":
        while (this.#source.need("missing ), unterminated comment") !== ")") {
          // Skips the comment.
        }
        return "comment";
      case "=":
      case "!":
        return this.#lookAround(verbose, false);
      case "<": {
        const kind = this.#source.need("unexpected end of pattern");
        if (kind !== "=" && kind !== "!") throw new PatternError(`unknown extension ?<${kind}`);
        return this.#lookAround(verbose, true);
      }
      case "(":
        return this.#conditional(verbose);
      default:
        if (!startsFlags(token)) throw new PatternError(`unknown extension ?${token}`);
        return this.#flagged(readFlags(this.#source, token), verbose);
    }
  }

  #capture(name: string | null, verbose: boolean): Item {
    const group = this.#groups.open(name);
    const item = this.#body(verbose);
    this.#groups.close(group, item.width);
    return item;
  }

  #body(verbose: boolean): Item {
    const width = this.#alternatives(verbose, false);
    this.#endGroup();
    return { kind: "item", width };
  }

  #endGroup(): void {
    if (!this.#source.match(")")) throw new PatternError("missing ), unterminated subpattern");
  }

  #named(verbose: boolean): Item {
    if (this.#source.match("<")) {
      const name = this.#source.getUntil(">", "group name");
      checkGroupName(name);
      return this.#capture(name, verbose);
    }
    if (this.#source.match("=")) {
      const name = this.#source.getUntil(")", "group name");
      checkGroupName(name);
      return { kind: "item", width: this.#groups.refer(this.#groups.named(name)) };
    }
    throw new PatternError(`unknown extension ?P${this.#source.need("unexpected end of pattern")}`);
  }

  #lookAround(verbose: boolean, behind: boolean): Item {
    const outer = this.#groups.lookBehindStart;
    if (behind) this.#groups.lookBehindStart ??= this.#groups.count;
    const { width } = this.#body(verbose);
    this.#groups.lookBehindStart = outer;
    if (behind && width.min > MAX_LOOK_BEHIND) throw new PatternError("looks too much behind");
    if (behind && width.min !== width.max) {
      throw new PatternError("look-behind requires fixed-width pattern");
    }
    return { kind: "item", width: NO_WIDTH };
  }

  #conditional(verbose: boolean): Item {
    const name = this.#source.getUntil(")", "group name");
    if (/^[0-9]+$/.test(name)) {
      const group = Number(name);
      if (group === 0) throw new PatternError("bad group number");
      if (group >= MAX_GROUPS) throw new PatternError(`invalid group reference ${group}`);
      this.#groups.condition(group);
    } else {
      checkGroupName(name);
      this.#groups.checkLookBehind(this.#groups.named(name));
    }
    let width = this.#sequence(verbose, false);
    if (this.#source.match("|")) {
      width = eitherOf(width, this.#sequence(verbose, false));
      if (this.#source.next === "|") {
        throw new PatternError("conditional backref with more than two branches");
      }
    } else width = eitherOf(width, NO_WIDTH);
    this.#endGroup();
    return { kind: "item", width };
  }

  #flagged(flags: InlineFlags, verbose: boolean): Item | { readonly global: true } {
    if (flags.global) {
      for (const flag of flags.added) this.#globalFlags.add(flag);
      return { global: true };
    }
    return this.#body((verbose || flags.added.has("x")) && !flags.removed.has("x"));
  }
}
