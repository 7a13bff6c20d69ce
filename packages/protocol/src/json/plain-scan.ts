import { endOfString } from "./raw-scan.ts";
import { MAX_JSON_DEPTH } from "./strict-parser.ts";

const QUOTE = 0x22;

/**
 * True when the platform's JSON.parse and the strict parser are certain to give the same answer for `text`.
 *
 * One pass without allocation. It refuses whatever they treat differently: escaped surrogates, numbers of 16
 * digits or more, exponents, `-0`, floats that could have an integral value, and deep nesting. A false costs
 * time only.
 */
export function isPlainJsonText(text: string): boolean {
  if (!text.isWellFormed()) return false;
  // U+D000 to U+DFFF, so possibly a surrogate.
  if (text.includes("\\ud") || text.includes("\\uD")) return false;
  let depth = 0;
  let index = 0;
  while (index < text.length) {
    const code = text.charCodeAt(index);
    if (code === QUOTE) {
      index = endOfString(text, index);
    } else if (code >= 0x30 && code <= 0x39) {
      index = endOfPlainNumber(text, index);
      if (index < 0) return false;
    } else {
      if (code === 0x2d && text.charCodeAt(index + 1) === 0x30) return false;
      if (code === 0x5b || code === 0x7b) {
        depth += 1;
        if (depth > MAX_JSON_DEPTH) return false;
      } else if (code === 0x5d || code === 0x7d) depth -= 1;
      index += 1;
    }
  }
  return true;
}

/** Index after the number, or -1 when only the strict parser knows its value and its kind. */
function endOfPlainNumber(text: string, start: number): number {
  let index = endOfDigits(text, start);
  const integerDigits = index - start;
  if (integerDigits > 15) return -1;
  if (text.charCodeAt(index) === 0x2e) {
    // Below 10^12 a double is spaced by less than 0.001, so a fraction from .01 to .99 cannot round to an integer.
    if (integerDigits > 12) return -1;
    const first = text.charCodeAt(index + 1);
    const second = text.charCodeAt(index + 2);
    if (first === 0x30 && !(second > 0x30 && second <= 0x39)) return -1;
    if (first === 0x39 && second === 0x39) return -1;
    index = endOfDigits(text, index + 1);
  }
  return (text.charCodeAt(index) | 0x20) === 0x65 ? -1 : index;
}

function endOfDigits(text: string, start: number): number {
  let index = start;
  while (isDigit(text.charCodeAt(index))) index += 1;
  return index;
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}
