import { PatternError } from "./pattern-error.ts";
import type { PatternSource } from "./pattern-source.ts";

const FLAGS = "iLmsxau";
/** Which characters are letters is one choice of three. */
const TYPE_FLAGS = "aLu";

export interface InlineFlags {
  /** `(?x)` rather than `(?x:…)`. */
  readonly global: boolean;
  readonly added: ReadonlySet<string>;
  readonly removed: ReadonlySet<string>;
}

export function startsFlags(token: string): boolean {
  return token.length === 1 && (FLAGS.includes(token) || token === "-");
}

/** Reads inline flags from `first` to the closing parenthesis or the colon. */
export function readFlags(source: PatternSource, first: string): InlineFlags {
  const added = new Set<string>();
  const removed = new Set<string>();
  let token = first;
  while (token !== "-" && token !== ")" && token !== ":") {
    addFlag(added, token);
    token = source.need("missing -, : or )");
  }
  if (token === "-") {
    token = source.need("missing flag");
    do {
      removeFlag(removed, token);
      token = source.need("missing :");
    } while (token !== ":");
  }
  if ([...added].some((flag) => removed.has(flag))) {
    throw new PatternError("bad inline flags: flag turned on and off");
  }
  return { global: token === ")", added, removed };
}

function addFlag(added: Set<string>, token: string): void {
  if (token.length !== 1 || !FLAGS.includes(token)) throw new PatternError(`unknown flag '${token}'`);
  if (token === "L") throw new PatternError("bad inline flags: cannot use 'L' flag with a str pattern");
  added.add(token);
  if (added.has("a") && added.has("u")) {
    throw new PatternError("bad inline flags: flags 'a', 'u' and 'L' are incompatible");
  }
}

function removeFlag(removed: Set<string>, token: string): void {
  if (token.length !== 1 || !FLAGS.includes(token)) throw new PatternError(`unknown flag '${token}'`);
  if (TYPE_FLAGS.includes(token)) {
    throw new PatternError("bad inline flags: cannot turn off flags 'a', 'u' and 'L'");
  }
  removed.add(token);
}
