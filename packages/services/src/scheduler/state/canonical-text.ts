const texts = new WeakMap<object, string>();

/**
 * JSON with the members of objects in the order of their names.
 *
 * @param kept names of members whose objects are never changed: their text is made once for as long as they are there
 */
export function canonicalText(value: unknown, kept: ReadonlySet<string> = new Set()): string {
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "null";
  if (Array.isArray(value)) return `[${value.map((member) => canonicalText(member, kept)).join(",")}]`;
  const members = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, member]) => {
      const text = kept.has(name) ? keptText(member, kept) : canonicalText(member, kept);
      return `${JSON.stringify(name)}:${text}`;
    });
  return `{${members.join(",")}}`;
}

function keptText(value: unknown, kept: ReadonlySet<string>): string {
  if (typeof value !== "object" || value === null) return canonicalText(value, kept);
  const known = texts.get(value);
  if (known !== undefined) return known;
  const text = canonicalText(value, kept);
  texts.set(value, text);
  return text;
}
