/** Names of values. Source: aleph-vm `guest_api/__main__.py`. */
const KEY = /^\w+$/;
const PATTERN = /^[\w?*^-]+$/;
const MAX_CHARACTERS = 256;

export function isCacheKey(text: string): boolean {
  return text.length <= MAX_CHARACTERS && KEY.test(text);
}

/** Whether it is a pattern: `*` stands for any characters, `?` for one. */
export function isKeyPattern(text: string): boolean {
  return text.length <= MAX_CHARACTERS && PATTERN.test(text);
}

/**
 * Compares without going back more than once for each `*` that was met last: a pattern of a stranger must not take
 * longer than its length times that of the key.
 */
export function matchesPattern(key: string, pattern: string): boolean {
  let at = 0;
  let inKey = 0;
  let star = -1;
  let resumeAt = 0;
  while (inKey < key.length) {
    if (pattern[at] === "?" || (pattern[at] === key[inKey] && pattern[at] !== "*")) {
      at += 1;
      inKey += 1;
    } else if (pattern[at] === "*") {
      star = at;
      resumeAt = inKey;
      at += 1;
    } else if (star !== -1) {
      at = star + 1;
      resumeAt += 1;
      inKey = resumeAt;
    } else {
      return false;
    }
  }
  while (pattern[at] === "*") at += 1;
  return at === pattern.length;
}
