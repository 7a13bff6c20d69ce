/** Texts kept with their places numbered; the shapes of list filters are many. */
const MAX_KNOWN = 2_000;

const known = new Map<string, string>();

/** A statement with `$1`, `$2` … for its question marks; those inside of quotes are none. */
export function numberPlaceholders(sql: string): string {
  const found = known.get(sql);
  if (found !== undefined) return found;
  if (known.size >= MAX_KNOWN) known.clear();
  const numbered = numberNow(sql);
  known.set(sql, numbered);
  return numbered;
}

function numberNow(sql: string): string {
  let text = "";
  let count = 0;
  let quote: string | null = null;
  for (const character of sql) {
    if (quote === null && character === "?") {
      count += 1;
      text += `$${count}`;
      continue;
    }
    if (quote === null && (character === "'" || character === '"')) quote = character;
    // A doubled quote closes and opens again.
    else if (character === quote) quote = null;
    text += character;
  }
  return text;
}
