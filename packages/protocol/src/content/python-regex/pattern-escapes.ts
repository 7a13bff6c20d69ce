import { PatternError } from "./pattern-error.ts";
import type { PatternGroups } from "./pattern-groups.ts";
import { isOneOf, type PatternSource } from "./pattern-source.ts";
import { NO_WIDTH, ONE_CHARACTER, type Width } from "./pattern-width.ts";

const DIGITS = "0123456789";
const OCTAL = "01234567";
const HEX = "0123456789abcdefABCDEF";
const CONTROL: Readonly<Record<string, number>> = { a: 7, f: 12, n: 10, r: 13, t: 9, v: 11, "\\": 92 };
const HEX_LENGTH: Readonly<Record<string, number>> = { x: 2, u: 4, U: 8 };

/** An escape outside of a set: a position, a character, or what a group has matched. */
export type Escape =
  | { readonly kind: "position"; readonly width: Width }
  | { readonly kind: "item"; readonly width: Width };

export function readEscape(source: PatternSource, token: string, groups: PatternGroups): Escape {
  const letter = token.slice(1);
  if (isOneOf(letter, "AbBZ")) return { kind: "position", width: NO_WIDTH };
  if (isOneOf(letter, "dDsSwW")) return { kind: "item", width: ONE_CHARACTER };
  if (isOneOf(letter, "123456789")) return { kind: "item", width: readReference(source, letter, groups) };
  if (letter === "0") source.getWhile(2, OCTAL);
  else readCharacter(source, letter);
  return { kind: "item", width: ONE_CHARACTER };
}

/** A back reference, or the third digit makes it an octal character. */
function readReference(source: PatternSource, first: string, groups: PatternGroups): Width {
  let digits = first;
  if (source.next !== undefined && isOneOf(source.next, DIGITS)) {
    digits += source.get();
    const octal = [...digits].every((digit) => OCTAL.includes(digit));
    if (octal && source.next !== undefined && isOneOf(source.next, OCTAL)) {
      octalValue(digits + source.get());
      return ONE_CHARACTER;
    }
  }
  return groups.refer(Number(digits));
}

/** An escape inside a set: the code point, or null for a class of characters. */
export function readSetEscape(source: PatternSource, token: string): number | null {
  const letter = token.slice(1);
  if (letter === "b") return 8;
  if (isOneOf(letter, "dDsSwW")) return null;
  if (isOneOf(letter, OCTAL)) return octalValue(letter + source.getWhile(2, OCTAL));
  return readCharacter(source, letter);
}

/** An escape that stands for one character, by name or by number. */
function readCharacter(source: PatternSource, letter: string): number {
  const control = Object.hasOwn(CONTROL, letter) ? CONTROL[letter] : undefined;
  if (control !== undefined) return control;
  const length = Object.hasOwn(HEX_LENGTH, letter) ? HEX_LENGTH[letter] : undefined;
  if (length !== undefined) return readHex(source, letter, length);
  if (letter === "N") return readNamed(source);
  if (/^[a-zA-Z0-9]$/.test(letter)) throw new PatternError(`bad escape \\${letter}`);
  return letter.codePointAt(0) ?? 0;
}

function readHex(source: PatternSource, letter: string, length: number): number {
  const digits = source.getWhile(length, HEX);
  const value = Number.parseInt(digits, 16);
  if (digits.length !== length) throw new PatternError(`incomplete escape \\${letter}${digits}`);
  if (value > 0x10ffff) throw new PatternError(`bad escape \\${letter}${digits}`);
  return value;
}

/**
 * A character by its Unicode name. The table of names is not at hand, so any text of their alphabet passes, and
 * the character counts as the lowest one.
 */
function readNamed(source: PatternSource): number {
  if (!source.match("{")) throw new PatternError("missing {");
  const name = source.getUntil("}", "character name");
  if (!/^[A-Za-z0-9][A-Za-z0-9 -]*$/.test(name)) {
    throw new PatternError(`undefined character name '${name}'`);
  }
  return 0;
}

function octalValue(digits: string): number {
  const value = Number.parseInt(digits, 8);
  if (value > 0o377) throw new PatternError(`octal escape value \\${digits} outside of range 0-0o377`);
  return value;
}
