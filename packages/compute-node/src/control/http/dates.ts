/** `2025-03-28 11:21:21.744000+00:00`, as Python writes a date: without the fraction when it is 0. */
export function spacedDate(atMs: number): string {
  const [day = "", time = ""] = new Date(atMs).toISOString().slice(0, -1).split("T");
  const [clock = "", fraction = "000"] = time.split(".");
  return `${day} ${clock}${fraction === "000" ? "" : `.${fraction}000`}+00:00`;
}

export function spacedDateOrNull(atMs: number | null): string | null {
  return atMs === null ? null : spacedDate(atMs);
}

/** `2025-01-01T10:21:00+00:00` */
export function isoDate(atMs: number): string {
  return spacedDate(atMs).replace(" ", "T");
}

const ISO_DATE = /^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:?\d{2}(?::\d{2})?)?$/;
const HAS_ZONE = /(Z|[+-]\d{2}:?\d{2}(?::\d{2})?)$/;

/**
 * Unix milliseconds of an ISO 8601 date, or of seconds in digits. null: it is none, or lacks the time zone that is
 * needed; without one it is taken for UTC.
 */
export function parseDate(text: string, options: { readonly needsZone: boolean }): number | null {
  if (/^\d{1,12}(\.\d+)?$/.test(text)) return options.needsZone ? null : Number(text) * 1_000;
  // Python writes both an offset and the letter when it is asked for the letter.
  const cleaned = text.replace(/([+-]\d{2}:\d{2})Z$/, "$1");
  if (!ISO_DATE.test(cleaned)) return null;
  const hasZone = HAS_ZONE.test(cleaned.slice(11));
  if (!hasZone && options.needsZone) return null;
  const atMs = Date.parse(`${cleaned.replace(" ", "T")}${hasZone ? "" : "Z"}`);
  return Number.isNaN(atMs) ? null : atMs;
}
